"""The benchmark's page shows what was measured, all of it and nothing else."""

import json
import re

import pytest

pytest.importorskip("jupyter_book")

import benchmark_page as page
from cases import OURS, all_cases
from project import ROOT

CASES = all_cases()
RESULTS = json.loads((ROOT / page.RESULTS).read_text())["cases"]


@pytest.mark.parametrize("name", CASES)
def test_every_case_and_size_has_results(name):
    case, records = CASES[name], RESULTS[name]["records"]
    assert RESULTS[name]["axes"] == case.axes
    assert [tuple(record["size"]) for record in records] == sorted(case.sizes + case.long)
    for record in records:
        seconds = record["seconds"]
        assert next(iter(seconds)) == OURS
        assert set(seconds) == set(record["memory"]) == {OURS, *record["difference"]}
        assert all(times and min(times) > 0 for times in seconds.values())
        assert record["residual"][OURS] < 1e-8 if case.residual else "residual" not in record
        assert record["machine"]["packages"]["torch"]


def test_page_shows_every_result_and_types_none():
    text = (ROOT / "book" / "benchmarks.md").read_text()
    assert re.findall(r"\{benchmark\} (.+)", text) == list(CASES)
    assert not re.search(r"\d\s*(%|µs|ms|s|MB|GB|seconds|times|minutes)\b", text)


def test_ratio():
    middle, low, high = page.ratio([1, 2, 3, 4, 5], [20, 30, 40, 50, 60])
    assert (middle, low, high) == (40 / 3, 30 / 4, 50 / 2)
    assert page.ratio([2.0], [6.0]) == (3, 3, 3)


@pytest.mark.parametrize(
    ("seconds", "words"),
    {3e-6: "3 µs", 0.00123: "1.2 ms", 0.5: "500 ms", 1: "1 s", 363.2: "360 s"}.items(),
)
def test_times_in_words(seconds, words):
    assert page.of_seconds(seconds) == words


def test_memory_in_words():
    assert [page.of_megabytes(m) for m in (0.2, 1, 512, 3072)] == [
        "below 1 MB", "1 MB", "510 MB", "3 GB"
    ]  # fmt: skip
