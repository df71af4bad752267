"""Serves chapters 1, 3 and 4: where the relation matrix G comes from, and its Laplacian."""

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.csgraph import connected_components as scipy_components
from scipy.sparse.csgraph import shortest_path
from sklearn.neighbors import kneighbors_graph

from spectral_ssl._validation import (
    check_integer,
    check_labels,
    check_relation,
    check_samples,
    row_sums,
    sparse_matrix,
)
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
    G = normalized_adjacency(G) if normalized else check_relation(G)
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
    G = check_relation(G)
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


def from_labels(labels):
    r"""Class graph :math:`G_{ij} = 1[y_i = y_j] / N_{y_i}`: all samples of a class are positives.

    Every degree is 1, the diagonal is kept, and :math:`G` is the orthogonal projection on
    the class indicators.

    Parameters
    ----------
    labels : sequence of N integers or strings

    Returns
    -------
    Tensor of shape (N, N), float64

    Raises
    ------
    ValueError
        If ``labels`` is not one-dimensional or has fewer than 2 entries.
    """
    classes, counts = check_labels(labels)
    same = (classes[:, None] == classes).double()
    return same / counts[classes]


def from_views(n_sources, n_views):
    r"""View graph: the ``n_views`` views of each source are each other's positives.

    Rows are ordered source by source and :math:`G = I_n \otimes \frac1V 1_V 1_V^\top`. Every
    degree is 1; :math:`G` has the eigenvalue 1 ``n_sources`` times and 0 otherwise.

    Parameters
    ----------
    n_sources, n_views : int
        Number of sources :math:`n` and of views :math:`V` of each.

    Returns
    -------
    Tensor of shape (n_sources * n_views, n_sources * n_views), float64

    Raises
    ------
    ValueError
        If there are fewer than 2 rows in all.
    """
    check_integer(n_sources, "n_sources")
    check_integer(n_views, "n_views")
    return from_labels(np.repeat(np.arange(n_sources), n_views))


def from_pairs(pairs, n_samples):
    r"""Relations from a list of positive pairs, :math:`G_{ij}` = how often ``{i, j}`` is listed.

    Parameters
    ----------
    pairs : integer array of shape (P, 2)
        Each row names two samples; their order does not matter.
    n_samples : int
        Number of samples :math:`N`.

    Returns
    -------
    Sparse tensor of shape (N, N), float64
        Symmetric. A pair ``(i, i)`` adds 1 to the diagonal.

    Raises
    ------
    ValueError
        If ``pairs`` has another shape, is not integer, or names a sample that does not exist.
    """
    check_integer(n_samples, "n_samples")
    pairs = torch.as_tensor(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.is_floating_point():
        raise ValueError(
            f"pairs must be an integer array with two columns, got shape {tuple(pairs.shape)} "
            f"and {pairs.dtype}"
        )
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= n_samples):
        raise ValueError(
            f"pairs names samples {pairs.min().item()} to {pairs.max().item()}, but only 0 to "
            f"{n_samples - 1} exist; correct pairs or n_samples"
        )
    distinct = pairs[:, 0] != pairs[:, 1]
    both_orders = torch.cat([pairs, pairs[distinct].flip(1)]).T
    counts = torch.ones(both_orders.shape[1], dtype=torch.float64, device=pairs.device)
    return sparse_matrix(both_orders, counts, (n_samples, n_samples))


def nearest_neighbors(X, n_neighbors):
    r"""Symmetric nearest-neighbour graph, :math:`G = (A + A^\top) / 2k`.

    :math:`A_{ij} = 1` if :math:`j` is one of the :math:`k` nearest Euclidean neighbours of
    :math:`i`, itself excluded. The mean degree is 1, so that the weight of the invariance
    term means the same on every graph; the degrees themselves differ, because popular
    samples are neighbours of many.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        One sample a row.
    n_neighbors : int
        Number of neighbours :math:`k`, from 1 to :math:`N-1`.

    Returns
    -------
    Sparse tensor of shape (N, N)
        On the device and in the dtype of ``X``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix or ``n_neighbors`` is out of range.
    """
    X = check_samples(X)
    A = _neighbor_graph(X, n_neighbors, mode="connectivity")
    G = ((A + A.T) / (2 * n_neighbors)).tocoo()
    indices = torch.as_tensor(np.stack([G.row, G.col]), device=X.device)
    values = torch.as_tensor(G.data, dtype=X.dtype, device=X.device)
    return sparse_matrix(indices, values, G.shape)


def geodesic_distances(X, n_neighbors):
    r"""Lengths of the shortest paths in the nearest-neighbour graph.

    Each sample is joined to its ``n_neighbors`` nearest by an edge as long as their Euclidean
    distance; edges can be walked both ways. For samples dense on a curved surface the lengths
    approximate distances along the surface.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        One sample a row.
    n_neighbors : int
        Number of neighbours :math:`k`, from 1 to :math:`N-1`.

    Returns
    -------
    Tensor of shape (N, N)
        On the device and in the dtype of ``X``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix, ``n_neighbors`` is out of range, or the graph is not
        connected, so that some samples have no path between them.

    References
    ----------
    Tenenbaum, de Silva & Langford (2000), *ISOMAP*.
    """
    X = check_samples(X)
    edges = _neighbor_graph(X, n_neighbors, mode="distance")
    n_components, _ = scipy_components(edges, directed=False)
    if n_components > 1:
        raise ValueError(
            f"the neighbour graph falls into {n_components} components with no path between "
            f"them; raise n_neighbors={n_neighbors} or embed the components one by one"
        )
    return torch.as_tensor(shortest_path(edges, directed=False), dtype=X.dtype, device=X.device)


def _neighbor_graph(X, n_neighbors, mode):
    """Directed nearest-neighbour graph of the rows of ``X`` as a scipy sparse matrix."""
    others = len(X) - 1
    check_integer(
        n_neighbors, "n_neighbors", at_most=others, reason=f"each sample has {others} others"
    )
    return kneighbors_graph(X.detach().cpu().numpy(), n_neighbors, mode=mode, include_self=False)
