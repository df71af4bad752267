"""Every notebook keeps the house rules, and every rule can be broken."""

import house_rules as rules
import nbformat
import pytest
from execute import METADATA
from nbformat import v4
from project import ROOT

NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_house_rule(path, rule):
    complaints = list(rule(nbformat.read(path, as_version=4)))
    assert not complaints, f"{path.name}\n" + "\n".join(complaints)


ALT = "A path graph of four nodes, drawn from the left to the right in one line."
CAPTION = '<a id="fig-path"></a>\n**Figure 1.1.** The path graph.'
EXERCISE = """\
<a id="exr-{0}"></a>
> **Exercise 1.{0} (Name).** Do it.

<details><summary>Solution</summary>

It is done.

</details>"""
REFERENCES = '## References\n\n- <a id="cite-fan1949"></a>Fan, K. (1949).'


@pytest.fixture
def notebook():
    """A small notebook that keeps every rule: cells 0 to 3 code, 4 to 9 text."""
    number = v4.new_output("stream", text="2.5\n")
    record = v4.new_output("display_data", {"text/plain": "✓ thm-a: gap < 1e-08"})
    record.metadata["spectral_ssl"] = {"label": "thm-a"}
    figure = v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
    cells = [
        v4.new_code_cell(rules.INSTALL_GUARD + "\nimport matplotlib.pyplot as plt"),
        v4.new_code_cell("print(2.5)", outputs=[number]),
        v4.new_code_cell('check("thm-a", "gap", 0, below=1e-8)', outputs=[record]),
        v4.new_code_cell("plt.plot(x)\nplt.show()", outputs=[figure]),
        v4.new_markdown_cell(CAPTION),
        *(v4.new_markdown_cell(EXERCISE.format(number)) for number in range(1, 5)),
        v4.new_markdown_cell(REFERENCES),
    ]
    for count, cell in enumerate(cells[:4], start=1):
        cell.execution_count = count
    cells[3].metadata["mystnb"] = {"image": {"alt": ALT}}
    return v4.new_notebook(cells=cells, metadata=METADATA)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_good_notebook(notebook, rule):
    assert not list(rule(notebook))


def source(index, new):
    def change(notebook):
        notebook.cells[index].source = new

    return change


def outputs(index, *new):
    def change(notebook):
        notebook.cells[index].outputs = list(new)

    return change


def cell(index, **new):
    return lambda notebook: notebook.cells[index].update(new)


def metadata(index, **new):
    return lambda notebook: notebook.cells[index].metadata.update(new)


def strip_outputs(notebook):
    for cell in notebook.cells[:4]:
        cell.outputs, cell.execution_count = [], None


def display(kind, value="x"):
    return v4.new_output("display_data", {kind: value})


STDERR = v4.new_output("stream", name="stderr", text="a warning")
ERROR = v4.new_output("error", ename="ValueError", evalue="", traceback=[])
UNSOLVED = EXERCISE.format(1).partition("\n\n")[0]
GUARD = rules.INSTALL_GUARD

BREAKS = [
    (rules.begins_with_install_guard, source(0, "import torch")),
    (rules.begins_with_install_guard, source(0, GUARD.replace("github.com/", "github.com/x"))),
    (rules.imports_what_colab_has, source(1, "import jax.numpy as jnp")),
    (rules.imports_what_colab_has, source(1, "def f():\n    from cca_zoo.linear import CCA")),
    (rules.is_executed, strip_outputs),
    (rules.is_executed, cell(1, execution_count=7)),
    (rules.is_executed, source(1, " ")),
    (rules.has_its_outputs, strip_outputs),
    (rules.has_its_outputs, outputs(1)),
    (rules.has_its_outputs, outputs(3)),
    (rules.has_no_errors, outputs(1, ERROR)),
    (rules.has_no_errors, outputs(1, STDERR)),
    (rules.has_checks, strip_outputs),
    (rules.has_checks, outputs(2, display("text/plain"))),
    (rules.has_checks, cell(2, source="x = 1", outputs=[])),
    (rules.has_short_cells, source(1, "x = 1\n" * 26)),
    (rules.has_short_cells, lambda nb: [source(i, "x = 1\n" * 9)(nb) for i in range(3)]),
    (rules.has_narrow_code, source(1, "x" * 76)),
    (rules.has_narrow_outputs, outputs(1, display("text/plain", "x" * 101))),
    (rules.has_narrow_outputs, outputs(1, v4.new_output("stream", text="x" * 101))),
    (rules.is_plain_markdown, source(4, "```{note}\n```")),
    (rules.is_plain_markdown, source(4, "see {prf:ref}`thm-a`")),
    (rules.is_plain_markdown, source(4, ":::{note}")),
    (rules.is_plain_markdown, source(4, "(sec-a)=\n## A")),
    (rules.keeps_quoted_math_on_one_line, source(4, "> $$ a\n> + b $$")),
    (rules.has_no_absolute_path, source(1, "open('/" + "home/me/x')")),
    (rules.has_no_absolute_path, source(4, "in C:" + "\\Users\\me")),
    (rules.has_no_absolute_path, outputs(1, display("text/plain", "/" + "tmp/x.py"))),
    (rules.stays_offline, source(1, "import urllib.request")),
    (rules.stays_offline, source(1, "fetch_openml('mnist_784')")),
    (rules.stays_offline, source(1, "!wget data.zip")),
    (rules.stays_offline, source(0, GUARD + "%pip install plotly")),
    (rules.silences_nothing, source(1, "import warnings\nwarnings.filterwarnings('ignore')")),
    (rules.silences_nothing, source(1, "warnings.simplefilter('ignore')")),
    (rules.silences_nothing, metadata(1, tags=["nbval-ignore-output"])),
    (rules.silences_nothing, source(1, "# NBVAL_IGNORE_OUTPUT")),
    (rules.keeps_torch, source(0, "%pip install -q torch==2.1")),
    (rules.keeps_torch, source(0, "%pip install -q --upgrade spectral-ssl")),
    (rules.has_captions_and_alt_texts, metadata(3, mystnb={})),
    (rules.has_captions_and_alt_texts, metadata(3, mystnb={"image": {"alt": "A graph."}})),
    (rules.has_captions_and_alt_texts, metadata(3, mystnb={"image": {"alt": "x" * 40 + ".png"}})),
    (rules.has_captions_and_alt_texts, source(4, "The path graph.")),
    (rules.has_captions_and_alt_texts, lambda nb: nb.cells.insert(4, nb.cells[0])),
    (rules.has_solved_exercises, source(5, "Nothing.")),
    (rules.has_solved_exercises, source(5, UNSOLVED)),
    (rules.has_solved_exercises, source(8, UNSOLVED)),
    (rules.has_clean_metadata, lambda nb: nb.metadata.update(widgets={})),
    (rules.has_clean_metadata, lambda nb: nb.metadata.kernelspec.update(name="ssl")),
    (rules.has_clean_metadata, metadata(1, execution={"iopub.status.busy": "12:00"})),
    (rules.has_clean_metadata, cell(1, id="same")),
    (rules.has_clean_metadata, outputs(1, display("application/vnd.jupyter.widget-view+json"))),
    (rules.is_small, outputs(3, display("image/png", "A" * 1_600_000))),
    (rules.has_references, source(9, "## References")),
    (rules.has_references, source(9, "Fan, K. (1949).")),
]


@pytest.mark.parametrize(("rule", "change"), BREAKS, ids=lambda value: value.__name__)
def test_rule_can_be_broken(notebook, rule, change):
    notebook.cells[2].id = "same"
    change(notebook)
    assert list(rule(notebook))


def test_every_rule_is_broken_once():
    assert {rule for rule, _ in BREAKS} == set(rules.RULES)
