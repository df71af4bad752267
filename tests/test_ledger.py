"""Every statement of the book has a check, and every check a statement."""

import json
import re

import pytest
from project import ROOT
from ledger import checks, problems, statements

from spectral_ssl import agreement

NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
CALL = re.compile(r'\bcheck\(\s*"([^"]+)",\s*"([^"]+)"')


def calls(notebook):
    """Label and quantity of every check that a notebook's code makes."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return {call for source in code for call in CALL.findall(source)}


def test_the_book_has_notebooks():
    assert NOTEBOOKS


def test_every_statement_has_a_check_and_every_check_a_statement():
    assert problems(NOTEBOOKS) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_records_are_those_of_the_code(notebook):
    recorded = {(record["label"], record["what"]) for record in checks(notebook)}
    assert recorded == calls(notebook)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_recorded_values_keep_their_bounds(notebook):
    for record in checks(notebook):
        side = {"<": "below", ">": "above"}[record["relation"]]
        agreement.check(
            record["label"], record["what"], record["value"],
            without=record["without"], **{side: record["bound"]},
        )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_goes_beyond_its_conditions(notebook):
    assert any(record["without"] for record in checks(notebook))


@pytest.fixture
def edited(tmp_path):
    """Writes a changed copy of the first notebook, and returns its path."""

    def edit(change):
        notebook = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
        change(notebook["cells"])
        path = tmp_path / NOTEBOOKS[0].name
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return edit


def lone_check():
    """Label of a statement with a single check within its conditions."""
    labels = [record["label"] for record in checks(NOTEBOOKS[0]) if not record["without"]]
    return next(label for label in labels if labels.count(label) == 1)


def test_a_deleted_check_is_noticed(edited):
    label = lone_check()

    def delete(cells):
        for cell in cells:
            if f'check("{label}"' in "".join(cell["source"]):
                cell["outputs"] = []

    path = edited(delete)
    assert problems([path]) == [f"{path.name}: {label} has no check"]
    assert {(r["label"], r["what"]) for r in checks(path)} != calls(path)


def test_a_check_of_nothing_is_noticed(edited):
    def misspell(cells):
        outputs = (output for cell in cells for output in cell.get("outputs", []))
        output = next(o for o in outputs if "spectral_ssl" in o.get("metadata", {}))
        output["metadata"]["spectral_ssl"]["label"] = "thm-nothing"

    path = edited(misspell)
    assert f"{path.name}: no statement has the label thm-nothing" in problems([path])


def test_statements_name_their_conditions():
    for notebook in NOTEBOOKS:
        for statement in statements(notebook):
            assert re.match(r"(Let|For|Suppose|Assume) ", statement.conditions), statement.label
