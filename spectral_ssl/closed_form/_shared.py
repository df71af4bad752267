"""Serves the closed forms: an optimum made from a classical solution."""

from dataclasses import replace
from functools import partial


def mapped(solution, matrix, **changes):
    """The solution with its embedding multiplied by a matrix from the right."""

    def times_matrix(values):
        return None if values is None else (values.double() @ matrix).to(values.dtype)

    return replace(
        solution,
        embedding=times_matrix(solution.embedding),
        weights=times_matrix(solution.weights),
        extend=partial(_extend, before=solution.extend, matrix=matrix),
        **changes,
    )


def _extend(X, before, matrix):
    return before(X) @ matrix
