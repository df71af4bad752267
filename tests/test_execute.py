"""`make execute` saves what a notebook shows, and nothing of the machine or the hour."""

import sys

import nbformat
import pytest
from nbformat import v4
from project import ROOT, run

FIGURE = """\
import matplotlib.pyplot as plt
plt.plot([1, 2, 0])
plt.show()"""


def execute(path):
    return run(sys.executable, ROOT / "tools" / "execute.py", path)


def write(path, *sources):
    cells = [v4.new_code_cell(source) for source in sources]
    nbformat.write(v4.new_notebook(cells=cells), path)


def test_a_second_run_leaves_the_same_bytes(tmp_path):
    path = tmp_path / "sample.ipynb"
    write(path, "import os\nprint(os.listdir())", FIGURE)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.update(widgets={}, language_info={"name": "python", "version": "3.0"})
    notebook.cells[1].metadata.update(
        execution={"iopub.status.busy": "12:00"}, mystnb={"image": {"alt": "A line."}}
    )
    nbformat.write(notebook, path)

    execute(path)
    first = path.read_bytes()
    execute(path)
    assert path.read_bytes() == first

    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]
    listing, figure = notebook.cells
    assert listing.outputs[0].text == "[]\n"
    assert figure.metadata == {"mystnb": {"image": {"alt": "A line."}}}
    assert "image/png" in figure.outputs[0].data
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_cell_leaves_the_notebook_unchanged(tmp_path):
    path = tmp_path / "sample.ipynb"
    write(path, "print('before')", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(AssertionError, match="(?s)1 / 0.*ZeroDivisionError.*is unchanged"):
        execute(path)
    assert path.read_bytes() == before
