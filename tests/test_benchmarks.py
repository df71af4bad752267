"""The benchmark compares libraries that compute the same, and records what it measures."""

import json

import pytest
import run
from cases import OURS, all_cases
from peers import lightly_losses

CASES = all_cases()
NEED_LIGHTLY = ("NT-Xent", "VICReg", "Barlow Twins")


@pytest.mark.parametrize("name", CASES)
def test_both_sides_compute_the_same(name):
    if name in NEED_LIGHTLY and lightly_losses() is None:
        pytest.skip("needs lightly")
    case = CASES[name]
    record = run.take_turns(case, case.quick, turns=1)
    assert next(iter(record["seconds"])) == OURS
    residual = record.get("residual", {})
    assert all(each < 1e-5 for each in residual.values()), record
    assert residual.get(OURS, 0) < 1e-10, record
    # an iterative peer that stops early is no referee of the result
    referees = [peer for peer in record["difference"] if residual.get(peer, 0) < 1e-10]
    assert bool(referees) == bool(record["difference"])
    assert all(record["difference"][peer] < 1e-5 for peer in referees), record


def test_results_of_other_cases_are_kept(tmp_path):
    output = tmp_path / "results.json"
    for name in ("VICReg of blocks", "PCA"):
        run.main([name], quick=True, output=output)
    cases = json.loads(output.read_text())["cases"]
    assert set(cases) == {"VICReg of blocks", "PCA"}
    (record,) = cases["PCA"]["records"]
    assert set(record["memory"]) == set(record["seconds"]) == {OURS, "scikit-learn"}
    assert record["machine"]["cores"] >= 1


def test_unknown_case_is_named():
    with pytest.raises(SystemExit, match="no case PCB"):
        run.main(["PCB"])
