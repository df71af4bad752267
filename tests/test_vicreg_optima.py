"""VICReg's closed forms against independent optimisers and other libraries."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import KINDS, best_of_scipy, gaussian, graph
from sklearn.manifold import spectral_embedding

from spectral_ssl import closed_form, losses, metrics, relations
from spectral_ssl.linalg import center, covariance


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("n_components", [1, 3, 9])
def test_vicreg_reaches_the_minimum_that_scipy_finds(kind, gamma, n_components):
    G = graph(kind)
    exact = closed_form.vicreg(G, n_components, invariance=gamma)
    trained = best_of_scipy(
        lambda Z: losses.vicreg(Z, G, invariance=gamma), (10, n_components)
    )
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [(1, 2), (2, 1), (3, 0.1)])
@pytest.mark.parametrize(("gamma", "n_components"), [(0.3, 1), (0.3, 3), (1.0, 9), (30.0, 3)])
def test_unequal_weights_reach_the_minimum_that_scipy_finds(kind, weights, gamma, n_components):
    G = graph(kind)
    options = {"invariance": gamma, "variance": weights[0], "covariance": weights[1]}
    exact = closed_form.vicreg(G, n_components, **options)
    trained = best_of_scipy(lambda Z: losses.vicreg(Z, G, **options), (10, n_components))
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_training_reaches_the_minimum_at_the_transition(kind):
    """The weight at which the second of three eigenvectors is about to be lost."""
    G = graph(kind)
    gamma = 1 / closed_form.vicreg(G, 3).spectrum[1].item()
    exact = closed_form.vicreg(G, 3, invariance=gamma)
    trained = best_of_scipy(lambda Z: losses.vicreg(Z, G, invariance=gamma), (10, 3))
    assert trained == pytest.approx(exact.loss, rel=1e-8)


HINGE_PRECISION = 1e-3


def hinge_of_scipy(embed, shape, G, *, variance, **weights):
    """Least hinge loss that scipy's SLSQP finds from two starts.

    The kinks become constraints: the least sum of slacks ``t >= 0`` with ``std + t >= 1``. Along
    these curved constraints it closes in slowly, so 1e-3 is the precision asked for.
    """
    n_parameters, n_columns = np.prod(shape), shape[1]

    def split(x):
        x = torch.tensor(x, requires_grad=True)
        return x, embed(x[:n_parameters].reshape(shape)), x[n_parameters:]

    def value_and_gradient(x):
        x, Z, slacks = split(x)
        value = losses.vicreg(Z, G, variance=0.0, **weights) + variance * slacks.sum()
        return value.item(), torch.autograd.grad(value, x)[0].numpy()

    def excess(x):
        _, Z, slacks = split(x)
        return (covariance(Z).diagonal().sqrt() + slacks - 1).detach().numpy()

    def excess_gradient(x):
        x, Z, slacks = split(x)
        rows = covariance(Z).diagonal().sqrt() + slacks
        return np.stack([torch.autograd.grad(r, x, retain_graph=True)[0].numpy() for r in rows])

    runs = [
        scipy.optimize.minimize(
            value_and_gradient,
            np.concatenate([gaussian(*shape, seed=seed).numpy().ravel(), np.ones(n_columns)]),
            jac=True, method="SLSQP", options={"ftol": 1e-12, "maxiter": 500},
            bounds=[(None, None)] * n_parameters + [(0, None)] * n_columns,
            constraints={"type": "ineq", "fun": excess, "jac": excess_gradient},
        )
        for seed in range(2)
    ]
    P = torch.tensor(min(runs, key=lambda run: run.fun).x[:n_parameters].reshape(shape))
    return losses.vicreg(embed(P), G, hinge=True, variance=variance, **weights).item()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.02, 0.125])
@pytest.mark.parametrize(("gamma", "n_components"), [(0.0, 3), (0.05, 5), (0.1, 3), (2.0, 2)])
def test_the_hinge_optimum_is_the_minimum_that_scipy_finds(kind, ratio, gamma, n_components):
    G = graph(kind)
    weights = {"invariance": gamma, "variance": 2.0, "covariance": 2.0 * ratio}
    exact = closed_form.vicreg(G, n_components, hinge=True, **weights)
    trained = hinge_of_scipy(lambda Z: Z, (10, n_components), G, **weights)
    assert trained == pytest.approx(exact.loss, rel=HINGE_PRECISION, abs=1e-8)


def linear_weights(gamma):
    return [
        {"invariance": gamma, "variance": 2.0},
        {"invariance": gamma, "covariance": 2.0},
        {"invariance": gamma, "covariance": 0.1, "hinge": True},
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", linear_weights(0.3))
def test_all_weights_reach_their_linear_and_kernel_minimum(kind, weights):
    X, G = gaussian(10, 4, seed=3), graph(kind)
    linear = closed_form.vicreg_linear(X, G, 2, **weights)
    kernel = closed_form.vicreg_kernel(X @ X.T, G, 2, **weights)
    assert kernel.loss == pytest.approx(linear.loss)
    if "hinge" in weights:
        others = {name: value for name, value in weights.items() if name != "hinge"}
        trained = hinge_of_scipy(lambda W: X @ W, (4, 2), G, variance=1.0, **others)
        assert trained == pytest.approx(linear.loss, rel=HINGE_PRECISION)
    else:
        trained = best_of_scipy(lambda W: losses.vicreg(X @ W, G, **weights), (4, 2))
        assert trained == pytest.approx(linear.loss, rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000), k=st.integers(1, 9), gamma=st.floats(0, 10),
    alpha=st.floats(0.1, 10), beta=st.floats(0.1, 10),
)
def test_variances_solve_the_quadratic_program(seed, k, gamma, alpha, beta):
    exact = closed_form.vicreg(
        graph("weighted", seed), k, invariance=gamma, variance=alpha, covariance=beta
    )
    lam = exact.spectrum.numpy()
    p = np.linalg.svd(exact.embedding.numpy(), compute_uv=False) ** 2 / 10

    def program(p):
        spread = alpha * (1 - p) ** 2 if alpha <= beta else (
            beta * p**2 + (alpha - beta) / k * p.sum() * p - 2 * alpha * p + alpha
        )
        return (spread + 2 * gamma * lam * p).sum()

    result = scipy.optimize.minimize(
        program, np.full(k, 0.5), bounds=[(0, None)] * k, method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    assert program(p) == pytest.approx(exact.loss, rel=1e-10, abs=1e-10)
    assert exact.loss <= result.fun + 1e-8 * abs(result.fun) + 1e-12
    assert result.fun == pytest.approx(exact.loss, rel=1e-5, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS), seed=st.integers(0, 50), n_components=st.integers(1, 9),
    gamma=st.floats(0, 100), weight=st.floats(0.01, 100), ratio=st.floats(0.1, 10),
)
def test_vicreg_loss_is_the_loss_of_its_embedding_and_stationary(
    kind, seed, n_components, gamma, weight, ratio
):
    G = graph(kind, seed)
    weights = {"invariance": gamma, "variance": weight, "covariance": weight * ratio}
    exact = closed_form.vicreg(G, n_components, **weights)
    Z = exact.embedding.clone().requires_grad_()
    value = losses.vicreg(Z, G, **weights)
    value.backward()
    scale = weight + gamma
    assert value.item() == pytest.approx(exact.loss, rel=1e-9, abs=1e-9 * scale)
    assert Z.grad.abs().max() < 1e-9 * scale
    assert exact.embedding.mean(dim=0).abs().max() < 1e-9


@pytest.mark.parametrize("factor", [0.999999, 1.0, 1.000001])
def test_vicreg_at_the_transition(factor):
    views = relations.from_views(4, 3)
    exact = closed_form.vicreg(views, 5, invariance=factor)
    variances = torch.linalg.eigvalsh(covariance(exact.embedding))
    expected = torch.tensor([max(0.0, 1 - factor)] * 2 + [1.0] * 3, dtype=torch.float64)
    torch.testing.assert_close(variances, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("critical", "weights"),
    [
        (1.0, {}),
        (2.0, {"variance": 2.0, "covariance": 4.0}),
        (2.0 * 5 / 8, {"variance": 2.0}),
        (0.1 * 5 / 3, {"covariance": 0.1, "hinge": True}),
    ],
)
@pytest.mark.parametrize("below", [0.0, 1e-14])
def test_a_variance_below_rounding_is_zero(critical, weights, below):
    views = relations.from_views(4, 3)
    exact = closed_form.vicreg(views, 5, invariance=critical * (1 - below), **weights)
    kept = torch.linalg.svdvals(exact.embedding)
    assert kept[2] > 1 and kept[3:].max() < 1e-13
    larger = closed_form.vicreg(views, 5, invariance=critical * (1 - 1e-9), **weights)
    assert torch.linalg.svdvals(larger.embedding)[3:].min() > 1e-5


def test_unrelated_directions_of_linear_embeddings_are_zero_at_the_transition():
    X, G = gaussian(200, 20), relations.from_labels(torch.arange(200) % 4)
    exact = closed_form.vicreg_linear(X, G, 20)
    assert (exact.embedding.abs().amax(dim=0) > 0).sum() == 3
    assert (exact.weights.abs().amax(dim=0) > 0).sum() == 3


@pytest.mark.parametrize("kind", ["weighted", "irregular", "regular"])
def test_small_gamma_gives_the_laplacian_eigenmaps_of_scikit_learn(kind):
    G = graph(kind, n=30)
    theirs = spectral_embedding(
        G.numpy(), n_components=4, norm_laplacian=False, random_state=0
    )
    ours = closed_form.vicreg(G, 4, invariance=1e-6).embedding
    assert metrics.principal_angles(ours, center(torch.as_tensor(theirs)))[0] < 1e-6


def test_spectrum_agrees_with_scipy_on_a_disconnected_graph():
    G = graph("disconnected")
    expected = scipy.linalg.eigvalsh(relations.laplacian(G).numpy())[1:6]
    torch.testing.assert_close(
        closed_form.vicreg(G, 5).spectrum, torch.as_tensor(expected), atol=1e-12, rtol=1e-10
    )


def test_sparse_and_float32_relations_give_the_same_optimum():
    G = relations.nearest_neighbors(gaussian(40, 3), 5)
    dense = closed_form.vicreg(G.to_dense(), 4)
    sparse = closed_form.vicreg(G, 4)
    single = closed_form.vicreg(G.float(), 4)
    assert sparse.loss == pytest.approx(dense.loss, rel=1e-12)
    assert single.embedding.dtype == torch.float32 and single.spectrum.dtype == torch.float32
    assert single.loss == pytest.approx(dense.loss, rel=1e-6)
    gram = [s.embedding.double() @ s.embedding.double().T for s in (dense, sparse, single)]
    assert (gram[1] - gram[0]).norm() < 1e-9 * gram[0].norm()
    assert (gram[2] - gram[0]).norm() < 1e-4 * gram[0].norm()


def test_large_sparse_relation_agrees_with_dense():
    G = relations.nearest_neighbors(gaussian(2200, 2), 8)
    assert closed_form.vicreg(G, 3).loss == pytest.approx(
        closed_form.vicreg(G.to_dense(), 3).loss, rel=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_vicreg_linear_reaches_the_minimum_that_scipy_finds(kind, gamma):
    X, G = gaussian(10, 4, seed=3), graph(kind)
    exact = closed_form.vicreg_linear(X, G, 2, invariance=gamma)
    trained = best_of_scipy(
        lambda W: losses.vicreg(X @ W, G, invariance=gamma), (4, 2)
    )
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)
    assert losses.vicreg(exact.embedding, G, invariance=gamma).item() == pytest.approx(
        exact.loss, rel=1e-9, abs=1e-12
    )


def test_vicreg_linear_solves_the_generalised_problem_of_lpp():
    X, G = gaussian(30, 5, seed=1), graph("irregular", n=30)
    Xc = center(X)
    numerator, denominator = Xc.T @ relations.laplacian(G) @ Xc, Xc.T @ Xc
    expected = scipy.linalg.eigh(numerator.numpy(), denominator.numpy(), eigvals_only=True)
    exact = closed_form.vicreg_linear(X, G, 5, invariance=0.01)
    torch.testing.assert_close(exact.spectrum, torch.as_tensor(expected))


def test_vicreg_linear_with_full_rank_inputs_is_the_free_optimum():
    G = graph("weighted")
    free = closed_form.vicreg(G, 4, invariance=0.5)
    linear = closed_form.vicreg_linear(torch.eye(10).double(), G, 4, invariance=0.5)
    assert linear.loss == pytest.approx(free.loss, rel=1e-12)


def test_vicreg_linear_ignores_redundant_columns():
    X, G = gaussian(20, 3), graph("weighted", n=20)
    redundant = torch.cat([X, X @ gaussian(3, 3, seed=1), torch.ones(20, 1)], dim=1)
    plain = closed_form.vicreg_linear(X, G, 2)
    exact = closed_form.vicreg_linear(redundant, G, 2)
    assert exact.loss == pytest.approx(plain.loss, rel=1e-10)
    single = closed_form.vicreg_linear(redundant.float(), G, 2)
    assert single.weights.dtype == torch.float32
    assert single.loss == pytest.approx(plain.loss, rel=1e-4)
    with pytest.raises(ValueError, match="rank 3"):
        closed_form.vicreg_linear(redundant, G, 4)


def test_transform_embeds_new_samples():
    X, G = gaussian(20, 3), graph("weighted", n=20)
    exact = closed_form.vicreg_linear(X, G, 2)
    torch.testing.assert_close(exact.transform(X), exact.embedding)
    new = gaussian(1, 3, seed=9)
    expected = (new - X.mean(dim=0)) @ exact.weights
    torch.testing.assert_close(exact.transform(new), expected)
    with pytest.raises(ValueError, match="X has 2 columns but the weights expect 3"):
        exact.transform(gaussian(5, 2))
    with pytest.raises(ValueError, match="give the relations"):
        closed_form.vicreg(G, 2).transform(X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda G: closed_form.vicreg(G, 10), "choose between 1 and 9"),
        (lambda G: closed_form.vicreg(G, 0), "n_components=0"),
        (lambda G: closed_form.vicreg(G, 2, invariance=-1), "invariance"),
        (lambda G: closed_form.vicreg(G, 2, variance=0, covariance=0), "positive"),
        (lambda G: closed_form.vicreg(G, 2, covariance=0), "covariance must be .* positive"),
        (lambda G: closed_form.vicreg(torch.triu(G), 2), "not symmetric"),
        (lambda G: closed_form.vicreg(G[:, :5], 2), "square"),
        (lambda G: closed_form.vicreg_linear(gaussian(9, 2), G, 1), "9"),
        (lambda G: closed_form.vicreg_linear(torch.ones(10, 2), G, 1), "constant"),
        (lambda G: closed_form.vicreg_linear(gaussian(10, 2) / 0, G, 1), "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(graph("weighted"))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS), seed=st.integers(0, 50), k=st.integers(1, 9),
    gamma=st.floats(0, 20), alpha=st.floats(0.1, 10), ratio=st.floats(0.001, 0.125),
)
def test_the_hinge_optimum_satisfies_its_conditions(kind, seed, k, gamma, alpha, ratio):
    weights = {"invariance": gamma, "variance": alpha, "covariance": ratio * alpha}
    G = graph(kind, seed)
    exact = closed_form.vicreg(G, k, hinge=True, **weights)
    value = losses.vicreg(exact.embedding, G, hinge=True, **weights).item()
    assert value == pytest.approx(exact.loss, rel=1e-7, abs=1e-9)
    C = covariance(exact.embedding)
    c = C.diagonal().mean().item()
    assert (C.diagonal() - c).abs().max() < 1e-9
    p = torch.linalg.eigvalsh(C).flip(0).clamp(min=0)
    levels = ratio * alpha * p + gamma * exact.spectrum
    w = levels[p > 1e-9].mean().item()
    assert levels.min() > w - 1e-6 * (1 + w)
    assert (levels[p > 1e-9] - w).abs().max() < 1e-6 * (1 + w)
    slope = ratio * alpha * c + alpha / (4 * c**0.5)
    assert w == pytest.approx(slope, rel=1e-6) if c < 1 - 1e-9 else w <= slope * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), gamma=st.floats(0, 5), ratio=st.floats(0.001, 0.125))
def test_no_embedding_beats_the_hinge_optimum(seed, gamma, ratio):
    G = graph("weighted", seed)
    weights = {"invariance": gamma, "covariance": ratio, "hinge": True}
    exact = closed_form.vicreg(G, 3, **weights)
    for size in (0.01, 0.1, 1.0):
        Z = exact.embedding + size * gaussian(10, 3, seed=seed)
        assert losses.vicreg(Z, G, **weights).item() > exact.loss - 1e-9
    eigenmaps = 10**0.5 * gaussian(10, 3, seed=seed + 1).sign()
    assert losses.vicreg(eigenmaps, G, **weights).item() > exact.loss - 1e-9


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_vicreg_kernel_of_the_linear_kernel_is_vicreg_linear(ratio):
    X, new, G = gaussian(20, 4) + 2, gaussian(5, 4, seed=1), graph("weighted", n=20)
    options = {"invariance": 0.3, "covariance": ratio}
    linear = closed_form.vicreg_linear(X, G, 3, **options)
    kernel = closed_form.vicreg_kernel(X @ X.T, G, 3, **options)
    assert kernel.loss == pytest.approx(linear.loss)
    both = [torch.cat([s.embedding, s.transform(x)]) for s, x in
            ((linear, new), (kernel, new @ X.T))]
    assert torch.allclose(both[0] @ both[0].T, both[1] @ both[1].T)


@pytest.mark.parametrize("kind", KINDS)
def test_vicreg_kernel_reaches_the_minimum_that_scipy_finds(kind):
    X, G = gaussian(12, 2), graph(kind, n=12)
    gram = torch.exp(-torch.cdist(X, X) ** 2)
    features = torch.linalg.eigh(gram)
    Phi = features.eigenvectors[:, -4:] * features.eigenvalues[-4:].sqrt()
    exact = closed_form.vicreg_kernel(Phi @ Phi.T, G, 2, invariance=0.5, rtol=1e-9)
    trained = best_of_scipy(lambda W: losses.vicreg(Phi @ W, G, invariance=0.5), (4, 2))
    assert trained == pytest.approx(exact.loss, rel=1e-8)
    value = losses.vicreg(exact.embedding, G, invariance=0.5).item()
    assert value == pytest.approx(exact.loss)


def test_vicreg_kernel_of_full_rank_is_the_free_optimum():
    X, G = gaussian(15, 2), graph("weighted", n=15)
    gram = torch.exp(-torch.cdist(X, X) ** 2) + torch.eye(15)
    kernel = closed_form.vicreg_kernel(gram, G, 3, invariance=0.5)
    assert kernel.loss == pytest.approx(closed_form.vicreg(G, 3, invariance=0.5).loss)


def test_the_hinge_refuses_heavy_covariance_weights():
    with pytest.raises(ValueError, match="covariance=0.2 is above variance / 8 = 0.125"):
        closed_form.vicreg(graph("weighted"), 2, covariance=0.2, hinge=True)


@pytest.mark.parametrize("gamma", [0.01, 0.2, 3.0])
@pytest.mark.parametrize("covariance", [0.125, 1.0, 50.0])
def test_the_hinge_of_one_column_takes_any_covariance_weight(covariance, gamma):
    G = graph("weighted")
    weights = {"hinge": True, "invariance": gamma, "covariance": covariance}
    exact = closed_form.vicreg(G, 1, **weights)
    std = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    best = (1 - std + 2 * gamma * exact.spectrum[0] * std**2).min().item()
    assert exact.loss == pytest.approx(best, rel=1e-8)
    value = losses.vicreg(exact.embedding, G, **weights).item()
    assert value == pytest.approx(exact.loss, rel=1e-9)
