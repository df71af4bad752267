"""The losses' graph forms against their definitions."""

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


def simclr_definition(Z, G, tau, similarity, self_pairs):
    """The loss by explicit loops in numpy."""
    Z, G = Z.numpy(), G.numpy()
    if similarity == "cosine":
        Z = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    value = 0.0
    for i in range(len(Z)):
        candidates = [k for k in range(len(Z)) if self_pairs or k != i]
        scores = {k: np.exp(Z[i] @ Z[k] / tau) for k in candidates}
        for j in candidates:
            value -= G[i, j] * np.log(scores[j] / sum(scores.values())) / len(Z)
    return value


SIMCLR = {
    "temperature": st.floats(0.2, 5),
    "similarity": st.sampled_from(["cosine", "inner"]),
    "self_pairs": st.booleans(),
}


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 8), k=st.integers(1, 4), seed=st.integers(0, 100), **SIMCLR)
def test_simclr_is_its_definition(n, k, seed, temperature, similarity, self_pairs):
    Z, G = gaussian(n, k, seed=seed), random_relation(n, seed)
    expected = simclr_definition(Z, G, temperature, similarity, self_pairs)
    for relation in (G, G.to_sparse_coo()):
        value = losses.simclr(
            Z, relation, temperature=temperature, similarity=similarity, self_pairs=self_pairs
        )
        assert value.item() == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(3, 8), seed=st.integers(0, 100), tau=st.floats(0.5, 3))
def test_simclrs_gradient_is_the_difference_of_two_graphs(n, seed, tau):
    Z, G = gaussian(n, 2, seed=seed).requires_grad_(), random_relation(n, seed)
    losses.simclr(Z, G, temperature=tau, similarity="inner", self_pairs=True).backward()
    with torch.no_grad():
        estimate = G.sum(dim=1, keepdim=True) * torch.softmax(Z @ Z.T / tau, dim=1)
        difference = G - estimate
        expected = -(difference + difference.T) @ Z / (n * tau)
    torch.testing.assert_close(Z.grad, expected, rtol=1e-12, atol=1e-12)


def test_simclr_is_least_where_the_relations_are_its_estimate_and_then_their_entropy():
    Z = gaussian(7, 3)
    G = torch.exp(Z @ Z.T).fill_diagonal_(0)
    rows = G / G.sum(dim=1, keepdim=True)
    entropy = torch.special.entr(rows).sum(dim=1)
    value = losses.simclr(Z, G, similarity="inner")
    torch.testing.assert_close(value, G.sum(dim=1) @ entropy / 7)
    for seed in range(10):
        moved = Z + 0.1 * gaussian(7, 3, seed=seed + 1)
        assert losses.simclr(moved, G, similarity="inner") > value


def test_simclr_ignores_the_diagonal_of_the_relations():
    Z, G = gaussian(6, 2), random_relation(6)
    without = G - torch.diag(G.diagonal())
    torch.testing.assert_close(losses.simclr(Z, G), losses.simclr(Z, without))
    torch.testing.assert_close(losses.simclr(Z, G.to_sparse_coo()), losses.simclr(Z, without))


def test_simclr_does_not_notice_rotation_and_its_cosine_no_length():
    Z, G = gaussian(6, 3), random_relation(6)
    turned = Z @ torch.linalg.qr(gaussian(3, 3, seed=1)).Q
    longer = Z * torch.linspace(0.1, 10, 6)[:, None]
    torch.testing.assert_close(losses.simclr(longer, G), losses.simclr(Z, G))
    torch.testing.assert_close(
        losses.simclr(turned, G, similarity="inner"), losses.simclr(Z, G, similarity="inner")
    )


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 8), k=st.integers(1, 5), seed=st.integers(0, 100))
def test_spectral_contrastive_is_its_definition(n, k, seed):
    Z = gaussian(n, k, seed=seed)
    G = gaussian(n, n, seed=seed + 1)
    G = G + G.T
    expected = np.linalg.norm(G.numpy() - Z.numpy() @ Z.numpy().T) ** 2
    for similarity in (G, G.to_sparse_coo()):
        assert losses.spectral_contrastive(Z, similarity).item() == pytest.approx(expected)


def barlow_twins_definition(Z, G, redundancy, scaled):
    """The loss of the weighted list of pairs, each in both orders, in numpy."""
    Z, G = Z.numpy(), G.numpy()
    first, second = np.nonzero(G)
    weights = G[first, second] / G.sum()
    A, B = Z[first], Z[second]
    A, B = A - weights @ A, B - weights @ B
    if scaled:
        A, B = A / np.sqrt(weights @ A**2), B / np.sqrt(weights @ B**2)
    C = (A * weights[:, None]).T @ B
    off = C - np.diag(np.diag(C))
    return ((1 - np.diag(C)) ** 2).sum() + redundancy * (off**2).sum()


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(3, 8), k=st.integers(1, 4), seed=st.integers(0, 100),
    redundancy=st.floats(0, 5), scaled=st.booleans(),
)
def test_barlow_twins_is_that_of_the_list_of_pairs(n, k, seed, redundancy, scaled):
    Z, G = gaussian(n, k, seed=seed), random_relation(n, seed)
    expected = barlow_twins_definition(Z, G, redundancy, scaled)
    for relation in (G, G.to_sparse_coo()):
        value = losses.barlow_twins(Z, relation, redundancy=redundancy, scaled=scaled)
        assert value.item() == pytest.approx(expected)


def test_barlow_twins_of_unit_degrees_is_the_standardised_quadratic_form():
    Z, G = gaussian(6, 2), relations.from_views(3, 2)
    standard = (Z - Z.mean(dim=0)) / Z.std(dim=0, correction=0)
    C = standard.T @ G @ standard / 6
    expected = ((C - torch.eye(2)) ** 2).sum()
    torch.testing.assert_close(losses.barlow_twins(Z, G), expected)


def test_barlow_twins_does_not_notice_shift_and_scale_of_columns():
    Z, G = gaussian(8, 3), random_relation(8)
    moved = Z * torch.tensor([0.1, -2.0, 30.0]) + torch.tensor([1.0, -2.0, 3.0])
    torch.testing.assert_close(losses.barlow_twins(moved, G), losses.barlow_twins(Z, G))


NEW = {
    "simclr": lambda Z, G: losses.simclr(Z, G, temperature=0.7),
    "simclr, inner": lambda Z, G: losses.simclr(Z, G, similarity="inner", self_pairs=True),
    "spectral_contrastive": losses.spectral_contrastive,
    "barlow_twins": lambda Z, G: losses.barlow_twins(Z, G, redundancy=0.3),
    "barlow_twins, unscaled": lambda Z, G: losses.barlow_twins(Z, G, scaled=False),
}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", NEW)
def test_gradients(name, sparse):
    G = random_relation(6)
    G = G.to_sparse_coo() if sparse else G
    assert torch.autograd.gradcheck(lambda Z: NEW[name](Z, G), gaussian(6, 3).requires_grad_())


@pytest.mark.parametrize("name", NEW)
def test_losses_keep_the_dtype_of_the_embedding(name):
    Z, G = gaussian(6, 2), random_relation(6)
    single = NEW[name](Z.float(), G)
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(NEW[name](Z, G).item(), rel=1e-4)


@pytest.mark.parametrize("temperature", [0.01, 100.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_simclr_is_finite_at_extreme_temperatures(temperature, dtype):
    Z = torch.cat([gaussian(5, 2), torch.ones(3, 2)]).to(dtype).requires_grad_()
    value = losses.simclr(Z, random_relation(8), temperature=temperature)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(Z.grad).all()


PAIRS_AND_A_LONER = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda Z, G: losses.simclr(Z, G, temperature=0), "temperature must be .* positive"),
        (lambda Z, G: losses.simclr(Z, G, similarity="dot"), "'cosine', 'inner', got 'dot'"),
        (lambda Z, G: losses.simclr(0 * Z, G), "Z has 3 zero row"),
        (lambda Z, G: losses.simclr(Z, PAIRS_AND_A_LONER), "nothing but themselves .* sample 2"),
        (lambda Z, G: losses.simclr(Z[:2], G), "G relates 3 samples but there are 2"),
        (lambda Z, G: losses.spectral_contrastive(Z, torch.triu(G)), "not symmetric"),
        (lambda Z, G: losses.spectral_contrastive(Z, G / 0), "G contains NaN"),
        (lambda Z, G: losses.barlow_twins(Z, G, redundancy=-1), "redundancy"),
        (lambda Z, G: losses.barlow_twins(torch.ones(3, 2), G), "constant column.* column 0"),
        (lambda Z, G: losses.barlow_twins(Z, -G), "negative entries"),
    ],
)
def test_bad_input_of_the_others_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(gaussian(3, 2), random_relation(3))


def test_a_loner_is_its_own_candidate_where_asked():
    assert torch.isfinite(losses.simclr(gaussian(3, 2), PAIRS_AND_A_LONER, self_pairs=True))


@pytest.mark.parametrize("loss", [losses.vicreg, losses.spectral_contrastive, losses.barlow_twins])
def test_functional_gradients_pass_through_a_sparse_graph(loss):
    Z = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    G = relations.from_pairs(torch.arange(20).reshape(10, 2), 20)
    functional = torch.func.grad(loss)(Z, G)
    Z.requires_grad_()
    torch.testing.assert_close(functional, *torch.autograd.grad(loss(Z, G), Z))
