"""Serves every chapter: centring, whitening with rank truncation, extreme eigenpairs."""

from typing import NamedTuple

import torch

from spectral_ssl._eigensolvers import DENSE_LIMIT, dense_smallest, lanczos_smallest
from spectral_ssl._validation import check_integer, check_samples, check_weight, sparse_matrix


def center(Z):
    r"""Subtract the mean of every column, :math:`HZ` with :math:`H = I - \frac1N 11^\top`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        One sample a row.

    Returns
    -------
    Tensor of shape (N, K)
    """
    return Z - Z.mean(dim=0, keepdim=True)


def covariance(Z):
    r"""Covariance :math:`\mathrm{Cov}(Z) = \frac1N Z^\top H Z` with the :math:`1/N` convention.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        One sample a row.

    Returns
    -------
    Tensor of shape (K, K)
    """
    centered = center(Z)
    return centered.T @ centered / len(Z)


def unit_rows(Z, name="Z"):
    r"""Scale every row to unit length, :math:`z_i / \|z_i\|`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        One sample a row.
    name : str
        What an error calls ``Z``.

    Returns
    -------
    Tensor of shape (N, K)

    Raises
    ------
    ValueError
        If a row is zero and so has no direction.
    """
    lengths = torch.linalg.vector_norm(Z, dim=1, keepdim=True)
    zero = (lengths == 0).nonzero()
    if len(zero):
        raise ValueError(
            f"{name} has {len(zero)} zero row(s) (first: row {zero[0, 0].item()}), whose cosines "
            "are not defined; check for dead units, or add a bias before the last layer"
        )
    return Z / lengths


class Whitening(NamedTuple):
    """The affine map ``(X - mean) @ map`` onto uncorrelated directions of unit variance.

    Attributes
    ----------
    mean : Tensor of shape (D,)
    map : Tensor of shape (D, rank)
        Columns are the kept principal directions, each divided by its standard deviation.
    """

    mean: torch.Tensor
    map: torch.Tensor

    @property
    def rank(self):
        """Number of directions kept."""
        return self.map.shape[1]

    def __call__(self, X):
        """Whiten the rows of ``X``; the samples it was fitted on get covariance ``I``."""
        return (X - self.mean) @ self.map


def whiten(X, *, rtol=1e-10):
    r"""Whitening map of ``X`` with rank truncation.

    With the singular value decomposition :math:`HX/\sqrt N = U S V^\top` the map is
    :math:`V_r S_r^{-1}`, where only directions with :math:`s_k^2 > \mathrm{rtol}\cdot s_1^2`
    are kept. Directions of (almost) no variance are dropped *before* the division: kept, they
    would be blown up to unit variance and rounding noise would look like signal.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        One sample a row.
    rtol : float
        Smallest variance to keep, relative to the largest one.

    Returns
    -------
    Whitening
        In the dtype of ``X``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix or all its columns are constant.
    """
    X = check_samples(X)
    rtol = check_weight(rtol, "rtol")
    centered = center(X.double())
    _, scales, directions = torch.linalg.svd(centered / len(X) ** 0.5, full_matrices=False)
    rounding = torch.finfo(X.dtype).eps * max(X.shape) * X.double().abs().max()
    if not scales[0] > rounding:
        raise ValueError("X is constant: no column varies, so there is nothing to whiten")
    keep = (scales**2 > rtol * scales[0] ** 2) & (scales > rounding)
    scaled = directions[keep].T / scales[keep]
    return Whitening(mean=X.mean(dim=0), map=scaled.to(X.dtype))


def rank_tolerance(X, rtol):
    """Share of the top variance below which a direction of ``X`` counts as constant.

    Parameters
    ----------
    X : Tensor of shape (N, D)
    rtol : float
        The share asked for.

    Returns
    -------
    float
        ``rtol``, or the share that is rounding noise in the dtype of ``X`` if that is larger.
    """
    return max(rtol, (torch.finfo(X.dtype).eps * max(X.shape)) ** 2)


def divide_rows_and_columns(A, scale):
    r"""Divide every entry :math:`A_{ij}` by :math:`s_i s_j`.

    Parameters
    ----------
    A : Tensor of shape (N, N)
        Dense or sparse.
    scale : Tensor of shape (N,)
        The divisors :math:`s`.

    Returns
    -------
    Tensor of shape (N, N)
        Dense or sparse like ``A``.
    """
    if not A.is_sparse:
        return A / scale / scale[:, None]
    A = A.coalesce()
    rows, columns = A.indices()
    return sparse_matrix(A.indices(), A.values() / scale[rows] / scale[columns], A.shape)


def smallest_eigenpairs(A, n_components, *, orthogonal_to_ones=False, metric=None):
    r"""Smallest eigenvalues of a symmetric matrix and orthonormal eigenvectors.

    Solves :math:`A u = \lambda M u` with :math:`u_k^\top M u_l = 1[k = l]`, where :math:`M` is
    the identity or a diagonal matrix.

    Parameters
    ----------
    A : Tensor of shape (N, N)
        Symmetric, dense or sparse. A large sparse matrix is never densified: its eigenpairs
        come from a Lanczos iteration that only multiplies with it.
    n_components : int
        Number of eigenpairs :math:`K`.
    orthogonal_to_ones : bool
        Only vectors with :math:`1^\top M u = 0`, for :math:`M = I` those that sum to zero.
        Unlike dropping the first eigenvector this is right for disconnected graphs too, whose
        Laplacian has several zero eigenvalues.
    metric : Tensor of shape (N,), optional
        Positive diagonal of :math:`M`; by default all ones.

    Returns
    -------
    eigenvalues : Tensor of shape (K,)
        In ascending order, float64.
    eigenvectors : Tensor of shape (N, K)
        Orthonormal columns, float64. Signs, and the basis of a repeated eigenvalue, are
        arbitrary.

    Raises
    ------
    ValueError
        If ``n_components`` is larger than the number of eigenpairs.
    """
    n_samples = A.shape[0]
    limit = n_samples - 1 if orthogonal_to_ones else n_samples
    check_integer(
        n_components, "n_components", at_most=limit, reason=f"there are {limit} eigenpairs"
    )
    A = A.double()
    scale = torch.ones(n_samples, dtype=A.dtype, device=A.device)
    if metric is not None:
        scale = metric.double().sqrt()
        A = divide_rows_and_columns(A, scale)
    ones = scale / torch.linalg.norm(scale) if orthogonal_to_ones else None
    if A.is_sparse and n_samples > DENSE_LIMIT and 4 * n_components < n_samples:
        eigenvalues, eigenvectors = lanczos_smallest(A, n_components, ones)
    else:
        eigenvalues, eigenvectors = dense_smallest(A, n_components, ones)
    return eigenvalues, eigenvectors / scale[:, None]


def largest_eigenpairs(A, n_components, *, orthogonal_to_ones=False):
    r"""Largest (signed) eigenvalues of a symmetric matrix and orthonormal eigenvectors.

    Parameters
    ----------
    A, n_components, orthogonal_to_ones
        As in :func:`smallest_eigenpairs`.

    Returns
    -------
    eigenvalues : Tensor of shape (K,)
        In descending order, float64.
    eigenvectors : Tensor of shape (N, K)
        Orthonormal columns, float64.

    Raises
    ------
    ValueError
        If ``n_components`` is larger than the number of eigenpairs.
    """
    eigenvalues, eigenvectors = smallest_eigenpairs(
        -A, n_components, orthogonal_to_ones=orthogonal_to_ones
    )
    return -eigenvalues, eigenvectors


def orthonormal_basis(Z, *, rank=None, rtol=1e-8):
    """Orthonormal basis of the column space, the leading left singular vectors.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
    rank : int, optional
        Number of vectors; by default the numerical rank, the number of singular values
        above ``rtol`` times the largest.
    rtol : float
        Tolerance of the numerical rank.

    Returns
    -------
    Tensor of shape (N, rank)
    """
    left, scales, _ = torch.linalg.svd(Z, full_matrices=False)
    if rank is None:
        rank = int((scales > rtol * scales[0]).sum())
    return left[:, :rank]


def align(Z, target):
    r"""Shift and rotate embeddings onto others, the freedom that VICReg's loss leaves.

    Returns :math:`HZR + 1 m^\top` with :math:`m` the mean of ``target`` and the orthogonal
    :math:`R` that minimises the Frobenius distance (orthogonal Procrustes). For pictures
    only: to *measure* agreement use :func:`spectral_ssl.agreement.compare`.

    Parameters
    ----------
    Z, target : Tensors of shape (N, K)

    Returns
    -------
    Tensor of shape (N, K)
    """
    left, _, right = torch.linalg.svd(center(Z).T @ center(target))
    return center(Z) @ left @ right + target.mean(dim=0)
