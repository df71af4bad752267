"""Serves every chapter: centring, whitening with rank truncation, extreme eigenpairs."""

from typing import NamedTuple

import numpy as np
import scipy.sparse.linalg
import torch

from spectral_ssl._validation import (
    check_integer,
    check_samples,
    check_weight,
    row_sums,
)

# Above this size a sparse matrix is never densified.
_DENSE_LIMIT = 2000


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


def smallest_eigenpairs(A, n_components, *, orthogonal_to_ones=False):
    r"""Smallest eigenvalues of a symmetric matrix and orthonormal eigenvectors.

    Parameters
    ----------
    A : Tensor of shape (N, N)
        Symmetric, dense or sparse. A large sparse matrix is never densified: its eigenpairs
        come from a Lanczos iteration that only multiplies with it.
    n_components : int
        Number of eigenpairs :math:`K`.
    orthogonal_to_ones : bool
        Restrict the matrix to :math:`1^\perp`, the vectors that sum to zero, that is take the
        eigenpairs of :math:`HAH` other than the constant vector. Unlike dropping the first
        eigenvector this is right for disconnected graphs too, whose Laplacian has several
        zero eigenvalues.

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
    # HAH + shift 11'/N moves the constant vector above all other eigenvalues.
    shift = 2 * _spectral_bound(A) + 1 if orthogonal_to_ones else 0.0
    if A.is_sparse and n_samples > _DENSE_LIMIT and 4 * n_components < n_samples:
        return _lanczos_smallest(A, n_components, shift)
    A = (A.to_dense() if A.is_sparse else A).double()
    if orthogonal_to_ones:
        A = center(center(A).T)
        A = (A + A.T) / 2 + shift / n_samples
    eigenvalues, eigenvectors = torch.linalg.eigh(A)
    return eigenvalues[:n_components], eigenvectors[:, :n_components]


def _spectral_bound(A):
    """Largest absolute row sum, a bound on every eigenvalue's size (Gershgorin)."""
    return row_sums(abs(A)).max().item()


def _lanczos_smallest(A, n_components, shift):
    """Smallest eigenpairs of ``HAH + shift 11'/N`` by Lanczos on ``bound - A``, matrix free."""
    n_samples = A.shape[0]
    A_coo = A.coalesce().cpu()
    matrix = scipy.sparse.csr_array(
        (A_coo.values().double().numpy(), A_coo.indices().numpy()), shape=A_coo.shape
    )
    bound = _spectral_bound(A)

    def flipped(v):
        v = np.asarray(v).ravel()
        if not shift:
            return bound * v - matrix @ v
        mean = v.mean()
        image = matrix @ (v - mean)
        return bound * v - (image - image.mean()) - shift * mean

    operator = scipy.sparse.linalg.LinearOperator(matrix.shape, flipped, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n_samples)
    values, vectors = scipy.sparse.linalg.eigsh(
        operator, k=n_components, which="LA", v0=start, ncv=max(40, 3 * n_components)
    )
    order = np.argsort(-values)
    eigenvalues = torch.as_tensor(bound - values[order], device=A.device)
    return eigenvalues, torch.as_tensor(vectors[:, order].copy(), device=A.device)


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
