"""Relation matrices, Laplacians and the Dirichlet energy."""

import networkx
import numpy as np
import pytest
import scipy.sparse.csgraph
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from spectral_ssl import relations


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_relation(n, seed=0):
    weights = gaussian(n, n, seed=seed).abs()
    return weights + weights.T


def test_laplacian_agrees_with_networkx():
    graph = networkx.karate_club_graph()
    G = torch.as_tensor(networkx.to_numpy_array(graph))
    expected = torch.as_tensor(networkx.laplacian_matrix(graph).toarray()).double()
    torch.testing.assert_close(relations.laplacian(G), expected)
    sparse = relations.laplacian(G.to_sparse_coo())
    assert sparse.is_sparse
    torch.testing.assert_close(sparse.to_dense(), expected)


def test_laplacian_ignores_the_diagonal():
    G = random_relation(6)
    torch.testing.assert_close(
        relations.laplacian(G), relations.laplacian(G + torch.diag(torch.arange(6.0)))
    )


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 20), k=st.integers(1, 5), seed=st.integers(0, 100))
def test_dirichlet_energy_is_the_weighted_sum_of_squared_distances(n, k, seed):
    Z, G = 10 + gaussian(n, k, seed=seed), random_relation(n, seed)
    expected = sum(
        G[i, j] * (Z[i] - Z[j]).square().sum() for i in range(n) for j in range(n)
    )
    torch.testing.assert_close(relations.dirichlet_energy(Z, G), expected)
    torch.testing.assert_close(relations.dirichlet_energy(Z, G.to_sparse_coo()), expected)


def test_dirichlet_energy_survives_a_large_shift_in_float32():
    Z, G = gaussian(20, 3), random_relation(20)
    shifted = (Z + 1000).float()
    exact = relations.dirichlet_energy(Z, G)
    assert abs(relations.dirichlet_energy(shifted, G) - exact) < 1e-3 * exact


@settings(max_examples=25, deadline=None)
@given(labels=st.lists(st.integers(0, 4), min_size=2, max_size=20))
def test_class_graph_is_the_projection_on_the_class_indicators(labels):
    G = relations.from_labels(labels)
    torch.testing.assert_close(G @ G, G)
    torch.testing.assert_close(G.sum(dim=1), torch.ones(len(labels), dtype=G.dtype))
    assert torch.linalg.matrix_rank(G) == len(set(labels))


def test_class_graph_of_strings():
    G = relations.from_labels(["cat", "dog", "cat"])
    expected = torch.tensor([[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(G, expected)


def test_view_graph_has_eigenvalue_one_for_every_source():
    eigenvalues = torch.linalg.eigvalsh(relations.from_views(4, 3))
    expected = torch.tensor([0.0] * 8 + [1.0] * 4, dtype=torch.float64)
    torch.testing.assert_close(eigenvalues, expected)


def test_pairs_are_counted_in_both_orders():
    G = relations.from_pairs([[0, 1], [1, 0], [2, 2], [1, 2]], 3).to_dense()
    expected = torch.tensor([[0.0, 2, 0], [2, 0, 1], [0, 1, 1]], dtype=torch.float64)
    torch.testing.assert_close(G, expected)


def test_nearest_neighbors_agree_with_brute_force():
    X = gaussian(30, 4)
    G = relations.nearest_neighbors(X, 3)
    nearest = torch.cdist(X, X).fill_diagonal_(torch.inf).argsort(dim=1)[:, :3]
    A = torch.zeros(30, 30, dtype=X.dtype).scatter_(1, nearest, 1.0)
    torch.testing.assert_close(G.to_dense(), (A + A.T) / 6)
    assert abs(relations.degree(G).mean() - 1) < 1e-12


def test_nearest_neighbors_keep_the_dtype():
    G = relations.nearest_neighbors(gaussian(20, 2).float(), 3)
    assert G.dtype == torch.float32 and G.is_sparse


def test_scipy_and_numpy_relations_are_accepted():
    dense = random_relation(8)
    expected = relations.laplacian(dense)
    torch.testing.assert_close(relations.laplacian(dense.numpy()), expected)
    sparse = relations.laplacian(scipy.sparse.csr_array(dense.numpy()))
    torch.testing.assert_close(sparse.to_dense(), expected)
    csr = relations.laplacian(scipy.sparse.csr_matrix(dense.numpy()))
    torch.testing.assert_close(csr.to_dense(), expected)


GOOD = [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("G", "message"),
    [
        ([[0.0, 1.0], [0.5, 0.0]], "not symmetric"),
        ([[0.0, -1.0], [-1.0, 0.0]], "negative"),
        ([[0.0, np.nan], [np.nan, 0.0]], "NaN"),
        ([[0.0, np.inf], [np.inf, 0.0]], "infinity"),
        ([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], "without any relation"),
        ([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]], "square"),
        ([[1.0]], "at least 2"),
    ],
)
def test_bad_relations_are_refused(G, message, sparse):
    G = torch.tensor(G, dtype=torch.float64)
    with pytest.raises(ValueError, match=message):
        relations.laplacian(G.to_sparse_coo() if sparse else G)


def test_a_relation_changed_in_place_is_checked_again():
    G = torch.tensor(GOOD)
    relations.degree(G)
    G[0, 1] = -1.0
    with pytest.raises(ValueError, match="negative"):
        relations.degree(G)


def test_sizes_of_embedding_and_relation_must_agree():
    with pytest.raises(ValueError, match="relates 2 samples but there are 3"):
        relations.dirichlet_energy(gaussian(3, 2), torch.tensor(GOOD))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relations.from_labels([[0, 1]]), "one-dimensional"),
        (lambda: relations.from_labels([0]), "at least 2"),
        (lambda: relations.from_labels([0.0, np.nan]), "NaN"),
        (lambda: relations.from_views(0, 3), "at least 1"),
        (lambda: relations.from_pairs([[0, 3]], 3), "only 0 to 2 exist"),
        (lambda: relations.from_pairs([[0, 1, 2]], 3), "two columns"),
        (lambda: relations.from_pairs([[0.5, 1.0]], 3), "integer"),
        (lambda: relations.nearest_neighbors(gaussian(5, 2), 5), "choose between 1 and 4"),
        (lambda: relations.nearest_neighbors(gaussian(5), 2), "one sample a row"),
        (lambda: relations.nearest_neighbors([["a"], ["b"]], 1), "array of numbers"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), sparse=st.booleans())
def test_normalized_laplacian_has_eigenvalues_between_0_and_2(seed, sparse):
    G = torch.rand(12, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    G = (G + G.T).fill_diagonal_(0)
    L = relations.laplacian(G.to_sparse() if sparse else G, normalized=True)
    L = L.to_dense() if sparse else L
    values = torch.linalg.eigvalsh(L)
    assert values.min() > -1e-12 and values.max() < 2 + 1e-12
    assert np.allclose(L, scipy.sparse.csgraph.laplacian(G.numpy(), normed=True))


def test_normalized_adjacency_keeps_the_square_roots_of_the_degrees():
    G = relations.from_pairs([[0, 1], [1, 2], [2, 3], [1, 3]], 4)
    root = relations.degree(G).sqrt()
    assert torch.allclose(relations.normalized_adjacency(G) @ root, root)


@pytest.mark.parametrize("sparse", [False, True])
def test_connected_components(sparse):
    G = relations.from_pairs([[0, 3], [1, 2], [2, 4]], 5)
    G = G if sparse else G.to_dense()
    assert relations.connected_components(G).tolist() == [0, 1, 1, 0, 1]


def test_connected_components_do_not_follow_relations_of_weight_zero():
    pairs, weights = [[0, 1, 2, 3, 1, 2], [1, 0, 3, 2, 2, 1]], [1.0, 1, 1, 1, 0, 0]
    G = torch.sparse_coo_tensor(pairs, weights, check_invariants=True)
    assert relations.connected_components(G).tolist() == [0, 0, 1, 1]


def test_geodesic_distances_on_a_line_are_euclidean():
    X = torch.tensor([[0.0], [1.0], [2.5], [7.0]], dtype=torch.float64)
    assert torch.allclose(relations.geodesic_distances(X, 2), abs(X - X.T))


def test_geodesic_distances_follow_the_circle():
    angles = 2 * torch.pi * torch.arange(100, dtype=torch.float64) / 100
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    opposite = relations.geodesic_distances(circle, 2)[0, 50].item()
    assert opposite == pytest.approx(100 * np.sin(np.pi / 100))


def test_geodesic_distances_walk_edges_of_length_zero():
    X = torch.tensor([[0.0], [0.0], [0.0], [1.0], [2.0]], dtype=torch.float64)
    assert relations.geodesic_distances(X, 3)[:3, 4].tolist() == [2, 2, 2]


def test_geodesic_distances_refuse_a_disconnected_graph():
    X = torch.tensor([[0.0], [0.0], [9.0], [9.0]], dtype=torch.float64)
    with pytest.raises(ValueError, match="2 components.*raise n_neighbors=1"):
        relations.geodesic_distances(X, 1)
