"""Serves chapters 3, 4 and 5: embeddings that keep positives close."""

from functools import partial

from spectral_ssl._eigensolvers import DENSE_LIMIT
from spectral_ssl._validation import (
    as_tensor,
    check_integer,
    check_relation,
    check_samples,
    entries,
    row_sums,
)
from spectral_ssl.blocks import BlockGraph
from spectral_ssl.linalg import rank_tolerance, smallest_eigenpairs, whiten
from spectral_ssl.relations import laplacian
from spectral_ssl.solution import Solution
from spectral_ssl.spectral._large_graphs import smoothest_of_blocks, smoothest_of_sparse
from spectral_ssl.spectral._shared import (
    affine_solution,
    check_components,
    gram_eigenpairs,
    gram_solution,
)


def laplacian_eigenmaps(G, n_components, *, normalized=False):
    r"""Laplacian eigenmaps: the smoothest embedding of unit variance.

    Minimises the mean Dirichlet energy,

    .. math::

        \tfrac1{2N} \sum_{ij} G_{ij} \|z_i - z_j\|^2 = \tfrac1N \mathrm{Tr}(Z^\top L Z)
        \quad\text{with}\quad \mathrm{Cov}(Z) = I,\; 1^\top Z = 0 ,

    by :math:`Z = \sqrt N [u_1, \dots, u_K]` with the smallest eigenpairs
    :math:`Lu = \lambda u` on :math:`1^\perp`. The optimal energy is the sum of the eigenvalues.

    Normalised, every sample counts with the share :math:`\pi_i = d_i / \sum_j d_j` of its degree
    instead of :math:`1/N`, in mean, covariance and energy: the problem becomes
    :math:`Lu = \lambda D_G u`, that of random walks and normalised cuts. The two agree when all
    degrees are equal to 1.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.
    normalized : bool
        Weigh samples by their degrees.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`, zeros of a disconnected
        graph included. ``transform`` takes the relations of new samples to the N known ones, a
        matrix of shape (M, N) of weights like those of ``G``, and places each at
        :math:`z_k = \frac{1}{d - \lambda_k} \sum_j g_j z_{jk}` with :math:`d = \sum_j g_j`
        (:math:`\frac{1}{d\,(1 - \lambda_k)}` normalised), the formula that holds for the known.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, a sample has no relation, or
        ``n_components`` exceeds :math:`N - 1`.

    References
    ----------
    Belkin & Niyogi (2003); Bengio et al. (2003) for new samples.
    """
    G = check_relation(G)
    n_samples = len(G)
    check_integer(
        n_components,
        "n_components",
        at_most=n_samples - 1,
        reason=f"{n_samples} centred samples span {n_samples - 1} dimensions",
    )
    weights = row_sums(G).double() if normalized else None
    total = weights.sum() if normalized else n_samples
    if isinstance(G, BlockGraph):
        eigenvalues, eigenvectors = smoothest_of_blocks(G, n_components)
    elif G.is_sparse and n_samples > DENSE_LIMIT and 4 * n_components < n_samples:
        eigenvalues, eigenvectors = smoothest_of_sparse(G, n_components, weights)
    else:
        eigenvalues, eigenvectors = smallest_eigenpairs(
            laplacian(G.double()), n_components, orthogonal_to_ones=True, metric=weights
        )
    embedding = total**0.5 * eigenvectors
    return Solution(
        embedding=embedding.to(G.dtype),
        loss=eigenvalues.sum().item(),
        spectrum=eigenvalues.to(G.dtype),
        extend=partial(
            _average_positives,
            embedding=embedding,
            eigenvalues=eigenvalues,
            normalized=normalized,
        ),
    )


def _average_positives(g, embedding, eigenvalues, normalized):
    """New samples from their relations ``g`` to the known ones."""
    if g.shape[1] != len(embedding):
        raise ValueError(
            f"X has {g.shape[1]} columns; give the relations of each new sample to the "
            f"{len(embedding)} known ones"
        )
    degrees = row_sums(g)[:, None]
    if (entries(g) < 0).any() or (degrees <= 0).any():
        raise ValueError(
            "X must have non-negative rows with a positive relation in each; a new sample "
            "without positives has no place"
        )
    slack = 1 - eigenvalues if normalized else 1 - eigenvalues / degrees
    if (slack <= 0).any():
        raise ValueError(
            f"an eigenvalue (the largest is {eigenvalues[-1].item():.3g}) is not below "
            f"{1 if normalized else 'the degree of a new sample'}, so its coordinate is not an "
            "average over positives; use fewer components"
        )
    return g @ embedding / degrees / slack


def lpp(X, G, n_components, *, rtol=1e-10):
    r"""Locality preserving projections: Laplacian eigenmaps by a linear map.

    Minimises :math:`\frac1N\mathrm{Tr}(Z^\top L Z)` over :math:`Z = XW` with
    :math:`\mathrm{Cov}(Z) = I`. The columns of :math:`W` solve

    .. math:: X^\top L X\,w = \lambda\,X^\top H X\,w ,

    with the smallest eigenvalues, whose sum is the optimal energy. The problem is solved in
    whitened coordinates; directions of no variance are dropped first
    (:func:`spectral_ssl.linalg.whiten`).

    Parameters
    ----------
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``X``.
    rtol : float
        Directions of ``X`` with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        With ``weights``; ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. The
        embedding is centred and ``transform`` subtracts the mean of ``X``.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds the rank.

    References
    ----------
    He & Niyogi (2003), who constrain :math:`Z^\top D_G Z` instead of the covariance.
    """
    X = check_samples(X)
    G = check_relation(G, n_samples=len(X))
    inputs = X.double()
    whitening = whiten(inputs, rtol=rank_tolerance(X, rtol))
    check_components(n_components, whitening.rank, "X")
    eigenvalues, directions = _smoothest(whitening(inputs), G, n_components)
    weights = whitening.map @ directions
    return affine_solution(
        inputs,
        weights,
        offset=-whitening.mean @ weights,
        loss=eigenvalues.sum().item(),
        spectrum=eigenvalues,
        dtype=X.dtype,
    )


def kernel_lpp(gram, G, n_components, *, rtol=1e-10):
    r"""Kernel locality preserving projections: :func:`lpp` in the feature space of a kernel.

    Minimises :math:`\frac1N\mathrm{Tr}(Z^\top L Z)` over :math:`Z = HKH\alpha` with
    :math:`\mathrm{Cov}(Z) = I`. The linear kernel :math:`K = XX^\top` gives :func:`lpp`. If
    ``rtol`` drops nothing and the centred Gram matrix has rank :math:`N - 1`, every centred
    embedding is available and the result is that of :func:`laplacian_eigenmaps`.

    Parameters
    ----------
    gram : Tensor of shape (N, N)
        Kernel values of all pairs, symmetric and positive semi-definite; not centred.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``gram``.
    rtol : float
        Directions of feature space with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. ``transform`` takes the
        kernel values of new samples with the N known ones, a matrix of shape (M, N).

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, ``gram`` is not positive semi-definite,
        or ``n_components`` exceeds its rank.

    References
    ----------
    He & Niyogi (2003).
    """
    gram = as_tensor(gram, "gram")
    variances, eigenvectors = gram_eigenpairs(gram, rtol)
    G = check_relation(G, n_samples=len(gram))
    check_components(n_components, len(variances), "gram")
    white = len(gram) ** 0.5 * eigenvectors
    eigenvalues, directions = _smoothest(white, G, n_components)
    return gram_solution(
        gram,
        white / variances @ directions,
        loss=eigenvalues.sum().item(),
        spectrum=eigenvalues,
    )


def _smoothest(white, G, n_components):
    """Smallest eigenpairs of the mean Dirichlet energy of whitened inputs."""
    G = G.double()
    energy = white.T @ (row_sums(G)[:, None] * white - G @ white) / len(white)
    return smallest_eigenpairs((energy + energy.T) / 2, n_components)
