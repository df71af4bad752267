"""Relations kept as block numbers, against the matrices they stand for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import gaussian

from spectral_ssl import closed_form, losses, relations, spectral
from spectral_ssl.linalg import covariance

labels = st.lists(st.integers(0, 5), min_size=8, max_size=30).filter(lambda y: len(set(y)) > 1)
LOSSES = {
    "vicreg": losses.vicreg,
    "simclr": lambda Z, G: losses.simclr(Z, G, self_pairs=True),
    "spectral_contrastive": losses.spectral_contrastive,
    "barlow_twins": losses.barlow_twins,
}


def both(labels):
    return relations.from_labels(labels, implicit=True), relations.from_labels(labels)


def test_views_in_blocks_are_the_view_graph():
    blocks = relations.from_views(4, 3, implicit=True)
    torch.testing.assert_close(blocks.to_dense(), relations.from_views(4, 3))
    assert repr(blocks) == "BlockGraph(12 samples in 4 blocks)"


@settings(max_examples=25, deadline=None)
@given(labels=labels)
def test_products_sums_norm_and_diagonal_are_the_matrixs(labels):
    blocks, G = both(labels)
    Z = gaussian(len(labels), 3)
    torch.testing.assert_close(blocks @ Z, G @ Z)
    torch.testing.assert_close(blocks @ Z[:, 0], G @ Z[:, 0])
    torch.testing.assert_close(relations.degree(blocks), relations.degree(G))
    torch.testing.assert_close(blocks.squared_norm(), (G**2).sum())
    torch.testing.assert_close(blocks.diagonal(), G.diagonal())
    components = relations.connected_components(blocks)
    assert torch.equal(components, relations.connected_components(G))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_take_blocks(name, dtype):
    blocks, G = both([0, 1, 0, 2, 2, 1, 0, 3, 3])
    Z = gaussian(9, 2).to(dtype)
    torch.testing.assert_close(LOSSES[name](Z, blocks), LOSSES[name](Z, G))


@settings(max_examples=25, deadline=None)
@given(labels=labels, seed=st.integers(0, 100), share=st.floats(0.01, 1))
def test_free_optima_of_blocks_are_those_of_the_matrix(labels, seed, share):
    blocks, G = both(labels)
    K = 1 + int(share * (len(labels) - 2))
    for optimum, loss in (
        (closed_form.vicreg, losses.vicreg),
        (closed_form.spectral_contrastive, losses.spectral_contrastive),
    ):
        ours, expected = optimum(blocks, K), optimum(G, K)
        torch.testing.assert_close(ours.spectrum, expected.spectrum, atol=1e-12, rtol=1e-12)
        assert ours.loss == pytest.approx(expected.loss, abs=1e-10)
        assert loss(ours.embedding, G).item() == pytest.approx(expected.loss, abs=1e-10)
    smooth = spectral.laplacian_eigenmaps(blocks, K).embedding
    torch.testing.assert_close(covariance(smooth), torch.eye(K).double(), atol=1e-12, rtol=0)
    assert smooth.mean(dim=0).abs().max() < 1e-12


def test_linear_optima_take_blocks():
    blocks, G = both([0, 1, 0, 2, 2, 1, 0, 3, 3])
    X = gaussian(9, 4)
    for optimum in (closed_form.vicreg_linear, closed_form.spectral_contrastive_linear):
        ours, expected = optimum(X, blocks, 2), optimum(X, G, 2)
        assert ours.loss == pytest.approx(expected.loss, abs=1e-12)
        torch.testing.assert_close(ours.weights, expected.weights)


def test_a_million_samples_need_no_matrix():
    G = relations.from_labels(torch.arange(1_000_000) % 7, implicit=True)
    exact = closed_form.vicreg(G, 8, invariance=0.5)
    assert exact.spectrum.tolist() == [0] * 6 + [1] * 2
    assert losses.vicreg(exact.embedding, G, invariance=0.5).item() == pytest.approx(exact.loss)


def test_a_matrix_is_asked_for_where_one_is_needed():
    blocks, _ = both([0, 0, 1, 1])
    with pytest.raises(ValueError, match="to_dense"):
        relations.laplacian(blocks)
    with pytest.raises(ValueError, match="4 samples but there are 5"):
        losses.vicreg(gaussian(5, 2), blocks)
    with pytest.raises(ValueError, match="n_components"):
        closed_form.spectral_contrastive(blocks, 5)


@pytest.mark.gpu
def test_blocks_on_the_gpu():
    blocks, G = both([0, 1, 0, 2, 2, 1, 0, 3, 3])
    exact = closed_form.vicreg(blocks.to("cuda"), 5)
    assert exact.embedding.is_cuda
    assert exact.loss == pytest.approx(closed_form.vicreg(G, 5).loss)
