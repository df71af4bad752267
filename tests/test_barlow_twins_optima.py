"""Barlow Twins' closed forms against training, scipy and canonical correlation analysis."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import KINDS, best_of_scipy, gaussian, graph

from spectral_ssl import closed_form, losses, relations, spectral
from spectral_ssl.linalg import covariance, whiten

WEIGHTS = [0.0, 0.3, 1.0, 3.0]


def views(n=40, d=5, seed=0):
    """Two views of each sample whose directions agree to different degrees."""
    shared = gaussian(n, d, seed=seed)
    noise = torch.linspace(0.2, 2, d)
    mixing = gaussian(d, d, seed=seed + 1)
    return [(shared + noise * gaussian(n, d, seed=seed + s)) @ mixing + 1 for s in (2, 3)]


def stacked(Xa, Xb):
    n = len(Xa)
    return torch.cat([Xa, Xb]), relations.from_pairs(torch.arange(2 * n).reshape(2, n).T, 2 * n)


def whitened(Z, share=None):
    """Whiten the columns of an embedding, where samples count with their shares."""
    share = torch.full((len(Z),), 1 / len(Z), dtype=Z.dtype) if share is None else share
    root = share.sqrt()[:, None]
    return torch.linalg.qr(root * (Z - share @ Z)).Q / root


@pytest.mark.parametrize("redundancy", WEIGHTS)
@pytest.mark.parametrize("n_components", [1, 2, 4])
def test_the_linear_optimum_is_the_least_of_all_whitened_embeddings(redundancy, n_components):
    Xa, Xb = views()
    X, G = stacked(Xa, Xb)
    exact = closed_form.barlow_twins_linear(Xa, Xb, n_components, redundancy=redundancy)

    def loss(W):
        return losses.barlow_twins(whitened(X @ W), G, redundancy=redundancy)

    trained = best_of_scipy(loss, (5, n_components))
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)
    assert losses.barlow_twins(exact.embedding, G, redundancy=redundancy).item() == pytest.approx(
        exact.loss, rel=1e-9, abs=1e-12
    )
    torch.testing.assert_close(covariance(exact.embedding), torch.eye(n_components).double())
    torch.testing.assert_close(exact.transform(X), exact.embedding)


@pytest.mark.parametrize("redundancy", WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_free_optimum_is_the_least_of_all_whitened_embeddings(kind, redundancy):
    G = graph(kind)
    share = G.sum(dim=1) / G.sum()
    exact = closed_form.barlow_twins(G, 3, redundancy=redundancy)

    def loss(Z):
        return losses.barlow_twins(whitened(Z, share), G, redundancy=redundancy)

    trained = best_of_scipy(loss, (10, 3))
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)
    assert loss(exact.embedding).item() == pytest.approx(exact.loss, rel=1e-9, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 500), redundancy=st.floats(0, 3), k=st.integers(1, 5))
def test_the_weight_decides_about_the_axes(seed, redundancy, k):
    Xa, Xb = views(seed=seed)
    X, G = stacked(Xa, Xb)
    exact = closed_form.barlow_twins_linear(Xa, Xb, k, redundancy=redundancy)
    C = exact.embedding.T @ (G @ exact.embedding) / len(X)
    rho = exact.spectrum
    torch.testing.assert_close(torch.linalg.eigvalsh(C).flip(0), rho, atol=1e-9, rtol=1e-9)
    diagonal = rho if redundancy >= 1 else rho.mean().expand(k)
    torch.testing.assert_close(C.diagonal(), diagonal, atol=1e-9, rtol=1e-9)


def test_correlations_are_those_of_scipy_and_of_cca():
    Xa, Xb = views()
    Xa, Xb = torch.cat([Xa, Xb]), torch.cat([Xb, Xa])      # both orders, as the pairs count
    rho = closed_form.barlow_twins_linear(Xa, Xb, 5).spectrum
    A, B = (X - X.mean(dim=0) for X in (Xa, Xb))
    expected = scipy.linalg.eigh((A.T @ B).numpy(), (A.T @ A).numpy(), eigvals_only=True)[::-1]
    np.testing.assert_allclose(rho, expected, atol=1e-10)
    absolute = torch.as_tensor(np.sort(abs(expected))[::-1].copy())
    torch.testing.assert_close(spectral.cca(Xa, Xb, 5).spectrum, absolute)


def test_free_correlations_are_eigenvalues_of_the_normalised_adjacency():
    G = graph("irregular")
    rho = closed_form.barlow_twins(G, 9).spectrum
    expected = torch.linalg.eigvalsh(relations.normalized_adjacency(G)).flip(0)[1:]
    torch.testing.assert_close(rho, expected)


def test_all_columns_reached_freely_and_linearly_are_the_same():
    G = relations.from_pairs(torch.arange(12).reshape(2, 6).T, 12)
    X = torch.eye(12).double()
    linear = closed_form.barlow_twins_linear(X[:6], X[6:], 8, redundancy=0.4)
    free = closed_form.barlow_twins(G, 8, redundancy=0.4)
    assert linear.loss == pytest.approx(free.loss, abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_the_unscaled_optimum_is_the_minimum_that_scipy_finds(seed):
    Xa, Xb = gaussian(30, 6, seed=seed), gaussian(30, 6, seed=seed + 50)
    Xb[:, :3] = 0.8 * Xa[:, :3] + 0.3 * Xb[:, :3]
    X, G = stacked(Xa, Xb)
    for k in (2, 6):
        exact = closed_form.barlow_twins_unscaled_linear(Xa, Xb, k)
        trained = best_of_scipy(lambda W: losses.barlow_twins(X @ W, G, scaled=False), (6, k))
        assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-9)
        value = losses.barlow_twins(exact.embedding, G, scaled=False).item()
        assert value == pytest.approx(exact.loss, abs=1e-10)
        assert exact.loss == (exact.spectrum <= 0).sum()
    assert exact.loss > 0                               # some directions are anticorrelated


def test_the_unscaled_optimum_has_the_least_norm():
    Xa, Xb = views()
    exact = closed_form.barlow_twins_unscaled_linear(Xa, Xb, 2)
    X, G = stacked(Xa, Xb)
    decay = 1e-5
    trained = best_of_scipy(
        lambda W: losses.barlow_twins(X @ W, G, scaled=False) + decay * (W**2).sum(), (5, 2)
    )
    assert trained / decay == pytest.approx((exact.weights**2).sum().item(), rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 500), k=st.integers(1, 12), extra=st.integers(0, 3),
    redundancy=st.floats(0.01, 1),
)
def test_the_filling_solves_its_convex_program(seed, k, extra, redundancy):
    """Least F(nu) over nu >= 0 whose prices are within the budget K, by scipy's SLSQP."""
    rho = torch.sigmoid(2 * gaussian(k + extra, seed=seed)).sort(descending=True).values
    filling = closed_form.barlow_twins_filling(rho, k, redundancy=redundancy)
    prices = (1 / rho[:k]).numpy()

    def program(nu):
        return k * (1 - nu.mean()) ** 2 + redundancy * ((nu - nu.mean()) ** 2).sum()

    result = scipy.optimize.minimize(
        program, np.full(k, 0.1), method="SLSQP", bounds=[(0, None)] * k,
        constraints={"type": "ineq", "fun": lambda nu: k - prices @ nu},
        options={"ftol": 1e-13, "maxiter": 500},
    )
    nu = filling.agreements.numpy()
    assert program(nu) == pytest.approx(filling.loss, rel=1e-10, abs=1e-12)
    assert prices @ nu == pytest.approx(k)
    assert filling.variances.sum().item() == pytest.approx(k)
    assert filling.loss <= result.fun + 1e-9
    assert result.fun == pytest.approx(filling.loss, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("k", "redundancy"), [(1, 0.1), (2, 0.005), (2, 0.3), (4, 0.05), (5, 1.0)])
def test_the_filling_is_the_minimum_of_the_published_loss(k, redundancy):
    Xa, Xb = views(d=6)
    X, G = stacked(Xa, Xb)
    rho = closed_form.barlow_twins_linear(Xa, Xb, 6).spectrum
    white = whiten(X)(X)                                # the same problem, better conditioned
    filling = closed_form.barlow_twins_filling(rho, k, redundancy=redundancy)
    trained = best_of_scipy(
        lambda W: losses.barlow_twins(white @ W, G, redundancy=redundancy), (6, k), starts=6
    )
    assert trained == pytest.approx(filling.loss, rel=1e-7, abs=1e-10)


def test_the_filling_repeats_one_column_at_the_published_weight():
    filling = closed_form.barlow_twins_filling(torch.tensor([0.8, 0.6, 0.4]).double(), 2)
    assert filling.rank == 1
    torch.testing.assert_close(filling.variances, torch.tensor([2.0, 0]).double())
    threshold = 1 / 28                                  # (1 - .8)(.8 - .6) / (.8 (.8 + .6))
    for factor, rank in ((0.999, 1), (1.001, 2)):
        filling = closed_form.barlow_twins_filling(
            torch.tensor([0.8, 0.6, 0.4]).double(), 2, redundancy=factor * threshold
        )
        assert filling.rank == rank


def test_the_filling_of_perfect_correlations_costs_nothing():
    filling = closed_form.barlow_twins_filling(torch.ones(4).double(), 3)
    assert filling.loss == 0 and filling.rank == 3


def test_float32_views_give_the_same_optimum():
    Xa, Xb = views()
    double = closed_form.barlow_twins_linear(Xa, Xb, 3)
    single = closed_form.barlow_twins_linear(Xa.float(), Xb.float(), 3)
    assert single.embedding.dtype == single.weights.dtype == single.spectrum.dtype == torch.float32
    assert single.loss == pytest.approx(double.loss, rel=1e-3)


def test_identical_views_correlate_perfectly():
    Xa, _ = views()
    exact = closed_form.barlow_twins_linear(Xa, Xa, 3, redundancy=0.1)
    torch.testing.assert_close(exact.spectrum, torch.ones(3).double())
    assert abs(exact.loss) < 1e-10


def test_independent_views_hardly_correlate():
    Xa, Xb = gaussian(20_000, 3), gaussian(20_000, 3, seed=1)
    assert closed_form.barlow_twins_linear(Xa, Xb, 3).spectrum.abs().max() < 0.03


def test_more_dimensions_than_samples_and_repeated_correlations_are_handled():
    Xa, Xb = gaussian(8, 30), gaussian(8, 30, seed=1)
    exact = closed_form.barlow_twins_linear(Xa, Xb, 6, redundancy=0.2)
    torch.testing.assert_close(exact.spectrum, torch.ones(6).double(), atol=1e-8, rtol=0)
    assert whiten(torch.cat([Xa, Xb])).rank == 15


@pytest.mark.gpu
def test_gpu_gives_the_same_optimum():
    Xa, Xb = views()
    here = closed_form.barlow_twins_linear(Xa, Xb, 3, redundancy=0.4)
    there = closed_form.barlow_twins_linear(Xa.cuda(), Xb.cuda(), 3, redundancy=0.4)
    assert there.embedding.is_cuda
    torch.testing.assert_close(there.spectrum.cpu(), here.spectrum)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: closed_form.barlow_twins_linear(a, b[:3], 1), "Xa has 40 rows and Xb has 3"),
        (lambda a, b: closed_form.barlow_twins_linear(a, b[:, :2], 1), "as many dimensions"),
        (lambda a, b: closed_form.barlow_twins_linear(a, b, 6), "rank 5"),
        (lambda a, b: closed_form.barlow_twins_linear(a, b, 1, redundancy=-1), "redundancy"),
        (lambda a, b: closed_form.barlow_twins_linear(a / 0, b, 1), "Xa contains NaN"),
        (lambda a, b: closed_form.barlow_twins_linear(0 * a, 0 * b, 1), "constant"),
        (lambda a, b: closed_form.barlow_twins_unscaled_linear(a, b, 6), "5 columns"),
        (lambda a, b: closed_form.barlow_twins(torch.ones(3, 3), 3), "between 1 and 2"),
        (lambda a, b: closed_form.barlow_twins_filling(a, 2), "a vector"),
        (lambda a, b: closed_form.barlow_twins_filling(torch.tensor([0.1, 0.9]), 2), "descend"),
        (lambda a, b: closed_form.barlow_twins_filling(torch.tensor([-0.1]), 2), "one positive"),
        (
            lambda a, b: closed_form.barlow_twins_filling(torch.tensor([0.9]), 99, redundancy=0.5),
            "only 1 correlations are positive",
        ),
        (
            lambda a, b: closed_form.barlow_twins_filling(torch.tensor([0.9]), 1, redundancy=2),
            "above 1",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*views())
