"""Serves chapters 3 and 7: embeddings that reproduce given distances."""

from functools import partial

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from spectral_ssl._validation import as_tensor, check_distances, check_integer, check_samples
from spectral_ssl.linalg import center, largest_eigenpairs
from spectral_ssl.relations import geodesic_distances
from spectral_ssl.solution import Solution


def classical_mds(distances, n_components):
    r"""Classical multidimensional scaling (Torgerson scaling, principal coordinates).

    With :math:`B = -\frac12 H D^{(2)} H`, :math:`D^{(2)}_{ij} = \delta_{ij}^2`, and its largest
    *signed* eigenpairs :math:`(\mu_k, q_k)` on :math:`1^\perp`,

    .. math::

        Z = [q_1, \dots, q_K]\,\mathrm{diag}\big((\mu_k)_+\big)^{1/2}, \qquad
        \text{loss} = \|B - ZZ^\top\|_F^2 ,

    the least strain. If the distances are Euclidean, :math:`B` is the centred Gram matrix and
    enough components reproduce them exactly. If not, :math:`B` has negative eigenvalues; the
    columns of :math:`Z` that would need one are zero.

    Parameters
    ----------
    distances : Tensor of shape (N, N)
        Symmetric and non-negative with a zero diagonal; *not* squared.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.

    Returns
    -------
    Solution
        ``spectrum`` holds the signed eigenvalues :math:`\mu_1 \ge \dots \ge \mu_K`.
        ``transform`` takes the distances of new samples to the N known ones, a matrix of shape
        (M, N), and places each by Gower's formula.

    Raises
    ------
    ValueError
        If ``distances`` is not such a matrix, or ``n_components`` exceeds :math:`N - 1`.

    References
    ----------
    Torgerson (1952); Gower (1966, 1968).
    """
    dtype = as_tensor(distances, "distances").dtype
    squares = check_distances(distances) ** 2
    return _scaling(squares, n_components, dtype, partial(_squared_distances, n=len(squares)))


def isomap(X, n_components, *, n_neighbors):
    r"""ISOMAP: classical multidimensional scaling of geodesic distances.

    The distances are the lengths of shortest paths in the nearest-neighbour graph,
    :func:`spectral_ssl.relations.geodesic_distances`.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        One sample a row.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.
    n_neighbors : int
        Number of neighbours :math:`k`, from 1 to :math:`N-1`.

    Returns
    -------
    Solution
        As of :func:`classical_mds`. ``transform`` takes new samples, a matrix of shape (M, D),
        which reach the known ones through their nearest neighbours among those.

    Raises
    ------
    ValueError
        If an input is out of range, or the neighbour graph is not connected.

    References
    ----------
    Tenenbaum, de Silva & Langford (2000); Bengio et al. (2003) for new samples.
    """
    X = check_samples(X)
    geodesics = geodesic_distances(X.double(), n_neighbors)
    known = X.detach().cpu().double().numpy()
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(known)
    return _scaling(
        geodesics**2,
        n_components,
        X.dtype,
        partial(_squared_geodesics, neighbors=neighbors, geodesics=geodesics),
    )


def _scaling(squares, n_components, dtype, squared_distances):
    limit = len(squares) - 1
    reason = f"{len(squares)} centred samples span {limit} dimensions"
    check_integer(n_components, "n_components", at_most=limit, reason=reason)
    similarity = -center(center(squares).T) / 2
    eigenvalues, eigenvectors = largest_eigenpairs(
        similarity, n_components, orthogonal_to_ones=True
    )
    # A zero eigenvalue comes out as rounding of either sign.
    rounding = len(squares) * torch.finfo(torch.float64).eps * abs(similarity).sum(1).max()
    used = torch.where(eigenvalues > rounding, eigenvalues, 0.0)
    embedding = eigenvectors * used.sqrt()
    weights = torch.where(used > 0, eigenvectors / used.sqrt(), 0.0)
    residual = similarity - embedding @ embedding.T
    extend = partial(
        _place,
        squared_distances=squared_distances,
        mean_squares=squares.mean(dim=0),
        weights=weights,
    )
    return Solution(
        embedding=embedding.to(dtype),
        loss=(residual**2).sum().item(),
        spectrum=eigenvalues.to(dtype),
        extend=extend,
    )


def _place(X, squared_distances, mean_squares, weights):
    """Gower's formula: new samples by their squared distances to the known ones."""
    return -(squared_distances(X) - mean_squares) @ weights / 2


def _squared_distances(distances, n):
    if distances.shape[1] != n:
        raise ValueError(
            f"X has {distances.shape[1]} columns; give the distances of each new sample to the "
            f"{n} known ones"
        )
    if (distances < 0).any():
        raise ValueError("X has negative entries; pass distances to the known samples")
    return distances**2


def _squared_geodesics(X, neighbors, geodesics):
    """Squares of the shortest ways from new samples through their nearest known ones."""
    expected = neighbors.n_features_in_
    if X.shape[1] != expected:
        raise ValueError(f"X has {X.shape[1]} columns but the known samples have {expected}")
    steps, nearest = neighbors.kneighbors(X.detach().cpu().numpy())
    known = geodesics.cpu().numpy()
    ways = np.stack([(step[:, None] + known[near]).min(0) for step, near in zip(steps, nearest)])
    return torch.as_tensor(ways**2, device=X.device)
