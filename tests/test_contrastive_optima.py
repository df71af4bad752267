"""The spectral contrastive loss's closed forms against scipy, scikit-learn and training."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import KINDS, best_of_scipy, gaussian, gram_gap, graph

from spectral_ssl import agreement, closed_form, losses, relations, spectral, training
from spectral_ssl.linalg import center


def signed(seed=0, n=10):
    """A symmetric matrix with as many negative as positive eigenvalues."""
    G = gaussian(n, n, seed=seed)
    return (G + G.T) / 2


def similarity(kind, seed=0):
    return signed(seed) if kind == "signed" else graph(kind, seed)


@pytest.mark.parametrize("kind", [*KINDS, "signed"])
@pytest.mark.parametrize("n_components", [1, 3, 9, 10])
def test_the_free_optimum_is_the_minimum_that_scipy_finds(kind, n_components):
    G = similarity(kind)
    exact = closed_form.spectral_contrastive(G, n_components)
    trained = best_of_scipy(lambda Z: losses.spectral_contrastive(Z, G), (10, n_components))
    assert trained == pytest.approx(exact.loss, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("kind", [*KINDS, "signed"])
def test_training_reaches_the_free_optimum(kind):
    G = similarity(kind, seed=4)
    exact = closed_form.spectral_contrastive(G, 3)
    trained = training.fit_embedding(lambda Z: losses.spectral_contrastive(Z, G), 10, 3)
    gap = agreement.compare(trained, exact)
    assert gap.loss_gap < 1e-8
    if kind != "regular":                               # a ring's eigenvalues come in pairs
        assert gram_gap(trained.embedding, exact.embedding) < 1e-5


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 8), sparse=st.booleans())
def test_negative_eigenvalues_are_cut_off(seed, k, sparse):
    G = signed(seed, 8)
    exact = closed_form.spectral_contrastive(G.to_sparse_coo() if sparse else G, k)
    spectrum = np.linalg.eigvalsh(G.numpy())[::-1][:k]
    np.testing.assert_allclose(exact.spectrum, spectrum, atol=1e-10)
    scales = torch.linalg.svdvals(exact.embedding) ** 2
    expected = torch.as_tensor(np.clip(spectrum, 0, None).copy())
    torch.testing.assert_close(scales, expected, atol=1e-9, rtol=1e-9)
    Z = exact.embedding.requires_grad_()
    value = losses.spectral_contrastive(Z, G)
    value.backward()
    assert value.item() == pytest.approx(exact.loss, rel=1e-10)
    assert Z.grad.abs().max() < 1e-9


def test_euclidean_distances_give_classical_mds():
    X = gaussian(20, 5)
    distances = torch.cdist(X, X)
    similarity = -center(center(distances**2).T) / 2
    exact = closed_form.spectral_contrastive(similarity, 3)
    classical = spectral.classical_mds(distances, 3)
    assert gram_gap(exact.embedding, classical.embedding) < 1e-8
    assert exact.loss == pytest.approx(classical.loss, rel=1e-8)


@pytest.mark.parametrize("kind", [*KINDS, "signed"])
@pytest.mark.parametrize("n_components", [1, 2, 4])
def test_the_linear_optimum_is_the_minimum_that_scipy_finds(kind, n_components):
    X, G = gaussian(10, 4, seed=3) + 1, similarity(kind)
    exact = closed_form.spectral_contrastive_linear(X, G, n_components)
    trained = best_of_scipy(
        lambda W: losses.spectral_contrastive(X @ W, G), (4, n_components)
    )
    assert trained == pytest.approx(exact.loss, rel=1e-8)
    assert losses.spectral_contrastive(X @ exact.weights, G).item() == pytest.approx(exact.loss)
    torch.testing.assert_close(exact.transform(X), exact.embedding)


def test_linear_training_reaches_the_linear_optimum():
    X, G = gaussian(30, 5), graph("weighted", n=30)
    exact = closed_form.spectral_contrastive_linear(X, G, 3)
    trained = training.fit_linear(lambda Z: losses.spectral_contrastive(Z, G), X, 3)
    gap = agreement.compare(trained, exact)
    assert gap.loss_gap < 1e-8 and gap.gram_error < 1e-5


def test_linear_similarity_of_centred_inputs_is_pca():
    X = center(gaussian(30, 6) * torch.linspace(1, 3, 6))
    exact = closed_form.spectral_contrastive_linear(X, X @ X.T, 3)
    components = spectral.pca(X, 3)
    assert gram_gap(exact.embedding, components.embedding) < 1e-10
    new = gaussian(4, 6, seed=9)
    assert gram_gap(exact.transform(new), components.transform(new)) < 1e-10


def test_inputs_of_full_rank_give_the_free_optimum():
    G = signed()
    free = closed_form.spectral_contrastive(G, 4)
    X = gaussian(10, 12, seed=1)
    linear = closed_form.spectral_contrastive_linear(X, G, 4)
    kernel = closed_form.spectral_contrastive_kernel(X @ X.T, G, 4)
    for solution in (linear, kernel):
        assert solution.loss == pytest.approx(free.loss)
        assert gram_gap(solution.embedding, free.embedding) < 1e-8


def test_redundant_columns_are_ignored():
    X, G = gaussian(20, 3), graph("weighted", n=20)
    redundant = torch.cat([X, X @ gaussian(3, 3, seed=1)], dim=1)
    plain = closed_form.spectral_contrastive_linear(X, G, 2)
    for inputs, precision in ((redundant, 1e-10), (redundant.float(), 1e-5)):
        exact = closed_form.spectral_contrastive_linear(inputs, G, 2)
        assert exact.loss == pytest.approx(plain.loss, rel=precision)
        assert exact.weights.dtype == inputs.dtype
    with pytest.raises(ValueError, match="X has rank 3"):
        closed_form.spectral_contrastive_linear(redundant, G, 4)


def test_the_linear_kernel_gives_the_linear_optimum_on_new_samples_too():
    X, new, G = gaussian(20, 4) + 2, gaussian(5, 4, seed=1), graph("weighted", n=20)
    linear = closed_form.spectral_contrastive_linear(X, G, 3)
    kernel = closed_form.spectral_contrastive_kernel(X @ X.T, G, 3)
    assert kernel.loss == pytest.approx(linear.loss)
    both = [
        torch.cat([solution.embedding, solution.transform(inputs)])
        for solution, inputs in ((linear, new), (kernel, new @ X.T))
    ]
    assert gram_gap(*both) < 1e-8


def test_sparse_and_float32_similarities_give_the_same_optimum():
    G = relations.nearest_neighbors(gaussian(40, 3), 5)
    dense = closed_form.spectral_contrastive(G.to_dense(), 4)
    sparse = closed_form.spectral_contrastive(G, 4)
    single = closed_form.spectral_contrastive(G.float(), 4)
    assert sparse.loss == pytest.approx(dense.loss, rel=1e-12)
    assert single.embedding.dtype == single.spectrum.dtype == torch.float32
    assert gram_gap(sparse.embedding, dense.embedding) < 1e-9
    assert gram_gap(single.embedding.double(), dense.embedding) < 1e-4


def test_a_large_sparse_similarity_agrees_with_the_dense_one():
    G = relations.nearest_neighbors(gaussian(2200, 2), 8)
    sparse = closed_form.spectral_contrastive(G, 3)
    dense = closed_form.spectral_contrastive(G.to_dense(), 3)
    assert sparse.loss == pytest.approx(dense.loss, rel=1e-10)


def test_simclr_of_weak_relations_tends_to_the_optimum_linearly():
    """The relative error of the Gram matrix is of the order of the relations' strength."""
    n, k = 12, 2
    E = center(center(signed(7, n)).T)
    E = E / torch.linalg.matrix_norm(E, 2)
    exact = closed_form.spectral_contrastive(E, k)
    errors = []
    for strength in (0.1, 0.01):
        G = (torch.ones(n, n, dtype=torch.float64) + strength * E) / n
        trained = training.fit_embedding(
            lambda Z: losses.simclr(Z, G, similarity="inner", self_pairs=True),
            n, k, initial=strength**0.5 * gaussian(n, k), tolerance=1e-12,
        )
        errors.append(gram_gap(trained.embedding, strength**0.5 * exact.embedding))
    assert errors[1] < 0.01
    assert 5 < errors[0] / errors[1] < 20


@pytest.mark.gpu
def test_gpu_gives_the_same_optimum():
    X, G = gaussian(20, 4), graph("weighted", n=20)
    here = closed_form.spectral_contrastive_linear(X, G, 3)
    there = closed_form.spectral_contrastive_linear(X.cuda(), G.cuda(), 3)
    assert there.embedding.is_cuda
    assert gram_gap(there.embedding.cpu(), here.embedding) < 1e-10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda G: closed_form.spectral_contrastive(G, 11), "choose between 1 and 10"),
        (lambda G: closed_form.spectral_contrastive(torch.triu(G), 2), "not symmetric"),
        (lambda G: closed_form.spectral_contrastive(G[:, :5], 2), "square"),
        (lambda G: closed_form.spectral_contrastive(G / 0, 2), "NaN or infinity"),
        (lambda G: closed_form.spectral_contrastive_linear(gaussian(9, 2), G, 1), "9"),
        (lambda G: closed_form.spectral_contrastive_linear(torch.zeros(10, 2), G, 1), "X is zero"),
        (lambda G: closed_form.spectral_contrastive_kernel(signed(3), G, 1), "positive semi-def"),
        (lambda G: closed_form.spectral_contrastive_kernel(0 * G, G, 1), "gram is zero"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(signed())
