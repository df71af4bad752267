"""Majorisation and Horn's rotations, against their definition and random matrices."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_ssl import device, majorization

numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
spectra = st.lists(numbers, min_size=1, max_size=8)
few_values = st.lists(st.sampled_from([-1.0, 0.0, 2.0]), min_size=1, max_size=8)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_rotation(k, seed):
    return torch.linalg.qr(gaussian(k, k, seed=seed)).Q


def averaged(eigenvalues, seed):
    """A random convex combination of the eigenvalues' permutations, which they majorise."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(3))
    return sum(w * rng.permutation(eigenvalues) for w in weights)


def majorizes_by_definition(eigenvalues, diagonal):
    """No m entries of the diagonal, however chosen, exceed the best m eigenvalues."""
    sums = [
        max(sum(c) for c in itertools.combinations(eigenvalues, m))
        - max(sum(c) for c in itertools.combinations(diagonal, m))
        for m in range(1, len(eigenvalues) + 1)
    ]
    return min(sums) >= -1e-9 and abs(sums[-1]) <= 1e-9


def diagonal_of(Q, eigenvalues):
    return (Q.T @ torch.diag(eigenvalues) @ Q).diagonal()


@settings(max_examples=50, deadline=None)
@given(eigenvalues=spectra | few_values, seed=st.integers(0, 1000))
def test_every_majorised_diagonal_is_reached(eigenvalues, seed):
    eigenvalues = torch.tensor(eigenvalues, dtype=torch.float64)
    diagonal = torch.as_tensor(averaged(eigenvalues.numpy(), seed))
    assert majorization.majorizes(eigenvalues, diagonal)
    Q = majorization.rotation_with_diagonal(eigenvalues, diagonal)
    identity = torch.eye(len(eigenvalues), dtype=torch.float64)
    torch.testing.assert_close(Q.T @ Q, identity, atol=1e-12, rtol=0)
    torch.testing.assert_close(diagonal_of(Q, eigenvalues), diagonal, atol=1e-10, rtol=0)


@settings(max_examples=50, deadline=None)
@given(k=st.integers(1, 8), seed=st.integers(0, 1000))
def test_the_diagonal_of_a_symmetric_matrix_is_majorised(k, seed):
    A = gaussian(k, k, seed=seed)
    A = A + A.T
    eigenvalues = torch.linalg.eigvalsh(A)
    assert majorization.majorizes(eigenvalues, A.diagonal())
    Q = majorization.rotation_with_diagonal(eigenvalues, A.diagonal())
    torch.testing.assert_close(diagonal_of(Q, eigenvalues), A.diagonal())


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.integers(-3, 3), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_majorization_is_what_its_definition_says(values, seed):
    rng = np.random.default_rng(seed)
    other = rng.permutation(values)
    if len(values) > 1:
        moved = int(rng.integers(3))
        other[0], other[1] = other[0] + moved, other[1] - moved
    expected = majorizes_by_definition(values, other.tolist())
    assert majorization.majorizes(values, other) == expected


def test_majorization_by_hand():
    assert majorization.majorizes([1, 3], [2, 2])
    assert majorization.majorizes([1, 3], [3, 1])
    assert not majorization.majorizes([1, 3], [4, 0])
    assert not majorization.majorizes([1, 3], [2, 1])
    assert majorization.majorizes([1, 3], [2, 1.9], atol=0.2)


def test_a_plane_rotation_by_hand():
    Q = majorization.rotation_with_diagonal(torch.tensor([3.0, 1.0]), torch.tensor([2.5, 1.5]))
    torch.testing.assert_close(abs(Q), torch.tensor([[3, 1], [1, 3]]).sqrt() / 2)


def test_the_order_of_the_diagonal_is_kept():
    eigenvalues = torch.tensor([5.0, -2.0, 0.0, 1.0]).double()
    for diagonal in itertools.permutations([4.0, 0.5, 0.5, -1.0]):
        diagonal = torch.tensor(diagonal, dtype=torch.float64)
        Q = majorization.rotation_with_diagonal(eigenvalues, diagonal)
        torch.testing.assert_close(diagonal_of(Q, eigenvalues), diagonal)


def test_all_entries_can_be_made_equal():
    eigenvalues = gaussian(50)
    Q = majorization.rotation_with_diagonal(eigenvalues, eigenvalues.mean().expand(50))
    expected = eigenvalues.mean().expand(50)
    torch.testing.assert_close(diagonal_of(Q, eigenvalues), expected, atol=1e-12, rtol=0)


def test_one_dimension():
    assert majorization.majorizes([2.0], [2.0])
    assert majorization.rotation_with_diagonal([2.0], [2.0]).tolist() == [[1.0]]


def test_nearly_equal_eigenvalues():
    eigenvalues = 1 + 1e-15 * torch.arange(5, dtype=torch.float64)
    diagonal = eigenvalues.mean().expand(5)
    Q = majorization.rotation_with_diagonal(eigenvalues, diagonal)
    torch.testing.assert_close(Q.T @ Q, torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_device_are_kept(dtype):
    eigenvalues = torch.rand(
        6, dtype=dtype, generator=torch.Generator().manual_seed(0)
    ).to(device())
    diagonal = eigenvalues.mean().expand(6)
    before = eigenvalues.clone()
    Q = majorization.rotation_with_diagonal(eigenvalues, diagonal)
    assert Q.dtype == dtype and Q.device == eigenvalues.device
    assert (eigenvalues == before).all()
    torch.testing.assert_close(diagonal_of(Q, eigenvalues), diagonal)


def test_integers_and_numpy_become_float64():
    Q = majorization.rotation_with_diagonal(np.array([1, 3]), [2, 2])
    assert Q.dtype == torch.float64


@pytest.mark.parametrize(
    ("eigenvalues", "diagonal", "message"),
    [
        ([1.0, 3.0], [4.0, 0.0], "diagonal is not majorised.* 1 largest .* by 1 in sum"),
        ([0.0, 0.0, 3.0], [2.0, 2.0, -1.0], "diagonal is not majorised.* 2 largest"),
        ([1.0, 3.0], [2.0, 2.1], "diagonal has the sum 4.1 and eigenvalues 4;"),
        ([1.0, 3.0], [4.0], "eigenvalues has 2 entries and diagonal 1"),
        ([[1.0, 3.0]], [2.0, 2.0], "eigenvalues must be a vector"),
        ([1.0, 3.0], 4.0, "diagonal must be a vector"),
        ([], [], "eigenvalues must be a vector of at least one number"),
        ([1.0, float("nan")], [1.0, 1.0], "eigenvalues contains NaN"),
        ([1.0, 1.0], [float("inf"), 1.0], "diagonal contains NaN or infinity"),
        (["a", "b"], [1.0, 1.0], "eigenvalues must be a tensor"),
    ],
)
def test_wrong_input_is_refused(eigenvalues, diagonal, message):
    with pytest.raises(ValueError, match=message):
        majorization.rotation_with_diagonal(eigenvalues, diagonal)


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="atol"):
        majorization.majorizes([1.0], [1.0], atol=-1.0)
