"""Sphinx extension: the benchmark's results, as a figure and a table for each case.

Everything shown is read from `benchmarks/results.json`, which `make bench` writes.
"""

import base64
import io
import json
from html import escape
from pathlib import Path
from statistics import median

import matplotlib
import numpy as np
from docutils import nodes
from ledger_page import two_digits
from matplotlib.figure import Figure
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from spectral_ssl.plotting import COLORS, LINE_STYLES, MARKERS

logger = logging.getLogger(__name__)

RESULTS = "benchmarks/results.json"
OURS = "spectral_ssl"
COLUMNS = {
    "Size": 14,
    "Library": 24,
    "Time": 14,
    "Times ours": 18,
    "Memory": 14,
    "Difference": 16,
}


def of_seconds(value):
    """A time for people, to two digits."""
    for size, unit in ((1, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{two_digits(value / size)} {unit}"
    return f"{two_digits(value / 1e-6)} µs"


def of_megabytes(value):
    if value < 1:
        return "below 1 MB"
    return f"{two_digits(value)} MB" if value < 1000 else f"{two_digits(value / 1024)} GB"


def of_size(size):
    return " × ".join(f"{number:,}".replace(",", " ") for number in size)


def quartiles(times):
    """The first quartile, the median and the third."""
    return np.quantile(times, (0.25, 0.5, 0.75)).tolist()


def ratio(ours, theirs):
    """How many times as long they take: of the medians, and of opposite quartiles."""
    (low, middle, high), (least, their_middle, most) = quartiles(ours), quartiles(theirs)
    return their_middle / middle, least / high, most / low


def cells(record, name):
    """The cells of one library at one size, without the size."""
    seconds, memory = record["seconds"], record["memory"][name]
    row = {"library": name, "time": of_seconds(median(seconds[name])), "times-ours": ""}
    row["memory"] = of_megabytes(memory["added"]) if memory else ""
    row["difference"] = ""
    if name != OURS:
        middle, low, high = map(two_digits, ratio(seconds[OURS], seconds[name]))
        row["times-ours"] = middle if low == high else f"{middle} ({low} to {high})"
        row["difference"] = two_digits(record["difference"][name])
    return row


def plots(name, case):
    """Time and memory against size: for each an SVG image, and what it shows in words."""
    times, memory = {}, {}
    for place, record in enumerate(case["records"]):
        for library, seconds in record["seconds"].items():
            times.setdefault(library, {})[place] = quartiles(seconds)
            if record["memory"][library]:
                added = max(record["memory"][library]["added"], 1)
                memory.setdefault(library, {})[place] = [added] * 3
    yield plot(case, times, "seconds"), description(name, case, "time", times, of_seconds)
    if memory:
        image = plot(case, memory, "added megabytes, less than 1 drawn as 1")
        yield image, description(name, case, "added memory", memory, of_megabytes)


def plot(case, values, what):
    """One curve for each library through medians, with the quartiles."""
    figure = Figure(figsize=(4.2, 3.3), layout="constrained")
    ax = figure.subplots()
    for (library, points), color, style, marker in zip(
        values.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        low, middle, high = np.transpose(list(points.values()))
        spread = [middle - low, high - middle]
        look = {"color": color, "linestyle": style, "marker": marker, "capsize": 3}
        ax.errorbar(list(points), middle, spread, label=library, **look)
    sizes = [of_size(record["size"]) for record in case["records"]]
    ax.set_xticks(range(len(sizes)), sizes, rotation=20)
    ax.set_xlim(-0.3, len(sizes) - 0.7)
    ax.set_xlabel(case["axes"].replace(" x ", " × "))
    ax.set_yscale("log")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(what, fontsize=10, loc="left")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    image = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": OURS}):
        figure.savefig(image, format="svg", metadata={"Date": None}, facecolor="white")
    return base64.b64encode(image.getvalue()).decode()


def description(name, case, what, values, in_words):
    """What a plot shows, for those who do not see it."""
    sizes = [of_size(record["size"]) for record in case["records"]]
    ends = [
        f"{library} from {in_words(points[min(points)][1])} at {sizes[min(points)]} "
        f"to {in_words(points[max(points)][1])} at {sizes[max(points)]}"
        for library, points in values.items()
    ]
    return f"{name}: {what} on a logarithmic scale against size. {'; '.join(ends)}."


def remarks(case):
    """Sentences on what the table has no column for."""
    for record in case["records"]:
        size = of_size(record["size"])
        if len(record["seconds"][OURS]) == 1:
            yield f"At {size} each library had one turn."
        if "residual" in record:
            each = (f"{name} {two_digits(value)}" for name, value in record["residual"].items())
            yield f"Residual at {size}: {', '.join(each)}."
        if "setup" in record:
            what, seconds = record["setup"]["what"], of_seconds(record["setup"]["seconds"])
            yield f"Before the clock at {size}: {what}, {seconds}."
        memory = record["memory"][OURS]
        if memory and memory["added"] > 500:
            yield f"The whole process had {of_megabytes(memory['peak'])} at its peak at {size}."


def machines(results):
    """Each machine in words, with the cases that ran there if there are several."""
    found = {}
    for name, case in results["cases"].items():
        for record in case["records"]:
            here = json.dumps(record["machine"], sort_keys=True)
            found.setdefault(here, {}).setdefault(name, []).append(of_size(record["size"]))
    for here, cases in found.items():
        machine = json.loads(here)
        packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        which = "; ".join(f"{name} at {', '.join(sizes)}" for name, sizes in cases.items())
        yield (
            f"{machine['processor']}, {machine['cores']} cores of which PyTorch used "
            f"{machine['threads']}, {machine['memory']} GB of memory, {machine['system']}. "
            f"Python {machine['python']}, {packages}."
            + (f" On it: {which}." if len(found) > 1 else "")
        )


class FromResults(SphinxDirective):
    """What both directives do: read the results, and have the page made anew with them."""

    def results(self):
        path = Path(self.env.srcdir, RESULTS)
        self.env.note_dependency(str(path))
        return json.loads(path.read_text(encoding="utf-8"))


class BenchmarkDirective(FromResults):
    """The figure and the table of one case."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        name = self.arguments[0]
        case = self.results()["cases"].get(name)
        if case is None:
            message = f"no results of {name!r} in {RESULTS}"
            logger.warning(message, location=self.env.docname, type="book")
            return []
        images = [
            f'<img src="data:image/svg+xml;base64,{image}" alt="{escape(words)}">'
            for image, words in plots(name, case)
        ]
        picture = f'<div class="cell_output benchmark-plots">{"".join(images)}</div>'
        notes = [nodes.paragraph(text=text) for text in remarks(case)]
        return [nodes.raw("", picture, format="html"), table(case), *notes]


class MachinesDirective(FromResults):
    """The machines on which the results were measured."""

    def run(self):
        return [nodes.paragraph(text=text) for text in machines(self.results())]


def table(case):
    head = nodes.row("", *(nodes.entry("", nodes.paragraph(text=name)) for name in COLUMNS))
    body = [row for record in case["records"] for row in rows(record)]
    group = nodes.tgroup(
        "",
        *(nodes.colspec(colwidth=width) for width in COLUMNS.values()),
        nodes.thead("", head),
        nodes.tbody("", *body),
        cols=len(COLUMNS),
    )
    return nodes.table("", group, classes=["benchmark", "stacked", "colwidths-given"])


def rows(record):
    """A row for each library; the size spans them all."""
    for name in record["seconds"]:
        row = nodes.row()
        if name == OURS:
            size = entry("size", of_size(record["size"]))
            if len(record["seconds"]) > 1:
                size["morerows"] = len(record["seconds"]) - 1
            row += size
        row += [entry(*cell) for cell in cells(record, name).items()]
        yield row


def entry(name, text):
    return nodes.entry("", *([nodes.paragraph(text=text)] if text else []), classes=[name])


def setup(app):
    app.add_directive("benchmark", BenchmarkDirective)
    app.add_directive("benchmark-machines", MachinesDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
