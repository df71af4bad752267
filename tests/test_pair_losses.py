"""The published two-view losses against popular libraries and against the graph form."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import lightly_losses
from pytorch_metric_learning.losses import VICRegLoss

from spectral_ssl import losses, pair_losses, relations

LIGHTLY = lightly_losses()
needs_lightly = pytest.mark.skipif(LIGHTLY is None, reason="needs lightly")
DTYPES = st.sampled_from([torch.float32, torch.float64])


def batches(n, k, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    shared, *noise = (torch.randn(n, k, generator=generator, dtype=dtype) for _ in range(3))
    return [(0.7 * shared + 0.4 * one).requires_grad_() for one in noise]


def value_and_gradients(loss, *Z):
    value = loss(*Z)
    return [value.detach(), *torch.autograd.grad(value, Z)]


def assert_same(ours, peer, *Z, precision=1e-6):
    """Value and gradients agree, or in float32 are as close to the float64 peer as the peer."""
    truth = value_and_gradients(peer, *(one.detach().double().requires_grad_() for one in Z))
    theirs = value_and_gradients(peer, *Z)
    for mine, other, true in zip(value_and_gradients(ours, *Z), theirs, truth):
        assert mine.dtype == Z[0].dtype
        rounding = 2 * (other - true).abs().max()
        assert (mine - true).abs().max() <= precision * true.abs().max().clamp(min=1) + rounding


SIZES = {"n": st.integers(2, 40), "k": st.integers(1, 90), "seed": st.integers(0, 1000)}


@settings(max_examples=40, deadline=None)
@given(weights=st.tuples(*[st.floats(0, 50)] * 3), dtype=DTYPES, **SIZES)
def test_vicreg_is_the_loss_of_pytorch_metric_learning(n, k, seed, weights, dtype):
    peer = VICRegLoss(*weights)
    options = dict(zip(("invariance", "variance", "covariance"), weights))
    assert_same(
        lambda a, b: pair_losses.vicreg(a, b, **options),
        lambda a, b: peer(a, ref_emb=b),
        *batches(n, k, seed, dtype),
    )


@needs_lightly
@settings(max_examples=40, deadline=None)
@given(dtype=DTYPES, **SIZES)
def test_vicreg_is_the_loss_of_lightly(n, k, seed, dtype):
    assert_same(pair_losses.vicreg, LIGHTLY.VICRegLoss(), *batches(n, k, seed, dtype))


@needs_lightly
@settings(max_examples=40, deadline=None)
@given(redundancy=st.floats(0, 2), dtype=DTYPES, **SIZES)
def test_barlow_twins_is_the_loss_of_lightly(n, k, seed, redundancy, dtype):
    assert_same(
        lambda a, b: pair_losses.barlow_twins(a, b, redundancy=redundancy),
        LIGHTLY.BarlowTwinsLoss(redundancy),
        *batches(n, k, seed, dtype),
    )


@needs_lightly
@settings(max_examples=40, deadline=None)
@given(temperature=st.floats(0.01, 100), dtype=DTYPES, **SIZES)
def test_nt_xent_is_the_loss_of_lightly(n, k, seed, temperature, dtype):
    assert_same(
        lambda a, b: pair_losses.nt_xent(a, b, temperature=temperature),
        LIGHTLY.NTXentLoss(temperature),
        *batches(n, k, seed, dtype),
        precision=1e-6 / min(1, temperature),       # gradients are sums of terms of size 1 / tau
    )


def by_loops(Za, Zb, temperature):
    """NT-Xent as its formula says it, pair by pair."""
    Z = torch.cat([Za, Zb])
    Z = Z / Z.norm(dim=1, keepdim=True)
    total = 0.0
    for i in range(len(Z)):
        others = [k for k in range(len(Z)) if k != i]
        scores = torch.stack([Z[i] @ Z[k] / temperature for k in others])
        total = total + scores.logsumexp(0) - scores[others.index((i + len(Za)) % len(Z))]
    return total / len(Z)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_nt_xent_is_its_formula(temperature):
    assert_same(
        lambda a, b: pair_losses.nt_xent(a, b, temperature=temperature),
        lambda a, b: by_loops(a, b, temperature),
        *batches(4, 3, 0),
        precision=1e-12,
    )


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 20), temperature=st.floats(0.05, 10), seed=st.integers(0, 100))
def test_nt_xent_is_simclr_of_the_pairs(n, temperature, seed):
    Za, Zb = batches(n, 4, seed)
    pairs = relations.from_pairs(torch.arange(2 * n).reshape(2, n).T, 2 * n)
    both = torch.cat([Za, Zb])
    for G in (pairs, pairs.to_dense(), pairs.to_dense() + torch.eye(2 * n)):
        graph_form = losses.simclr(both, G, temperature=temperature)
        assert pair_losses.nt_xent(Za, Zb, temperature=temperature).item() == pytest.approx(
            graph_form.item(), rel=1e-10
        )


@pytest.mark.parametrize("temperature", [0.01, 0.5, 100])
def test_nt_xent_of_identical_rows_is_that_of_a_collapse(temperature):
    Z = torch.ones(8, 3).requires_grad_()
    value, gradient, _ = value_and_gradients(
        lambda a, b: pair_losses.nt_xent(a, b, temperature=temperature), Z, Z * 1.0
    )
    assert value.item() == pytest.approx(math.log(15), rel=1e-5)
    assert gradient.abs().max() < 1e-5


def test_spectral_contrastive_is_an_unbiased_estimate():
    """Its mean over all batches of three sources out of five is the loss of the population."""
    Za, Zb = (Z.detach() for Z in batches(5, 2, 3))
    rows = torch.combinations(torch.arange(5), 3)
    batch_mean = torch.stack([pair_losses.spectral_contrastive(Za[r], Zb[r]) for r in rows]).mean()
    products = Za @ Zb.T
    different = products[~torch.eye(5, dtype=torch.bool)]
    population = -2 * products.diagonal().mean() + (different**2).mean()
    assert batch_mean.item() == pytest.approx(population.item(), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(**SIZES)
def test_spectral_contrastive_is_its_formula(n, k, seed):
    def by_definition(Za, Zb):
        products = Za @ Zb.T
        off_diagonal = products - torch.diag(products.diagonal())
        return (off_diagonal**2).sum() / (n * (n - 1)) - 2 * products.diagonal().mean()

    assert_same(pair_losses.spectral_contrastive, by_definition, *batches(n, k, seed))


def test_nnclr_takes_the_neighbours_that_scikit_learn_finds():
    from sklearn.neighbors import NearestNeighbors

    Za, Zb = batches(12, 3, 0)
    support, _ = (Z.detach() for Z in batches(30, 3, 1))
    unit = [(Z / Z.norm(dim=1, keepdim=True)) for Z in (Za, Zb, support)]
    search = NearestNeighbors(n_neighbors=1).fit(unit[2])
    expected = 0.0
    for one, other in ((0, 1), (1, 0)):
        nearest = search.kneighbors(unit[one].detach(), return_distance=False)[:, 0]
        logits = unit[2][nearest] @ unit[other].T / 0.1
        expected += (logits.logsumexp(dim=1) - logits.diagonal()).mean() / 2
    value = pair_losses.nnclr(Za, Zb, support)
    assert value.item() == pytest.approx(expected.item(), rel=1e-10)
    ours, theirs = (torch.autograd.grad(v, [Za, Zb]) for v in (value, expected))
    torch.testing.assert_close(ours, theirs)


def test_nnclr_of_a_support_set_that_holds_the_other_view_is_a_cross_entropy():
    Za, Zb = batches(6, 4, 2)
    unit = [Z / Z.norm(dim=1, keepdim=True) for Z in (Za, Zb)]
    logits = unit[0] @ unit[0].T / 0.1
    value = pair_losses.nnclr(Za, Za, Za)
    expected = (logits.logsumexp(dim=1) - logits.diagonal()).mean()
    assert value.item() == pytest.approx(expected.item())


def test_defaults_are_the_published_ones():
    Za, Zb = batches(16, 5, 0)
    assert torch.allclose(pair_losses.vicreg(Za, Zb), VICRegLoss()(Za, ref_emb=Zb))
    for name, options in (
        ("barlow_twins", {"redundancy": 0.005}), ("nt_xent", {"temperature": 0.5}),
    ):
        loss = getattr(pair_losses, name)
        assert loss(Za, Zb).item() == loss(Za, Zb, **options).item()


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


def test_barlow_twins_of_views_in_both_orders_is_the_graph_form():
    Za, Zb = batches(30, 4, 0)
    Za, Zb = torch.cat([Za, Zb]), torch.cat([Zb, Za])
    pairs = relations.from_pairs(torch.arange(60).reshape(2, 30).T, 60)
    graph = losses.barlow_twins(Za, pairs, redundancy=0.3)
    published = pair_losses.barlow_twins(Za, Zb, redundancy=0.3)
    assert published.item() == pytest.approx(graph.item(), rel=1e-3)   # the published epsilon


TWO_VIEWS = ("vicreg", "barlow_twins", "nt_xent", "spectral_contrastive")


@pytest.mark.parametrize("name", TWO_VIEWS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(name, dtype):
    loss = getattr(pair_losses, name)
    half = [Z.detach().to(dtype).requires_grad_() for Z in batches(8, 20, 0)]
    single = [Z.detach().float().requires_grad_() for Z in half]
    value = loss(*half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(*single).item(), rel=1e-6)
    value.backward()
    assert half[0].grad.dtype == dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert loss(*single).item() == pytest.approx(value.item(), rel=1e-6)


@pytest.mark.parametrize("name", ("vicreg", "barlow_twins"))
def test_constant_columns_have_finite_gradients(name):
    Za, Zb = batches(8, 3, 0)
    Za, Zb = (torch.cat([Z, torch.ones(8, 1)], dim=1) for Z in (Za, Zb))
    for one in value_and_gradients(getattr(pair_losses, name), Za, Zb):
        assert torch.isfinite(one).all()


@pytest.mark.gpu
@pytest.mark.parametrize("name", TWO_VIEWS)
def test_gpu_gives_the_same(name):
    loss = getattr(pair_losses, name)
    Z = batches(20, 60, 0)
    there = [one.detach().cuda().requires_grad_() for one in Z]
    for mine, other in zip(value_and_gradients(loss, *there), value_and_gradients(loss, *Z)):
        torch.testing.assert_close(mine.cpu(), other)


@pytest.mark.parametrize("name", TWO_VIEWS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda Z: (Z, Z[:3]), "Za has 5 rows and Zb has 3"),
        (lambda Z: (Z, Z[:, :1]), "as many dimensions"),
        (lambda Z: (Z, Z / 0), "Zb contains NaN"),
        (lambda Z: (Z[:1], Z[:1]), "at least 2"),
    ],
)
def test_bad_batches_are_refused(name, change, message):
    with pytest.raises(ValueError, match=message):
        getattr(pair_losses, name)(*change(torch.randn(5, 2, dtype=torch.float64)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda Z: pair_losses.vicreg(Z, Z, variance=-1), "variance"),
        (lambda Z: pair_losses.barlow_twins(Z, Z, redundancy=-1), "redundancy"),
        (lambda Z: pair_losses.nt_xent(Z, Z, temperature=0), "temperature must be .* positive"),
        (lambda Z: pair_losses.nt_xent(Z, 0 * Z), "Zb has 5 zero row"),
        (lambda Z: pair_losses.nnclr(Z, Z, Z[:, :1]), "support has 1 columns and Za has 2"),
        (lambda Z: pair_losses.nnclr(Z, Z, 0 * Z), "support has 5 zero row"),
    ],
)
def test_bad_options_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.randn(5, 2, dtype=torch.float64))
