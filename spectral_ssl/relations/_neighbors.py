"""Serves chapters 1, 3 and 14: nearest neighbours, and ways along them."""

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.csgraph import connected_components as scipy_components
from scipy.sparse.csgraph import shortest_path
from sklearn.neighbors import kneighbors_graph

from spectral_ssl._validation import check_choice, check_integer, check_samples, sparse_matrix

# New samples whose distances to all known ones are held at a time.
_ROWS_AT_ONCE = 256


def nearest_neighbors(X, n_neighbors, *, search="exact"):
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
    search : "exact" or "approximate"
        Approximate, faiss searches the cells around each sample, for a million samples in a
        minute or two, and misses a few of the neighbours; ``pip install spectral-ssl[large]``.

    Returns
    -------
    Sparse tensor of shape (N, N)
        On the device and in the dtype of ``X``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix or an option is out of range.
    ImportError
        If ``search`` is approximate and faiss is not installed.
    """
    X = check_samples(X)
    if check_choice(search, "search", ("exact", "approximate")) == "exact":
        A = _neighbor_graph(X, n_neighbors, mode="connectivity")
    else:
        A = _approximate_graph(X, n_neighbors)
    G = ((A + A.T) / (2 * n_neighbors)).tocoo()
    indices = torch.as_tensor(np.stack([G.row, G.col]), device=X.device)
    values = torch.as_tensor(G.data, dtype=X.dtype, device=X.device)
    return sparse_matrix(indices, values, G.shape)


def neighbors_of_new(new, X, n_neighbors):
    r"""Relations of new samples to known ones, as :func:`nearest_neighbors` would weigh them.

    Row :math:`i` is that of the new sample :math:`i` if it alone joined the known ones: to each
    of its own :math:`k` nearest it relates with the weight :math:`1/2k`, and with as much again
    to each known sample that counts it among its own :math:`k` nearest. It is what
    ``transform`` of :func:`spectral_ssl.spectral.laplacian_eigenmaps` takes.

    Parameters
    ----------
    new : Tensor of shape (M, D)
        New samples.
    X : Tensor of shape (N, D)
        The known ones.
    n_neighbors : int
        Number of neighbours :math:`k`, from 1 to :math:`N-1`.

    Returns
    -------
    Sparse tensor of shape (M, N)
        On the device and in the dtype of ``X``.

    Raises
    ------
    ValueError
        If the inputs are not finite matrices of as many columns, or ``n_neighbors`` is out of
        range.
    """
    X, new = check_samples(X), check_samples(new, "new", min_samples=1)
    if new.shape[1] != X.shape[1]:
        raise ValueError(f"new has {new.shape[1]} columns and X has {X.shape[1]}; use one set")
    reach = _neighbor_graph(X, n_neighbors, mode="distance").max(axis=1).toarray().ravel()
    reach = torch.as_tensor(reach, dtype=X.dtype, device=X.device)
    rows, weights = [], []
    for start in range(0, len(new), _ROWS_AT_ONCE):
        distances = torch.cdist(new[start : start + _ROWS_AT_ONCE].to(X), X)
        own = torch.zeros_like(distances)
        own.scatter_(1, distances.topk(n_neighbors, largest=False).indices, 1.0)
        found = (own + (distances < reach)).to_sparse_coo()
        rows.append(found.indices() + torch.tensor([[start], [0]], device=X.device))
        weights.append(found.values() / (2 * n_neighbors))
    return sparse_matrix(torch.cat(rows, dim=1), torch.cat(weights), (len(new), len(X)))


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
    _check_neighbors(X, n_neighbors)
    return kneighbors_graph(X.detach().cpu().numpy(), n_neighbors, mode=mode, include_self=False)


def _check_neighbors(X, n_neighbors):
    others = len(X) - 1
    check_integer(
        n_neighbors, "n_neighbors", at_most=others, reason=f"each sample has {others} others"
    )


def _approximate_graph(X, n_neighbors):
    """The same by faiss: every sample looks into the cells whose centres are closest to it."""
    _check_neighbors(X, n_neighbors)
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "approximate search needs faiss: pip install 'spectral-ssl[large]'"
        ) from error
    inputs = np.ascontiguousarray(X.detach().cpu().numpy(), dtype=np.float32)
    n_samples, n_features = inputs.shape
    n_cells = max(1, min(int(4 * n_samples**0.5), n_samples // 40))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(n_features), n_features, n_cells)
    index.cp.max_points_per_centroid = 64
    index.cp.seed = 0
    index.train(inputs)
    index.add(inputs)
    index.nprobe = min(16, n_cells)
    _, found = index.search(inputs, n_neighbors + 1)
    return _without_self(found, n_neighbors)


def _without_self(found, n_neighbors):
    """Graph of the first ``n_neighbors`` columns that are found and not the sample itself."""
    others = (found != np.arange(len(found))[:, None]) & (found >= 0)
    others &= others.cumsum(axis=1) <= n_neighbors
    rows, columns = others.nonzero()[0], found[others]
    return scipy.sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(found),) * 2)
