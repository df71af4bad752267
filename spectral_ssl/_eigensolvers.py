"""Serves linalg and spectral: extreme eigenpairs, all at once or by products alone."""

import warnings

import numpy as np
import torch
from scipy.linalg import eigvalsh_tridiagonal
from scipy.sparse.linalg import LinearOperator, eigsh

from spectral_ssl._threads import threads_that_pay
from spectral_ssl._validation import row_sums, to_scipy

# Above this size a sparse matrix is never densified.
DENSE_LIMIT = 2000
# Residuals, relative to eigenvalues of the polynomial, whose own errors are of the square.
_TOLERANCE = 1e-8
_ENOUGH_TO_COMPARE = 1e-3
# Degree of the polynomial, and steps of the short iteration beyond the number of components.
_DEGREE = 6
_SHORT = 42


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
    times = product_with(to_scipy(A))
    bound = above_spectrum(A) or 1.0
    ones = None if ones is None else ones.cpu()

    def project(v):
        return v if ones is None else v - ones * (ones @ v)

    values, vectors = lanczos_largest(
        lambda v: bound * v - times(v), project, A.shape[0], n_components
    )
    return (bound - values).to(A.device), vectors.to(A.device)


def lanczos_largest(product, project, n_samples, n_components):
    r"""Largest eigenpairs, in descending order, of a map :math:`B \succeq 0` on a subspace.

    ARPACK's Lanczos iteration runs on a polynomial of :math:`B`, the Chebyshev polynomial that
    stays within :math:`\pm 1` on :math:`[0, c]` and grows above. So it needs fewer vectors to be
    kept orthogonal. The level :math:`c` is a Ritz value, and so not above the :math:`K`-th
    eigenvalue: the order of the wanted ones does not change.

    A Lanczos iteration from one vector sees one direction of each eigenspace, and finds the
    others of a repeated eigenvalue only by rounding. So it is started again, from another
    vector and orthogonal to what it found, until nothing larger than that is left.

    Parameters
    ----------
    product : callable
        The map of a vector to a new one, symmetric and positive semi-definite.
    project : callable
        Orthogonal projection on the subspace, which the map does not leave.
    n_samples, n_components : int

    Returns
    -------
    values : Tensor of shape (K,)
    vectors : Tensor of shape (N, K)
    """
    start = project(_random_vector(n_samples, 0))
    level = _ritz_value(product, project, start, n_components)

    def grown(v):
        return _chebyshev(product, v, level) if level > 0 else product(v)

    values, vectors = _arpack(grown, project, start, n_components, _TOLERANCE)
    for seed in range(1, n_samples - n_components):

        def remaining(v):
            v = project(v)
            return v - vectors @ (vectors.T @ v)

        start = remaining(_random_vector(n_samples, seed))
        best, direction = _arpack(grown, remaining, start, 1, _ENOUGH_TO_COMPARE)
        if best[0] * (1 + _ENOUGH_TO_COMPARE) <= values[-1]:
            break
        missed, direction = _arpack(grown, remaining, direction[:, 0], 1, _TOLERANCE)
        if missed[0] <= values[-1] * (1 + _TOLERANCE):
            break
        values = torch.cat([values, missed])
        vectors = torch.cat([vectors, direction], dim=1)
        keep = values.argsort(descending=True, stable=True)[:n_components]
        values, vectors = values[keep], vectors[:, keep]
    return torch.stack([v @ product(v) for v in vectors.T.contiguous()]), vectors


def _random_vector(n_samples, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_samples, generator=generator, dtype=torch.float64)


def _arpack(product, project, start, n_components, tolerance):
    def projected(v):
        return project(product(project(torch.as_tensor(v).flatten()))).numpy()

    n_kept = 2 * n_components + 8
    with threads_that_pay(len(start) * n_kept):
        values, vectors = eigsh(
            LinearOperator((len(start), len(start)), projected, dtype=np.float64),
            k=n_components,
            which="LA",
            v0=start.numpy(),
            ncv=n_kept,
            tol=tolerance,
        )
    return torch.as_tensor(values).flip(0), torch.as_tensor(vectors).flip(1)


def _ritz_value(product, project, start, n_components):
    """The K-th largest Ritz value of a short Lanczos iteration, or its smallest."""
    basis = torch.empty(n_components + _SHORT, len(start), dtype=torch.float64)
    vector = start
    diagonal, beside = [], [torch.linalg.norm(start).item()]
    for step in range(len(basis)):
        basis[step] = vector / beside[-1]
        vector = project(product(basis[step]))
        diagonal.append((basis[step] @ vector).item())
        vector -= diagonal[-1] * basis[step]
        if step:
            vector -= beside[-1] * basis[step - 1]
        vector -= basis[: step + 1] @ vector @ basis[: step + 1]  # what rounding left
        beside.append(torch.linalg.norm(vector).item())
        if beside[-1] <= _TOLERANCE * diagonal[0]:
            break
    ritz = eigvalsh_tridiagonal(diagonal, beside[1:-1])
    return ritz[-min(n_components, len(ritz))]


def _chebyshev(product, v, level):
    r""":math:`T_d(2B/c - I)\,v` for the level :math:`c` and a low degree :math:`d`."""
    before, now = v, product(v).mul_(2 / level).sub_(v)
    for _ in range(_DEGREE - 1):
        after = product(now).mul_(4 / level).sub_(now, alpha=2).sub_(before)
        before, now = now, after
    return now


def product_with(matrix):
    """Map of a vector to its product with a matrix of scipy's in compressed rows, on all cores."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        tensor = torch.sparse_csr_tensor(
            *map(torch.as_tensor, (matrix.indptr, matrix.indices, matrix.data)),
            matrix.shape,
            check_invariants=True,
        )
    return lambda v: tensor @ v
