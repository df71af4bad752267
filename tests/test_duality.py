"""Both sides of the duality against the definition, with autograd as the referee."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_ssl import duality
from spectral_ssl.duality import _ByColumns, _ByRows, column_products


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def definition(A, B):
    C = A.T @ B
    return C.diagonal(), (C**2).sum() - (C.diagonal() ** 2).sum()


def outcome(products, A, B, seed):
    """Values, and the gradient of a random combination of them."""
    diagonal, off_diagonal = products(A, B)
    combination = diagonal @ gaussian(len(diagonal), seed=seed) + 0.3 * off_diagonal
    inputs = [A] if A is B else [A, B]
    return diagonal, off_diagonal, *torch.autograd.grad(combination, inputs)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 30), k=st.integers(1, 30), same=st.booleans(), seed=st.integers(0, 99))
def test_each_side_is_the_definition(n, k, same, seed):
    A = gaussian(n, k, seed=seed).requires_grad_()
    B = A if same else gaussian(n, k, seed=seed + 1).requires_grad_()
    expected = outcome(definition, A, B, seed)
    for side in (_ByRows, _ByColumns):
        found = outcome(lambda A, B: side.apply(A, B, A is B), A, B, seed)
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-9)
    torch.testing.assert_close(outcome(column_products, A, B, seed), expected, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize(
    ("n", "k", "same", "side"),
    [(10, 10, True, "_ByRows"), (11, 10, True, "_ByColumns"),
     (9, 12, False, "_ByRows"), (10, 12, False, "_ByColumns")],
)
def test_the_side_with_fewer_multiplications_is_taken(n, k, same, side, monkeypatch):
    taken = []
    for name in ("_ByRows", "_ByColumns"):
        function = getattr(duality, name)
        monkeypatch.setattr(
            function, "apply", lambda *a, name=name, apply=function.apply: taken.append(name) or apply(*a)
        )
    A = gaussian(n, k)
    column_products(A, A if same else gaussian(n, k, seed=1))
    assert taken == [side]


@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
@pytest.mark.parametrize("same", [False, True])
def test_first_and_second_derivatives(shape, same):
    A, B = gaussian(*shape).requires_grad_(), gaussian(*shape, seed=1).requires_grad_()
    products = (lambda A: column_products(A, A)) if same else column_products
    inputs = (A,) if same else (A, B)
    assert torch.autograd.gradcheck(products, inputs)
    assert torch.autograd.gradgradcheck(products, inputs)
