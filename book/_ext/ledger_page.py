"""Sphinx extension: the ledger as a page of the book."""

from collections import defaultdict

from chapter_numbers import chapter_number
from docutils import nodes
from docutils.statemachine import StringList
from ledger import checks, problems, statements, title
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

COLUMNS = {"Statement": 18, "Conditions": 27, "Measured": 27, "Value": 15, "Bound": 13}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def two_digits(value):
    """A number to two digits, for people: 3.1 × 10⁻¹⁵, 0.43, 12."""
    mantissa, exponent = f"{value:.1e}".replace("-", "−", value < 0).split("e")
    if value == 0 or -2 <= int(exponent) < 3:
        return f"{float(f'{value:.1e}'):g}".replace("-", "−")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if mantissa == "1.0" else f"{mantissa} × {power}"


class LedgerDirective(SphinxDirective):
    """A table for each chapter, with a row for each check."""

    def run(self):
        chapters = sorted(filter(chapter_number, self.env.found_docs), key=chapter_number)
        paths = {docname: self.env.doc2path(docname) for docname in chapters}
        records = defaultdict(list)
        for path in paths.values():
            self.env.note_dependency(path)
            for record in checks(path):
                records[record["label"]].append(record)
        for problem in problems(paths.values()):
            logger.warning(problem, location=self.env.docname, type="book")
        sections = [self.section(docname, path, records) for docname, path in paths.items()]
        return [summary(records.values()), *sections]

    def section(self, docname, path, records):
        number = chapter_number(docname)
        heading = self.parse(f"Chapter {number}: {title(path)}")[0]
        rows = [
            row
            for item in statements(path)
            for row in self.rows(item, f"/{docname}.ipynb", records.get(item.label, []))
        ]
        content = [nodes.title("", "", *heading.children), *([table(rows)] if rows else [])]
        return nodes.section("", *content, ids=[f"chapter-{number}"])

    def rows(self, item, file, records):
        """A row for each record; the statement and its conditions span them all."""
        name = f" ({item.title})" if item.title else ""
        for record in records:
            row = nodes.row("", classes=["beyond"] if record["without"] else [])
            if record is records[0]:
                statement = f"[{item.kind} {item.number}]({file}#{item.label}){name}"
                conditions = item.conditions.replace("](#", f"]({file}#")
                row += self.entry("statement", statement, rows=len(records))
                row += self.entry("conditions", conditions, rows=len(records))
            row += self.entry("measured", measured(record))
            row += self.entry("value", two_digits(record["value"]))
            row += self.entry("bound", f"\\{record['relation']} {two_digits(record['bound'])}")
            yield row

    def entry(self, name, text, rows=1):
        entry = nodes.entry("", *self.parse(text), classes=[name])
        if rows > 1:
            entry["morerows"] = rows - 1
        return entry

    def parse(self, text):
        container = nodes.Element()
        self.state.nested_parse(StringList([text], self.env.docname), 0, container)
        return container.children


def measured(record):
    if record["without"]:
        return f"**Without {record['without']}:** {record['what']}"
    return record["what"]


def summary(records):
    made = [record for each in records for record in each]
    beyond = sum(bool(record["without"]) for record in made)
    counts = f"{len(records)} statements, {len(made)} checks, {beyond} of them"
    return nodes.paragraph(text=f"{counts} beyond the conditions.")


def table(rows):
    head = nodes.row("", *(nodes.entry("", nodes.paragraph(text=name)) for name in COLUMNS))
    group = nodes.tgroup(
        "",
        *(nodes.colspec(colwidth=width) for width in COLUMNS.values()),
        nodes.thead("", head),
        nodes.tbody("", *rows),
        cols=len(COLUMNS),
    )
    return nodes.table("", group, classes=["ledger", "stacked", "colwidths-given"])


def setup(app):
    app.add_directive("ledger", LedgerDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
