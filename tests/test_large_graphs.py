"""Sparse graphs by products alone, against dense solvers; and new samples on known graphs."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import gaussian

from spectral_ssl import closed_form, relations, spectral
from spectral_ssl._validation import sparse_matrix
from spectral_ssl.agreement import compare
from spectral_ssl.linalg import covariance


def ring(n):
    positions = torch.arange(n)
    return relations.from_pairs(torch.stack([positions, positions.roll(1)], dim=1), n)


def several(*graphs):
    """One graph whose parts have no relation."""
    return torch.block_diag(*[G.to_dense() for G in graphs]).to_sparse_coo()


GRAPHS = {
    "neighbours": lambda: relations.nearest_neighbors(gaussian(2100, 3), 8),
    "ring, eigenvalues twice": lambda: ring(2100),
    "three equal parts": lambda: several(*[relations.nearest_neighbors(gaussian(701, 2), 8)] * 3),
    "more parts than components": lambda: several(*[ring(n) for n in range(100, 120)]),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("normalized", [False, True])
def test_sparse_eigenmaps_are_the_dense_ones(name, normalized):
    G = GRAPHS[name]().double().coalesce()
    ours = spectral.laplacian_eigenmaps(G, 7, normalized=normalized)
    expected = spectral.laplacian_eigenmaps(G.to_dense(), 7, normalized=normalized)
    torch.testing.assert_close(ours.spectrum, expected.spectrum, atol=1e-9, rtol=1e-8)
    share = relations.degree(G) if normalized else torch.ones(len(G)).double()
    share = share / share.sum()
    Z = ours.embedding
    torch.testing.assert_close(Z.T @ (share[:, None] * Z), torch.eye(7).double(), atol=1e-7, rtol=0)
    assert abs(share @ Z).max() < 1e-9
    residual = relations.laplacian(G) @ Z - len(G) * share[:, None] * Z * ours.spectrum
    if not normalized:
        assert torch.linalg.norm(residual, dim=0).max() < 1e-6 * len(G) ** 0.5
    if name == "neighbours":
        assert compare(ours, expected).gram_error < 1e-7


def test_the_residual_is_below_a_millionth_on_twenty_thousand_nodes():
    G = relations.nearest_neighbors(gaussian(20_000, 10), 10)
    for normalized in (False, True):
        exact = spectral.laplacian_eigenmaps(G, 8, normalized=normalized)
        u = exact.embedding / torch.linalg.norm(exact.embedding, dim=0)
        metric = relations.degree(G)[:, None] if normalized else 1.0
        residual = relations.laplacian(G) @ u - metric * u * exact.spectrum
        assert torch.linalg.norm(residual, dim=0).max() < 1e-6


@pytest.mark.parametrize("K", [2, 5])
def test_both_waves_of_each_length_are_found_on_a_long_ring(K):
    n = 4000
    waves = torch.arange(2, K + 2) // 2
    expected = 2 - 2 * torch.cos(2 * torch.pi * waves.double() / n)
    found = spectral.laplacian_eigenmaps(ring(n), K).spectrum
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)


def test_views_in_a_sparse_matrix_need_no_eigensolver():
    pairs = torch.arange(4000).reshape(2, -1).T
    exact = closed_form.vicreg(relations.from_pairs(pairs, 4000), 5)
    assert exact.spectrum.tolist() == [0] * 5 and exact.loss == 0
    assert torch.equal(exact.embedding[:2000], exact.embedding[2000:])
    torch.testing.assert_close(covariance(exact.embedding), torch.eye(5).double())


def test_stored_zeros_join_nothing_and_stay():
    n = 2200
    halves = torch.block_diag(*[ring(n // 2).to_dense()] * 2).to_sparse_coo().coalesce()
    bridge = torch.tensor([[0, n - 1], [n - 1, 0]])
    indices = torch.cat([halves.indices(), bridge], dim=1)
    values = torch.cat([halves.values(), torch.zeros(2)])
    G = sparse_matrix(indices, values, (n, n))
    before = G.values().clone()
    exact = spectral.laplacian_eigenmaps(G, 2)
    assert exact.spectrum[0] == 0 and exact.spectrum[1] > 1e-6
    assert torch.equal(G.values(), before)


def test_nodes_stored_in_another_order_give_the_same(monkeypatch):
    G = relations.nearest_neighbors(gaussian(2100, 3), 8)
    expected = spectral.laplacian_eigenmaps(G, 4, normalized=True)
    monkeypatch.setattr(spectral._large_graphs, "_REORDER_ABOVE", 100)
    ours = spectral.laplacian_eigenmaps(G, 4, normalized=True)
    assert compare(ours, expected).gram_error < 1e-7
    torch.testing.assert_close(ours.spectrum, expected.spectrum)


def test_sparse_spectral_contrastive_optimum_is_the_dense_one():
    G = relations.nearest_neighbors(gaussian(2100, 3), 8)
    ours = closed_form.spectral_contrastive(G, 5)
    assert compare(ours, closed_form.spectral_contrastive(G.to_dense(), 5)).gram_error < 1e-7


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), k=st.integers(1, 8), n_new=st.integers(1, 4))
def test_a_new_samples_relations_are_its_row_if_it_joined(seed, k, n_new):
    X, new = gaussian(30, 2, seed=seed), gaussian(n_new, 2, seed=seed + 1)
    rows = relations.neighbors_of_new(new, X, k).to_dense()
    for row, x in zip(rows, new):
        joined = relations.nearest_neighbors(torch.cat([X, x[None]]), k).to_dense()
        torch.testing.assert_close(row, joined[-1, :-1])


def test_known_samples_are_placed_where_they_are():
    G = relations.nearest_neighbors(gaussian(60, 3), 6)
    for optimum in (
        closed_form.vicreg(G, 4, invariance=0.3, variance=2.0),
        closed_form.barlow_twins(G, 4, redundancy=0.1),
        closed_form.spectral_contrastive(G, 4),
        spectral.laplacian_eigenmaps(G, 4),
    ):
        torch.testing.assert_close(optimum.transform(G), optimum.embedding)
        torch.testing.assert_close(optimum.transform(G.to_dense()), optimum.embedding)


def test_a_new_sample_lands_where_its_inner_products_are_closest():
    G, g = gaussian(20, 20), gaussian(3, 20, seed=1)
    exact = closed_form.spectral_contrastive(G @ G.T, 4)
    least_squares = torch.linalg.lstsq(exact.embedding, g.T).solution.T
    torch.testing.assert_close(exact.transform(g), least_squares)


def test_new_samples_without_a_place_are_refused():
    exact = closed_form.spectral_contrastive(relations.from_labels([0, 0, 1, 1]), 2)
    with pytest.raises(ValueError, match="similarities of each new sample"):
        exact.transform(gaussian(2, 3))
    with pytest.raises(ValueError, match="new has 3 columns and X has 2"):
        relations.neighbors_of_new(gaussian(2, 3), gaussian(9, 2), 2)


def test_approximate_neighbours_are_mostly_the_nearest():
    pytest.importorskip("faiss")
    X = gaussian(5000, 5)
    ours = relations.nearest_neighbors(X, 10, search="approximate")
    exact = relations.nearest_neighbors(X, 10)
    assert (ours * exact).coalesce().values().count_nonzero() > 0.95 * len(exact.values())
    assert relations.degree(ours).mean().item() == pytest.approx(1, abs=1e-3)
    small = relations.nearest_neighbors(X[:30], 4, search="approximate")
    torch.testing.assert_close(small.to_dense(), relations.nearest_neighbors(X[:30], 4).to_dense())


def test_approximate_search_says_what_it_needs():
    code = (
        "import sys; sys.modules['faiss'] = None\n"
        "import torch; from spectral_ssl import relations\n"
        "relations.nearest_neighbors(torch.rand(9, 2), 2, search='approximate')"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode and "pip install 'spectral-ssl[large]'" in process.stderr


@pytest.mark.gpu
def test_sparse_eigenmaps_on_the_gpu():
    G = GRAPHS["neighbours"]()
    ours = spectral.laplacian_eigenmaps(G.cuda(), 5)
    assert ours.embedding.is_cuda
    torch.testing.assert_close(ours.spectrum.cpu(), spectral.laplacian_eigenmaps(G, 5).spectrum)
