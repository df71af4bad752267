"""Effective rank, principal angles, the linear probe."""

import math

import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from spectral_ssl import datasets, device, metrics


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=20, deadline=None)
@given(rank=st.integers(1, 6), scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_effective_rank_of_equal_singular_values_is_the_rank(rank, scale, shift):
    centered = gaussian(30, rank) - gaussian(30, rank).mean(dim=0)
    Z = torch.linalg.qr(centered).Q @ torch.eye(rank, 8, dtype=torch.float64)
    assert metrics.effective_rank(scale * (Z + shift)) == pytest.approx(rank, rel=1e-6)


def test_effective_rank_by_hand():
    Z = torch.tensor([[3.0, 0], [-3, 0], [0, 1], [0, -1]])
    expected = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert metrics.effective_rank(Z) == pytest.approx(expected)


def test_effective_rank_of_a_point_is_zero():
    assert metrics.effective_rank(torch.full((5, 3), 0.1)) == 0


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 4), m=st.integers(1, 4), seed=st.integers(0, 100))
def test_principal_angles_agree_with_scipy(k, m, seed):
    A, B = gaussian(12, k, seed=seed), gaussian(12, m, seed=seed + 1)
    expected = torch.as_tensor(scipy.linalg.subspace_angles(A.numpy(), B.numpy()))
    torch.testing.assert_close(metrics.principal_angles(A, B), expected)


def test_principal_angles_are_accurate_when_small():
    A = torch.eye(4, 2, dtype=torch.float64)
    B = A.clone()
    B[2, 0] = 1e-9
    assert metrics.principal_angles(A, B)[0] == pytest.approx(1e-9)


def test_principal_angles_ignore_redundant_columns():
    A = gaussian(10, 2)
    angles = metrics.principal_angles(torch.cat([A, A], dim=1), A)
    assert len(angles) == 2 and angles[0] < 1e-10


@pytest.mark.parametrize(
    ("A", "B", "message"),
    [
        (torch.zeros(4, 2), torch.ones(4, 2), "A is zero"),
        (torch.ones(4, 2), torch.ones(5, 2), "A has 4 rows and B has 5"),
        (torch.ones(4, 2), torch.full((4, 2), torch.nan), "B contains NaN"),
    ],
)
def test_bad_input_is_refused(A, B, message):
    with pytest.raises(ValueError, match=message):
        metrics.principal_angles(A, B)


def test_linear_probe_learns_iris_and_not_noise():
    X, y = (torch.as_tensor(values) for values in load_iris(return_X_y=True))
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    train, test = order[:100], order[100:]
    assert metrics.linear_probe(X[train], y[train], X[test], y[test]) > 0.9
    noise = gaussian(150, 2)
    assert metrics.linear_probe(noise[train], y[train], noise[test], y[test]) < 0.6


def test_linear_probe_leaves_out_columns_that_are_constant_up_to_rounding():
    X, y = (torch.as_tensor(values) for values in load_iris(return_X_y=True))
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    train, test = order[:100], order[100:]
    rounding = torch.cat([X, 0.3 + 1e-15 * gaussian(150, 20)], dim=1)
    expected = metrics.linear_probe(X[train], y[train], X[test], y[test])
    assert metrics.linear_probe(rounding[train], y[train], rounding[test], y[test]) == expected
    collapsed = torch.ones(150, 2) + 1e-14 * gaussian(150, 2)
    assert metrics.linear_probe(collapsed[train], y[train], collapsed[test], y[test]) < 0.5


def test_digits_are_the_scikit_learn_digits_between_zero_and_one():
    X, y = datasets.digits()
    assert X.shape == (1797, 64) and X.dtype == torch.float64
    assert X.min() == 0 and X.max() == 1
    assert y[:10].tolist() == list(range(10))


def test_device_is_where_float64_works():
    assert torch.ones(1, dtype=torch.float64, device=device()).item() == 1
