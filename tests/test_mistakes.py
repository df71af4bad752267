"""Each mistake in the book's text is a warning, on a tiny book with a mistake in each chapter."""

import re

import pytest

pytest.importorskip("jupyter_book")

from mistakes import MISTAKES
from tiny_book import build, notebook, write

NUMBERS = {name: number for number, name in enumerate(MISTAKES, start=11)}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    pages = {}
    for name, (cells, _) in MISTAKES.items():
        cells = [cells] if isinstance(cells, str) else cells
        if name != "title":
            cells = ["# Title", *cells]
        text = notebook(*cells).replace("N.", f"{NUMBERS[name]}.")
        pages[f"{NUMBERS[name]}_{name}.ipynb"] = text
    write(folder, pages)
    return build(folder)


def expected(name):
    return re.sub(r"N(?=\.)|\bN$", str(NUMBERS[name]), MISTAKES[name][1])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_warning(wrong, name):
    found = wrong.warnings_of(f"{NUMBERS[name]}_{name}")
    assert expected(name) in found
    assert name == "twice" or len(found) == 1


def test_every_warning_is_expected(wrong):
    ours = re.findall(r"(\d+_\w+)\.ipynb(?::\d+)?: WARNING", wrong.warnings)
    assert set(ours) == {f"{number}_{name}" for name, number in NUMBERS.items()}


def test_a_second_build_warns_again(wrong):
    again = build(wrong.folder)
    for name, number in NUMBERS.items():
        assert expected(name) in again.warnings_of(f"{number}_{name}")
