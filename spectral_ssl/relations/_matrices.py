"""Serves chapters 1 and 4: degrees, Laplacians and energies of relations."""

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.csgraph import connected_components as scipy_components

from spectral_ssl._validation import check_relation, check_samples, row_sums, sparse_matrix
from spectral_ssl.blocks import BlockGraph
from spectral_ssl.linalg import center, divide_rows_and_columns


def degree(G):
    r"""Degrees :math:`d_i = \sum_j G_{ij}`.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.

    Returns
    -------
    Tensor of shape (N,)

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, or a sample has no relation.
    """
    return row_sums(check_relation(G))


def laplacian(G, *, normalized=False):
    r"""Graph Laplacian :math:`L = D_G - G`, with :math:`D_G` the diagonal matrix of degrees.

    The diagonal of ``G`` cancels: self-relations do not change the Laplacian. Normalised it is
    :math:`D_G^{-1/2} L D_G^{-1/2} = I - D_G^{-1/2} G D_G^{-1/2}`, with eigenvalues between 0
    and 2, and self-relations do change it.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    normalized : bool
        Divide by the square roots of the degrees.

    Returns
    -------
    Tensor of shape (N, N)
        Dense or sparse like ``G``.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, or a sample has no relation.

    References
    ----------
    Chung (1997), *Spectral Graph Theory*.
    """
    G = normalized_adjacency(G) if normalized else _matrix(G)
    diagonal = torch.ones_like(row_sums(G)) if normalized else row_sums(G)
    if not G.is_sparse:
        return torch.diag(diagonal) - G
    positions = torch.arange(len(G), device=G.device).expand(2, -1)
    indices = torch.cat([positions, G.indices()], dim=1)
    return sparse_matrix(indices, torch.cat([diagonal, -G.values()]), G.shape)


def normalized_adjacency(G):
    r"""Relations divided by the square roots of both degrees, :math:`D_G^{-1/2} G D_G^{-1/2}`.

    Its eigenvalues lie between -1 and 1, and 1 belongs to the square roots of the degrees.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.

    Returns
    -------
    Tensor of shape (N, N)
        Dense or sparse like ``G``.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, or a sample has no relation.
    """
    G = _matrix(G)
    return divide_rows_and_columns(G, row_sums(G).sqrt())


def connected_components(G):
    """Number the connected components of the relation graph.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.

    Returns
    -------
    Tensor of shape (N,), int64
        The component of each sample, from 0 on in the order of their first samples.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, or a sample has no relation.
    """
    G = check_relation(G)
    if isinstance(G, BlockGraph):
        return G.in_order().numbers
    coo = G if G.is_sparse else G.to_sparse_coo().coalesce()
    pairs = coo.indices()[:, coo.values() > 0].cpu().numpy()
    graph = scipy.sparse.csr_array((np.ones(pairs.shape[1]), pairs), shape=G.shape)
    _, labels = scipy_components(graph, directed=False)
    return torch.as_tensor(labels, dtype=torch.int64, device=G.device)


def dirichlet_energy(Z, G):
    r"""Dirichlet energy :math:`\sum_{ij} G_{ij}\|z_i - z_j\|^2 = 2\,\mathrm{Tr}(Z^\top L Z)`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.

    Returns
    -------
    Tensor
        A scalar, differentiable in ``Z``.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, a sample has no relation, or the sizes
        differ.
    """
    Z = check_samples(Z, "Z")
    G = check_relation(G, n_samples=len(Z)).to(Z.dtype)
    Z = center(Z)
    attraction = (Z * (G @ Z)).sum()
    return 2 * ((row_sums(G)[:, None] * Z**2).sum() - attraction)


def _matrix(G):
    """Checked relations that are a matrix."""
    G = check_relation(G)
    if isinstance(G, BlockGraph):
        raise ValueError(
            "G keeps its blocks only; pass G.to_dense(), or G itself to a loss, a closed form or "
            "spectral.laplacian_eigenmaps"
        )
    return G
