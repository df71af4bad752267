"""Serves linalg and spectral: extreme eigenpairs, all at once or by products alone."""

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from spectral_ssl._validation import row_sums

# Above this size a sparse matrix is never densified.
DENSE_LIMIT = 2000
# Residuals of eigenpairs relative to their eigenvalues, whose own errors are of the square.
_TOLERANCE = 1e-10
_ENOUGH_TO_COMPARE = 1e-5


def above_spectrum(A):
    """A bound of all absolute eigenvalues, the largest absolute row sum."""
    return row_sums(abs(A)).max().item()


def dense_smallest(A, n_components, ones):
    """Smallest eigenpairs on the complement of the unit vector ``ones``, all of them at once."""
    A = A.to_dense() if A.is_sparse else A
    if ones is not None:
        A = A - torch.outer(ones, ones @ A)
        A = A - torch.outer(A @ ones, ones)
        lift = 2 * above_spectrum(A) + 1
        A = (A + A.T) / 2 + lift * torch.outer(ones, ones)
    eigenvalues, eigenvectors = torch.linalg.eigh(A)
    return eigenvalues[:n_components], eigenvectors[:, :n_components]


def lanczos_smallest(A, n_components, ones):
    """The same for a large sparse matrix, by products with it."""
    matrix = to_scipy(A)
    bound = above_spectrum(A) or 1.0
    ones = None if ones is None else ones.cpu().numpy()

    def project(v):
        return v if ones is None else v - ones * (ones @ v)

    values, vectors = lanczos_largest(
        lambda v: bound * v - matrix @ v, project, A.shape[0], n_components
    )
    return [torch.as_tensor(part, device=A.device) for part in (bound - values, vectors)]


def lanczos_largest(product, project, n_samples, n_components):
    """Largest eigenpairs, in descending order, of a symmetric map on a subspace.

    A Lanczos iteration from one vector sees one direction of each eigenspace, and finds the
    others of a repeated eigenvalue only by rounding. So it is started again, from another
    vector and orthogonal to what it found, until nothing larger than that is left.

    Parameters
    ----------
    product : callable
        The symmetric map of a vector, whose wanted eigenvalues are positive.
    project : callable
        Orthogonal projection on the subspace.
    n_samples, n_components : int

    Returns
    -------
    values : ndarray of shape (K,)
    vectors : ndarray of shape (N, K)
    """
    values, vectors = _lanczos(product, project, n_samples, n_components, _TOLERANCE, seed=0)
    for seed in range(1, n_samples - n_components):

        def remaining(v):
            v = project(v)
            return v - vectors @ (vectors.T @ v)

        next_value, _ = _lanczos(product, remaining, n_samples, 1, _ENOUGH_TO_COMPARE, seed)
        if next_value[0] <= values[-1] * (1 + _ENOUGH_TO_COMPARE**2):
            break
        missed, direction = _lanczos(product, remaining, n_samples, 1, _TOLERANCE, seed)
        values = np.append(values, missed)
        vectors = np.column_stack([vectors, direction])
        keep = np.argsort(-values, kind="stable")[:n_components]
        values, vectors = values[keep], vectors[:, keep]
    return values, np.ascontiguousarray(vectors)


def _lanczos(product, project, n_samples, n_components, tolerance, seed):
    def projected(v):
        return project(product(project(np.asarray(v).ravel())))

    start = project(np.random.default_rng(seed).standard_normal(n_samples))
    values, vectors = eigsh(
        LinearOperator((n_samples, n_samples), projected, dtype=np.float64),
        k=n_components,
        which="LA",
        v0=start,
        ncv=min(n_samples, max(20, 2 * n_components + 10)),
        tol=tolerance,
    )
    return values[::-1], vectors[:, ::-1]


def to_scipy(A):
    """A sparse tensor as a matrix of scipy's in compressed rows, with the smallest indices."""
    A = A.coalesce().cpu()
    index = np.int32 if max(A.shape[0], A.values().numel()) < 2**31 else np.int64
    rows, columns = A.indices().numpy()
    starts = np.zeros(A.shape[0] + 1, dtype=index)
    np.cumsum(np.bincount(rows, minlength=A.shape[0]), out=starts[1:])
    return scipy.sparse.csr_array(
        (A.values().numpy(), columns.astype(index), starts), shape=tuple(A.shape)
    )
