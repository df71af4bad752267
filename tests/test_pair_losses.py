"""The published two-view losses against a popular library and against the graph form."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import VICRegLoss

from spectral_ssl import losses, pair_losses, relations


def batches(n, k, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    shared, *noise = (torch.randn(n, k, generator=generator, dtype=dtype) for _ in range(3))
    return [(0.7 * shared + 0.4 * one).requires_grad_() for one in noise]


def value_and_gradients(loss, *Z):
    value = loss(*Z)
    return [value.detach(), *torch.autograd.grad(value, Z)]


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 40), k=st.integers(1, 20), seed=st.integers(0, 1000),
    weights=st.tuples(*[st.floats(0, 50)] * 3), dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_vicreg_is_the_published_loss(n, k, seed, weights, dtype):
    Za, Zb = batches(n, k, seed, dtype)
    peer = VICRegLoss(*weights)
    names = ("invariance", "variance", "covariance")
    ours = value_and_gradients(
        lambda a, b: pair_losses.vicreg(a, b, **dict(zip(names, weights))), Za, Zb
    )
    theirs = value_and_gradients(lambda a, b: peer(a, ref_emb=b), Za, Zb)
    precision = 1e-6 if dtype == torch.float64 else 1e-4
    for mine, other in zip(ours, theirs):
        scale = other.abs().max().clamp(min=1)
        assert (mine - other).abs().max() < precision * scale


def test_vicregs_defaults_are_the_published_weights():
    Za, Zb = batches(16, 5, 0)
    assert torch.allclose(pair_losses.vicreg(Za, Zb), VICRegLoss()(Za, ref_emb=Zb))


def test_vicreg_tends_to_the_graph_form_with_the_stated_weights():
    Za, Zb = (Z.detach() for Z in batches(200_000, 4, 0))
    Zb[:, 1] += 0.2 * Zb[:, 0]
    Za[:, 1] += 0.2 * Za[:, 0]
    both = torch.stack([Za, Zb], dim=1).reshape(-1, 4)
    n = len(Za)
    pairs = torch.arange(2 * n).reshape(n, 2)
    G = relations.from_pairs(pairs, 2 * n) / 2          # the view graph without its diagonal
    graph = losses.vicreg(
        both, G, invariance=50.0, variance=25.0, covariance=2.0, hinge=True
    )
    assert pair_losses.vicreg(Za, Zb).item() == pytest.approx(graph.item() / 4, rel=2e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda Z: pair_losses.vicreg(Z, Z[:3]), "Za has 5 rows and Zb has 3"),
        (lambda Z: pair_losses.vicreg(Z, Z[:, :1]), "as many dimensions"),
        (lambda Z: pair_losses.vicreg(Z, Z / 0), "Zb contains NaN"),
        (lambda Z: pair_losses.vicreg(Z, Z, variance=-1), "variance"),
        (lambda Z: pair_losses.vicreg(Z[:1], Z[:1]), "at least 2"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.randn(5, 2, dtype=torch.float64))
