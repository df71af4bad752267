"""Centring, whitening, extreme eigenpairs, against numpy, scipy and scikit-learn."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from spectral_ssl import linalg, relations


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def symmetric(n, seed=0):
    A = gaussian(n, n, seed=seed)
    return A + A.T


def test_covariance_divides_by_n():
    Z = gaussian(20, 4)
    expected = torch.as_tensor(np.cov(Z.numpy(), rowvar=False, bias=True))
    torch.testing.assert_close(linalg.covariance(Z), expected)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(5, 30), d=st.integers(1, 8), seed=st.integers(0, 100))
def test_whitened_samples_have_identity_covariance(n, d, seed):
    X = 100 + gaussian(n, d, seed=seed) @ gaussian(d, d, seed=seed + 1)
    whitening = linalg.whiten(X)
    assert whitening.rank == min(d, n - 1)
    identity = torch.eye(whitening.rank, dtype=X.dtype)
    torch.testing.assert_close(linalg.covariance(whitening(X)), identity, atol=1e-8, rtol=0)


def test_whitening_agrees_with_scikit_learn_up_to_sign():
    X = gaussian(50, 5) * torch.tensor([1.0, 2, 3, 4, 5])
    ours = linalg.whiten(X)(X)
    theirs = PCA(whiten=True).fit_transform(X.numpy()) * (50 / 49) ** 0.5
    torch.testing.assert_close(abs(ours), torch.as_tensor(abs(theirs)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_whitening_drops_redundant_columns(dtype):
    X = gaussian(40, 3).to(dtype)
    redundant = torch.cat([X, X @ gaussian(3, 4, seed=1).to(dtype), torch.ones(40, 1)], dim=1)
    rtol = 1e-10 if dtype == torch.float64 else 1e-6
    assert linalg.whiten(redundant.to(dtype), rtol=rtol).rank == 3


def test_whitening_keeps_only_directions_above_the_tolerance():
    X = gaussian(100, 3) * torch.tensor([1.0, 0.1, 0.001])
    assert linalg.whiten(X, rtol=1e-1).rank == 1
    assert linalg.whiten(X, rtol=1e-3).rank == 2
    assert linalg.whiten(X).rank == 3


@pytest.mark.parametrize("value", [0.0, 1e8])
def test_whitening_refuses_constant_samples(value):
    with pytest.raises(ValueError, match="X is constant"):
        linalg.whiten(torch.full((10, 3), value))


def test_smallest_eigenpairs_agree_with_scipy():
    A = symmetric(15)
    values, vectors = linalg.smallest_eigenpairs(A, 4)
    expected = scipy.linalg.eigvalsh(A.numpy())[:4]
    torch.testing.assert_close(values, torch.as_tensor(expected))
    torch.testing.assert_close(A @ vectors, vectors * values)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(3, 20), seed=st.integers(0, 100))
def test_restriction_to_vectors_that_sum_to_zero(n, seed):
    A = symmetric(n, seed)
    H = torch.eye(n, dtype=A.dtype) - 1 / n
    basis = torch.as_tensor(scipy.linalg.null_space(np.ones((1, n))))
    values, vectors = linalg.smallest_eigenpairs(A, n - 1, orthogonal_to_ones=True)
    expected = torch.linalg.eigvalsh(basis.T @ A @ basis)
    torch.testing.assert_close(values, expected, atol=1e-10, rtol=1e-10)
    assert vectors.sum(dim=0).abs().max() < 1e-10
    torch.testing.assert_close(H @ A @ vectors, vectors * values, atol=1e-9, rtol=0)


def test_disconnected_graph_has_zero_eigenvalues_on_vectors_that_sum_to_zero():
    L = relations.laplacian(relations.from_labels([0, 0, 0, 1, 1, 2, 2, 2]))
    values, vectors = linalg.smallest_eigenpairs(L, 3, orthogonal_to_ones=True)
    torch.testing.assert_close(values, torch.tensor([0.0, 0, 1], dtype=L.dtype))
    assert vectors.sum(dim=0).abs().max() < 1e-12


def test_large_sparse_matrix_agrees_with_dense_solver():
    G = relations.nearest_neighbors(gaussian(2500, 3), 8)
    L = relations.laplacian(G)
    values, vectors = linalg.smallest_eigenpairs(L, 5, orthogonal_to_ones=True)
    dense, _ = linalg.smallest_eigenpairs(L.to_dense(), 5, orthogonal_to_ones=True)
    torch.testing.assert_close(values, dense, atol=1e-9, rtol=1e-7)
    torch.testing.assert_close(L @ vectors, vectors * values, atol=1e-7, rtol=0)


def test_large_sparse_matrix_with_repeated_eigenvalues():
    part = relations.nearest_neighbors(gaussian(800, 2), 8).to_dense()
    L = relations.laplacian(torch.block_diag(part, part, part).to_sparse_coo())
    values, vectors = linalg.smallest_eigenpairs(L, 8, orthogonal_to_ones=True)
    dense, _ = linalg.smallest_eigenpairs(L.to_dense(), 8, orthogonal_to_ones=True)
    torch.testing.assert_close(values, dense, atol=1e-9, rtol=1e-7)
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(8).double(), atol=1e-8, rtol=0)
    assert vectors.sum(dim=0).abs().max() < 1e-8


@pytest.mark.parametrize("n_components", [0, 6, 2.0, True, -1])
def test_number_of_eigenpairs_is_checked(n_components):
    with pytest.raises(ValueError, match="n_components"):
        linalg.smallest_eigenpairs(symmetric(6), n_components, orthogonal_to_ones=True)


def test_align_undoes_a_rotation_and_a_shift():
    Z = gaussian(30, 3)
    rotation = torch.linalg.qr(gaussian(3, 3, seed=1)).Q
    torch.testing.assert_close(linalg.align(Z @ rotation + 5, Z), Z)


def test_orthonormal_basis_has_the_numerical_rank():
    Z = gaussian(20, 2) @ gaussian(2, 5, seed=1)
    basis = linalg.orthonormal_basis(Z)
    assert basis.shape == (20, 2)
    torch.testing.assert_close(basis @ (basis.T @ Z), Z)


def test_a_metric_gives_scipys_generalised_eigenpairs():
    A, metric = gaussian(9, 9), gaussian(9, seed=1).abs() + 0.1
    A = A + A.T
    values, vectors = linalg.smallest_eigenpairs(A, 4, metric=metric)
    expected = scipy.linalg.eigh(A.numpy(), np.diag(metric.numpy()), eigvals_only=True)[:4]
    assert np.allclose(values, expected)
    assert torch.allclose(A @ vectors, metric[:, None] * vectors * values)
    assert torch.allclose(vectors.T @ (metric[:, None] * vectors), torch.eye(4, dtype=A.dtype))


def test_largest_eigenpairs_are_signed_and_descending():
    A = torch.diag(torch.tensor([1.0, -5.0, 3.0, 2.0]))
    values, vectors = linalg.largest_eigenpairs(A, 2)
    assert values.tolist() == [3, 2]
    assert vectors.abs().argmax(dim=0).tolist() == [2, 3]
