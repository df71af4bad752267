"""The rules every notebook of the book keeps.

A rule takes a notebook and yields one complaint for each place that breaks it.
"""

import ast
import json
import re
import sys
from itertools import pairwise
from statistics import median

from execute import CELL_METADATA, METADATA
from project import REPOSITORY

INSTALL_GUARD = f"""\
import importlib.util
if importlib.util.find_spec("spectral_ssl") is None:
    %pip install -q "git+{REPOSITORY}"
"""
SHOWS = {"check", "display", "print", "show"}
COLAB_HAS = {"IPython", "matplotlib", "numpy", "scipy", "sklearn", "spectral_ssl", "torch"}


def cells(notebook, kind):
    """Pairs of a name such as 'cell 3' and the cell, for one kind of cell."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == kind:
            yield f"cell {index}", cell


def code_lines(notebook):
    """Pairs of a cell's name and a line of code, without the install guard."""
    for name, cell in cells(notebook, "code"):
        for line in cell.source.replace(INSTALL_GUARD, "").splitlines():
            yield name, line


def texts(cell):
    """The text a cell's outputs show: streams, plain text and HTML."""
    for output in cell.outputs:
        for kind in ("text/plain", "text/html"):
            yield output.get("data", {}).get(kind, "")
        yield output.get("text", "")


def parse(source):
    """The syntax tree of a cell, in which IPython's magics do nothing."""
    return ast.parse(re.sub(r"^(\s*)[%!]", r"\1pass # ", source, flags=re.M))


def calls(source):
    """Names of the functions that the code calls outside function bodies."""
    nodes = [parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", None))
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            nodes.extend(ast.iter_child_nodes(node))


def begins_with_install_guard(notebook):
    """A comment may stand before the guard, and imports after it."""
    _, first = next(cells(notebook, "code"))
    if not re.match(rf"(#.*\n)*{re.escape(INSTALL_GUARD)}", first.source + "\n"):
        yield f"the first code cell does not begin with\n{INSTALL_GUARD}"


def imports_what_colab_has(notebook):
    for name, cell in cells(notebook, "code"):
        for node in ast.walk(parse(cell.source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [alias.name for alias in node.names]
                modules = [node.module] if isinstance(node, ast.ImportFrom) else modules
                packages = {module.partition(".")[0] for module in modules}
                for package in packages - COLAB_HAS - sys.stdlib_module_names:
                    yield f"{name} imports {package}, which Colab may lack"


def is_executed(notebook):
    for count, (name, cell) in enumerate(cells(notebook, "code"), start=1):
        if not cell.source.strip():
            yield f"{name} is empty"
        if cell.execution_count != count:
            yield f"{name} has execution count {cell.execution_count}, not {count}"


def has_its_outputs(notebook):
    for name, cell in cells(notebook, "code"):
        shown = SHOWS.intersection(calls(cell.source))
        if shown and not cell.outputs:
            yield f"{name} calls {', '.join(sorted(shown))} and has no output"


def has_no_errors(notebook):
    for name, cell in cells(notebook, "code"):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name} ends with {output.ename}"
            if output.get("name") == "stderr":
                yield f"{name} wrote to stderr: {output.text[:80]}"


def has_checks(notebook):
    records = 0
    for name, cell in cells(notebook, "code"):
        here = sum("spectral_ssl" in output.get("metadata", {}) for output in cell.outputs)
        if "check" in calls(cell.source) and not here:
            yield f"{name} calls check and has no record"
        records += here
    if not records:
        yield "no cell has the record of a check"


def has_short_cells(notebook):
    lengths = {name: len(cell.source.splitlines()) for name, cell in cells(notebook, "code")}
    if lengths and median(lengths.values()) > 8:
        yield f"half of the code cells are longer than {median(lengths.values())} lines, not 8"
    yield from (f"{name} has {n} lines, more than 25" for name, n in lengths.items() if n > 25)


def has_narrow_code(notebook):
    for name, line in code_lines(notebook):
        if len(line) > 75:
            yield f"{name} has {len(line)} columns, more than 75: {line}"


def has_narrow_outputs(notebook):
    for name, cell in cells(notebook, "code"):
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            if max(map(len, text.splitlines()), default=0) > 100:
                yield f"{name} prints a line of more than 100 columns"


def is_plain_markdown(notebook):
    raw = re.compile(r"^\s*(?:```|~~~)\{|\{[\w:-]+\}`|^\s*:::|^\([\w-]+\)=$", re.M)
    for name, cell in cells(notebook, "markdown"):
        for found in raw.findall(cell.source):
            yield f"{name} has raw MyST: {found.strip()}"


def keeps_quoted_math_on_one_line(notebook):
    """JupyterLab would show the quote's next > inside the formula."""
    for name, cell in cells(notebook, "markdown"):
        for line in cell.source.splitlines():
            if line.lstrip().startswith(">") and line.count("$$") % 2:
                yield f"{name} breaks a displayed formula in a quote: {line}"


def has_no_absolute_path(notebook):
    path = re.compile(
        r"(?<![\w.])/(?:home|root|tmp|work|Users|content)\b|\b[A-Z]:\\+(?:Users|Temp|Windows)\b"
    )
    for index, cell in enumerate(notebook.cells):
        outputs = texts(cell) if cell.cell_type == "code" else []
        for text in (cell.source, *outputs):
            for found in path.findall(text):
                yield f"cell {index} has an absolute path: {found}"


def stays_offline(notebook):
    network = r"https?://|\b(?:urllib|requests|fetch_)|torch\.hub|download=|^\s*(?:!|%(?:pip|conda))"
    for name, line in code_lines(notebook):
        if re.search(network, line):
            yield f"{name} reaches out: {line.strip()}"


def silences_nothing(notebook):
    silencers = re.compile(r"filterwarnings|simplefilter|catch_warnings|captureWarnings|%%capture")
    for name, cell in cells(notebook, "code"):
        for found in silencers.findall(cell.source):
            yield f"{name} silences warnings: {found}"
        for tag in cell.metadata.get("tags", []):
            if tag.startswith("nbval"):
                yield f"{name} is not compared: tag {tag}"
        if "NBVAL" in cell.source:
            yield f"{name} is not compared: NBVAL comment"


def keeps_torch(notebook):
    for name, cell in cells(notebook, "code"):
        for line in re.findall(r"^.*\bpip3?\b.*$", cell.source, re.M):
            if re.search(r"\b(torch|numpy)\b|--upgrade|-U\b|--force", line):
                yield f"{name} may change torch or numpy: {line.strip()}"


def has_captions_and_alt_texts(notebook):
    for index, cell in enumerate(notebook.cells):
        if not any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            continue
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt) < 40 or re.search(r"\.\w{3,4}$", alt):
            yield f"cell {index} draws a figure without a proper alt text: {alt!r}"
        after = notebook.cells[index + 1] if index + 1 < len(notebook.cells) else None
        caption = r'<a id="fig-[\w-]+"></a>\n\*\*Figure \d+\.\d+\.\*\* \S'
        if not after or after.cell_type != "markdown" or not re.match(caption, after.source):
            yield f"cell {index} draws a figure and no caption follows"


def has_solved_exercises(notebook):
    text = "\n".join(cell.source for _, cell in cells(notebook, "markdown"))
    parts = re.findall(r'<a id="(exr-[\w-]+)">|<details><summary>(Solution)\b', text)
    exercises = [label for label, _ in parts if label]
    if len(exercises) < 4:
        yield f"{len(exercises)} exercises, fewer than four"
    for (label, _), (_, solution) in pairwise([*parts, ("", "")]):
        if label and not solution:
            yield f"{label} has no solution"


def has_clean_metadata(notebook):
    if notebook.metadata != METADATA:
        yield f"the notebook's metadata is not the plain python3 one: {dict(notebook.metadata)}"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "cells without an id of their own"
    for index, cell in enumerate(notebook.cells):
        for key in cell.metadata.keys() - CELL_METADATA:
            yield f"cell {index} has metadata {key}"
        for output in cell.get("outputs", []):
            if any("widget" in kind for kind in output.get("data", {})):
                yield f"cell {index} shows a widget"


def is_small(notebook):
    size = len(json.dumps(notebook, ensure_ascii=False).encode()) / 1e6
    if size > 1.5:
        yield f"{size:.1f} MB, more than 1.5 MB"


def has_references(notebook):
    text = "\n".join(cell.source for _, cell in cells(notebook, "markdown"))
    _, *after = re.split(r"^## References$", text, flags=re.M)
    if not after or not re.search(r'^- <a id="cite-\w+"></a>\S', after[0], re.M):
        yield "no list of references under ## References"


RULES = [
    begins_with_install_guard,
    imports_what_colab_has,
    is_executed,
    has_its_outputs,
    has_no_errors,
    has_checks,
    has_short_cells,
    has_narrow_code,
    has_narrow_outputs,
    is_plain_markdown,
    keeps_quoted_math_on_one_line,
    has_no_absolute_path,
    stays_offline,
    silences_nothing,
    keeps_torch,
    has_captions_and_alt_texts,
    has_solved_exercises,
    has_clean_metadata,
    is_small,
    has_references,
]
