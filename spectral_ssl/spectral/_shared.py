"""Serves the classical methods: centred Gram matrices and affine extensions."""

from functools import partial

import torch

from spectral_ssl._validation import check_integer, check_symmetric
from spectral_ssl.linalg import center, rank_tolerance
from spectral_ssl.solution import Solution


def centered_gram(gram, name="gram"):
    """Check a Gram matrix and return :math:`HKH` in float64."""
    gram = check_symmetric(gram, name)
    return center(center(gram).T)


def gram_eigenpairs(gram, rtol, name="gram", *, centered=True):
    """Eigenpairs of a Gram matrix above ``rtol`` of the largest, in descending order.

    ``rtol`` is raised to what rounding in the dtype of ``gram`` leaves undetermined.
    """
    matrix = centered_gram(gram, name) if centered else check_symmetric(gram, name)
    eigenvalues, eigenvectors = torch.linalg.eigh(matrix)
    eigenvalues, eigenvectors = eigenvalues.flip(0), eigenvectors.flip(1)
    # The eigenvalues of a Gram matrix carry the rounding of its largest entries.
    rounding = rank_tolerance(gram, 0.0) ** 0.5 * abs(gram).max().item()
    if eigenvalues[-1] < -10 * rounding - 1e-8 * eigenvalues[0]:
        state = " when centred" if centered else ""
        raise ValueError(
            f"{name} has the negative eigenvalue {eigenvalues[-1].item():.3g}{state}, so "
            "it is not a matrix of inner products; use a positive semi-definite kernel"
        )
    if not eigenvalues[0] > rounding:
        fault = "constant: its centred version is zero" if centered else "zero"
        raise ValueError(f"{name} is {fault}")
    keep = (eigenvalues > rtol * eigenvalues[0]) & (eigenvalues > rounding)
    return eigenvalues[keep], eigenvectors[:, keep]


def check_components(n_components, rank, name, *, centered=True):
    """A number of components that does not exceed the rank of the data."""
    data = f"the centred {name}" if centered else name
    check_integer(n_components, "n_components", at_most=rank, reason=f"{data} has rank {rank}")


def affine_solution(inputs, weights, *, offset, loss, spectrum, dtype):
    """The solution whose embedding of ``inputs``, and of new rows, is affine in them."""
    return Solution(
        embedding=(inputs @ weights + offset).to(dtype),
        loss=loss,
        spectrum=spectrum.to(dtype),
        weights=weights.to(dtype),
        extend=partial(affine, weights=weights, offset=offset),
    )


def gram_solution(gram, coefficients, *, loss, spectrum):
    """The solution :math:`HKH\\alpha`, an affine function of rows of an uncentred Gram matrix."""
    weights = center(coefficients)
    inputs = gram.double()
    return affine_solution(
        inputs,
        weights,
        offset=-inputs.mean(dim=0) @ weights,
        loss=loss,
        spectrum=spectrum,
        dtype=gram.dtype,
    )


def affine(X, weights, offset):
    """An affine map of the rows of ``X``."""
    return X @ weights + offset
