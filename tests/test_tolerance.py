"""How nbval compares a notebook's outputs: see chapters/conftest.py."""

import runpy
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4
from project import ROOT

CONFTEST = ROOT / "chapters" / "conftest.py"
Output = runpy.run_path(str(CONFTEST))["Output"]


@pytest.mark.parametrize(
    ("committed", "new"),
    [
        ("loss 1.0000", "loss 1.0001"),
        ("loss 1.0000", "loss 0.9999"),
        ("loss 0.123", "loss 0.124"),
        ("2.718281828459045", "2.718281828459046"),
        ("tensor([ 0.0000,  1.5])", "tensor([-0.0000,  1.5])"),
        ("error 3.1e-12", "error 8.7e-10"),
        ("[10.000,  2.0]", "[ 9.9999,  2.0]"),
        ("<td>12.345678</td>", "<td>12.345679</td>"),
        ("epoch 3 of nan", "epoch 3 of nan"),
        ("✓ thm-x: gap < 1e-08 (measured 3.1e-12)", "✓ thm-x: gap < 1e-08 (measured 0)"),
    ],
)
def test_agree(committed, new):
    assert Output(committed) == Output(new)
    assert not Output(committed) != Output(new)


@pytest.mark.parametrize(
    ("committed", "new"),
    [
        ("loss 1.0000", "loss 1.0002"),
        ("loss 0.12", "loss 0.13"),
        ("3.14159265", "3.14259265"),
        ("the loss is 1.0", "the gap is 1.0"),
        ("rank 3", "rank 4"),
        ("rank 1000000", "rank 1000001"),
        ("rank 3", "rank 3.0"),
        ("loss 1.0", "loss nan"),
        ("loss nan", "loss 1.0"),
        ("loss 1.0", "loss inf"),
        ("loss 1.0", "loss -1.0"),
        ("[1.0, 2.0]", "[1.0, 2.0, 3.0]"),
        ("error 1e-12", "error 1e-06"),
        ("done", "Done"),
        ("✓ thm-x: gap < 1e-08 (measured 3e-12)", "✓ thm-x: gap < 1e-06 (measured 3e-12)"),
        ("✓ thm-x: gap < 1e-08 (measured 3e-12)", "✓ thm-y: gap < 1e-08 (measured 3e-12)"),
        ("loss (measured 1.5)", "loss (measured 2.5)"),
    ],
)
def test_differ(committed, new):
    assert Output(committed) != Output(new)
    assert not Output(committed) == Output(new)


def executed(source, *outputs):
    return v4.new_code_cell(source, execution_count=1, outputs=list(outputs))


def stdout(text):
    return v4.new_output("stream", text=text)


WARNS = "import sys\nprint('a warning', file=sys.stderr)"
WARNED = v4.new_output("stream", name="stderr", text="a warning\n")
SHOWS = "from IPython.display import display\n"
CELLS = {
    "a number within the tolerance": (executed("print(1.00001)", stdout("1.0\n")), True),
    "another number": (executed("print(1.1)", stdout("1.0\n")), False),
    "another word": (executed("print('two')", stdout("one\n")), False),
    "another result": (
        executed("2.5", v4.new_output("execute_result", {"text/plain": "1.5"})),
        False,
    ),
    "another table": (
        executed(
            SHOWS + "display({'text/html': '<b>2.5</b>'}, raw=True)",
            v4.new_output("display_data", {"text/html": "<b>1.5</b>"}),
        ),
        False,
    ),
    "another picture and another measured value": (
        executed(
            SHOWS + "display({'image/png': 'AAAA'}, raw=True, metadata={'value': 2})",
            v4.new_output("display_data", {"image/png": "BBBB"}, metadata={"value": 1}),
        ),
        True,
    ),
    "no output": (executed("pass", stdout("1.0\n")), False),
    "a new warning": (executed(WARNS), False),
    "a committed warning": (executed(WARNS, WARNED), False),
    "an error": (executed("1 / 0"), False),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The outcome of every cell above, run as `make test` runs it."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(CONFTEST, folder)
    cells = [cell for cell, _ in CELLS.values()]
    nbformat.write(v4.new_notebook(cells=cells), folder / "sample.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "--nbval", "--nbval-current-env", folder]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    lines = [line.split(" ", 1) for line in run.stdout.splitlines() if "::Cell" in line]
    return {cell.partition(" - ")[0]: outcome for outcome, cell in lines}


@pytest.mark.parametrize("what", CELLS)
def test_notebook_with(what, outcomes):
    _, passes = CELLS[what]
    outcome = outcomes[f"sample.ipynb::Cell {list(CELLS).index(what)}"]
    assert outcome == ("PASSED" if passes else "FAILED")
