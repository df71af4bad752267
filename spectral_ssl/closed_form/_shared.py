"""Serves the closed forms: an optimum made from a classical solution."""

from dataclasses import replace
from functools import partial


def mapped(solution, matrix, **changes):
    """The solution with its embedding multiplied by a matrix from the right."""
    dtype, weights, before = solution.embedding.dtype, solution.weights, solution.extend
    return replace(
        solution,
        embedding=(solution.embedding.double() @ matrix).to(dtype),
        weights=None if weights is None else (weights.double() @ matrix).to(dtype),
        extend=None if weights is None else partial(_extend, before=before, matrix=matrix),
        **changes,
    )


def _extend(X, before, matrix):
    return before(X) @ matrix
