"""Comparing embeddings, and the records that checks leave."""

from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from spectral_ssl import agreement


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def optimum(embedding, loss=1.0):
    return SimpleNamespace(embedding=embedding, loss=loss)


def test_rotation_and_shift_are_no_difference():
    Z = gaussian(30, 3)
    rotation = torch.linalg.qr(gaussian(3, 3, seed=1)).Q
    result = agreement.compare(optimum(Z @ rotation + 7), optimum(Z))
    assert max(result) < 1e-12


def test_gram_error_agrees_with_its_definition():
    Z, exact = gaussian(20, 4), gaussian(20, 3, seed=1)
    H = torch.eye(20, dtype=Z.dtype) - 1 / 20
    grams = [H @ Y @ Y.T @ H for Y in (Z, exact)]
    expected = (grams[0] - grams[1]).norm() / grams[1].norm()
    result = agreement.compare(optimum(Z), optimum(exact))
    assert result.gram_error == pytest.approx(expected.item())


def test_one_per_cent_of_one_axis_shows():
    Z = torch.linalg.qr(gaussian(40, 3)).Q
    result = agreement.compare(optimum(Z * torch.tensor([1.01, 1, 1])), optimum(Z))
    assert 0.005 < result.gram_error < 0.02
    assert result.angle < 1e-10


def test_loss_gap_is_relative():
    Z = gaussian(10, 2)
    assert agreement.compare(optimum(Z, 2.02), optimum(Z, 2.0)).loss_gap == pytest.approx(0.01)
    assert agreement.compare(optimum(Z, 1e-3), optimum(Z, 0.0)).loss_gap == 1e-3


def test_angle_looks_at_the_leading_directions_of_a_rank_deficient_optimum():
    basis = torch.linalg.qr(gaussian(20, 3) - gaussian(20, 3).mean(dim=0)).Q
    exact = basis * torch.tensor([1.0, 1.0, 0.0])
    trained = basis * torch.tensor([1.0, 1.0, 1e-4])
    assert agreement.compare(optimum(trained), optimum(exact)).angle < 1e-10
    constant = optimum(torch.ones(20, 3))
    assert agreement.compare(optimum(trained), constant).angle == 0


def test_different_samples_are_refused():
    with pytest.raises(ValueError, match="20 samples and exact has 10"):
        agreement.compare(optimum(gaussian(20, 2)), optimum(gaussian(10, 2)))


def test_check_prints_the_claim_and_the_value(capsys):
    agreement.check("thm-x", "gap", 3.1e-12, below=1e-8)
    agreement.check("thm-x", "angle", 0.7, above=0.1, without="a gap")
    assert capsys.readouterr().out == (
        "✓ thm-x: gap < 1e-08 (measured 3.1e-12)\n"
        "✓ thm-x without a gap: angle > 0.1 (measured 0.7)\n"
    )


@pytest.mark.parametrize(
    ("value", "bound"),
    [(2.0, {"below": 1}), (1.0, {"below": 1}), (0.5, {"above": 1}), (float("nan"), {"below": 1}),
     (float("nan"), {"above": 1})],
)
def test_check_raises_with_label_and_figures(value, bound):
    with pytest.raises(AssertionError, match=rf"thm-x: gap . 1 fails: measured {value:g}"):
        agreement.check("thm-x", "gap", value, **bound)


@pytest.mark.parametrize("bounds", [{}, {"below": 1, "above": 0}])
def test_check_needs_one_bound(bounds):
    with pytest.raises(ValueError, match="exactly one bound"):
        agreement.check("thm-x", "gap", 0.5, **bounds)


def test_check_leaves_a_record_in_a_notebook():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(
            "from spectral_ssl.agreement import check\n"
            "check('thm-x', 'gap', 0.25, below=1, without='luck')"
        )
    ]
    NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.data == {"text/plain": "✓ thm-x without luck: gap < 1 (measured 0.25)"}
    assert output.metadata["spectral_ssl"] == {
        "label": "thm-x", "what": "gap", "value": 0.25, "relation": "<", "bound": 1.0,
        "without": "luck",
    }
