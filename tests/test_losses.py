"""VICReg's graph form against its definition."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_ssl import losses, relations

WEIGHTS = st.floats(0, 10)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_relation(n, seed=0):
    weights = gaussian(n, n, seed=seed).abs()
    return weights + weights.T


def definition(Z, G, gamma, alpha, beta, hinge):
    """The loss by explicit loops in numpy."""
    Z, G = Z.numpy(), G.numpy()
    C = np.cov(Z, rowvar=False, bias=True).reshape(Z.shape[1], -1)
    value = 0.0
    for k in range(len(C)):
        value += alpha * (max(0, 1 - C[k, k] ** 0.5) if hinge else (1 - C[k, k]) ** 2)
        value += beta * sum(C[k, m] ** 2 for m in range(len(C)) if m != k)
    for i in range(len(Z)):
        for j in range(len(Z)):
            value += gamma / len(Z) * G[i, j] * ((Z[i] - Z[j]) ** 2).sum()
    return value


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 10), k=st.integers(1, 4), seed=st.integers(0, 100),
    gamma=WEIGHTS, alpha=WEIGHTS, beta=WEIGHTS, hinge=st.booleans(),
)
def test_vicreg_is_its_definition(n, k, seed, gamma, alpha, beta, hinge):
    Z, G = gaussian(n, k, seed=seed), random_relation(n, seed)
    for relation in (G, G.to_sparse_coo()):
        value = losses.vicreg(
            Z, relation, invariance=gamma, variance=alpha, covariance=beta, hinge=hinge
        )
        assert value.item() == pytest.approx(definition(Z, G, gamma, alpha, beta, hinge))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("hinge", [False, True])
def test_vicreg_gradient(hinge, sparse):
    G = random_relation(6)
    G = G.to_sparse_coo() if sparse else G
    Z = 0.5 * gaussian(6, 3)
    assert torch.autograd.gradcheck(
        lambda Z: losses.vicreg(Z, G, hinge=hinge), Z.requires_grad_()
    )


def test_vicreg_does_not_notice_shift_and_rotation():
    Z, G = gaussian(10, 3), random_relation(10)
    rotation = torch.linalg.qr(gaussian(3, 3, seed=1)).Q
    moved = Z @ rotation + torch.tensor([1.0, -2.0, 3.0])
    torch.testing.assert_close(losses.vicreg(moved, G), losses.vicreg(Z, G))


def test_vicreg_hinge_notices_rotation():
    Z = gaussian(10, 2) * torch.tensor([0.1, 1.5])
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]]).double() / 2**0.5
    G = random_relation(10)
    values = [losses.vicreg(Y, G, hinge=True, invariance=0).item() for Y in (Z, Z @ turn)]
    assert abs(values[0] - values[1]) > 0.01


@pytest.mark.parametrize("hinge", [False, True])
def test_collapsed_embedding_has_a_finite_gradient(hinge):
    Z = torch.ones(5, 2, dtype=torch.float64, requires_grad=True)
    losses.vicreg(Z, relations.from_labels([0, 0, 1, 1, 1]), hinge=hinge).backward()
    assert torch.isfinite(Z.grad).all()


def test_vicreg_keeps_dtype_of_the_embedding():
    Z, G = gaussian(6, 2).float(), random_relation(6)
    assert losses.vicreg(Z, G).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"invariance": -1}, "invariance must be a finite non-negative"),
        ({"variance": float("nan")}, "variance must be a finite"),
        ({"covariance": float("inf")}, "covariance must be a finite"),
        ({"Z": gaussian(4)}, "Z must be a dense matrix"),
        ({"Z": gaussian(4, 2) * torch.nan}, "Z contains NaN"),
        ({"Z": gaussian(5, 2)}, "G relates 4 samples but there are 5"),
        ({"G": torch.triu(random_relation(4))}, "not symmetric"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"Z": gaussian(4, 2), "G": random_relation(4)} | change
    Z, G = arguments.pop("Z"), arguments.pop("G")
    with pytest.raises(ValueError, match=message):
        losses.vicreg(Z, G, **arguments)
