"""Serves chapter 14: view graphs and class graphs of any size, kept as block numbers."""

import torch

__all__ = ["BlockGraph"]


class BlockGraph:
    r"""Relations in blocks, :math:`G_{ij} = 1[b_i = b_j] / N_{b_i}`, without a matrix.

    Made by :func:`spectral_ssl.relations.from_labels` and
    :func:`spectral_ssl.relations.from_views` with ``implicit=True``, and taken wherever the
    library takes relations or similarities. :math:`G` is the orthogonal projection on the
    indicators of the blocks: a product averages within blocks, the eigenvalues are 1, once for
    each block, and 0. So products cost :math:`O(NK)`, and eigenvectors need no solver.

    Parameters
    ----------
    numbers : Tensor of shape (N,), int64
        The block :math:`b_i` of each sample, from 0 on, without gaps.
    sizes : Tensor of shape (C,), int64
        The number :math:`N_c` of samples in each block.
    dtype : torch.dtype
        Of products with vectors, and of what is computed from them.
    """

    is_sparse = False

    def __init__(self, numbers, sizes, *, dtype=torch.float64):
        self.numbers = numbers
        self.sizes = sizes
        self.dtype = dtype

    def __len__(self):
        return len(self.numbers)

    def __repr__(self):
        return f"BlockGraph({len(self)} samples in {self.n_blocks} blocks)"

    @property
    def n_blocks(self):
        """Number of blocks."""
        return len(self.sizes)

    @property
    def shape(self):
        """``(N, N)``, as of the matrix."""
        return torch.Size([len(self), len(self)])

    @property
    def device(self):
        """Where the block numbers are."""
        return self.numbers.device

    def to(self, *arguments, **options):
        """The same relations on another device, or in another dtype; as of a tensor."""
        example = torch.empty(0, dtype=self.dtype, device=self.device).to(*arguments, **options)
        return BlockGraph(
            self.numbers.to(example.device), self.sizes.to(example.device), dtype=example.dtype
        )

    def double(self):
        """The same relations in float64."""
        return self.to(torch.float64)

    def in_order(self):
        """The same relations with blocks numbered in the order of their first samples."""
        positions = torch.arange(len(self), device=self.device)
        first = torch.full_like(self.sizes, len(self))
        order = first.scatter_reduce(0, self.numbers, positions, "amin").argsort()
        return BlockGraph(order.argsort()[self.numbers], self.sizes[order], dtype=self.dtype)

    def means(self, Z):
        """Mean of the rows of ``Z`` in each block.

        Parameters
        ----------
        Z : Tensor of shape (N, K) or (N,)

        Returns
        -------
        Tensor of shape (C, K) or (C,)
        """
        sums = Z.new_zeros(self.n_blocks, *Z.shape[1:]).index_add(0, self.numbers, Z)
        return sums / self.sizes.to(Z.dtype).reshape(-1, *[1] * (Z.ndim - 1))

    def __matmul__(self, Z):
        return self.means(Z)[self.numbers]

    def sum(self, dim):
        """Row or column sums, all of them 1."""
        return torch.ones(len(self), dtype=self.dtype, device=self.device)

    def diagonal(self):
        """The entries :math:`1/N_{b_i}` of the diagonal."""
        return 1 / self.sizes.to(self.dtype)[self.numbers]

    def squared_norm(self):
        """Squared Frobenius norm, the number of blocks."""
        return torch.tensor(self.n_blocks, dtype=self.dtype, device=self.device)

    def to_dense(self):
        """The matrix.

        Returns
        -------
        Tensor of shape (N, N)
        """
        same = (self.numbers[:, None] == self.numbers).to(self.dtype)
        return same * self.diagonal()

    def indicators(self, count):
        """Unit vectors along the first blocks, eigenvectors with the eigenvalue 1.

        Parameters
        ----------
        count : int

        Returns
        -------
        Tensor of shape (N, count)
        """
        positions = torch.arange(count, device=self.device)
        return (self.numbers[:, None] == positions) * self.diagonal().sqrt()[:, None]

    def inner_contrasts(self, count):
        """Orthonormal vectors that sum to zero in every block: eigenvalue 0.

        Parameters
        ----------
        count : int
            How many, at most N - C.

        Returns
        -------
        Tensor of shape (N, count)
        """
        order = self.numbers.argsort(stable=True)
        starts = self.sizes.cumsum(0) - self.sizes
        vectors = torch.zeros(len(self), count, dtype=self.dtype, device=self.device)
        ends = (self.sizes - 1).cumsum(0)
        for column in range(count):
            block = int(torch.searchsorted(ends, column, right=True))
            earlier = column - int(ends[block] - self.sizes[block] + 1) + 1
            first = int(starts[block])
            ones = torch.ones(earlier + 1, dtype=self.dtype, device=self.device)
            members = order[first : first + earlier + 1]
            vectors[members, column] = helmert(ones, earlier)
        return vectors


def helmert(masses, position):
    r"""Contrast of one group with all before it: mean 0 and variance 1 under the masses.

    Parameters
    ----------
    masses : Tensor of shape (C,)
        Positive masses :math:`m_c`.
    position : int
        The group, at least 1; later ones get 0.

    Returns
    -------
    Tensor of shape (C,)
        :math:`e` with :math:`\sum_c m_c e_c = 0` and :math:`\sum_c m_c e_c^2 = 1`; those of
        two positions are orthogonal.
    """
    before, own = masses[:position].sum(), masses[position]
    contrast = torch.zeros_like(masses)
    contrast[:position] = (own / before / (before + own)).sqrt()
    contrast[position] = -(before / own / (before + own)).sqrt()
    return contrast


def between_contrasts(numbers, masses, count):
    r"""Vectors constant on groups, orthonormal under the masses and to the constant vector.

    Parameters
    ----------
    numbers : Tensor of shape (N,), int64
        The group of each sample.
    masses : Tensor of shape (C,)
        Sum of the masses of each group.
    count : int
        How many, at most C - 1.

    Returns
    -------
    Tensor of shape (N, count)
    """
    if count == 0:
        return masses.new_zeros(len(numbers), 0)
    contrasts = [helmert(masses, position) for position in range(1, count + 1)]
    return torch.stack(contrasts, dim=1)[numbers]
