"""The ledger: every statement of the book beside what was measured to check it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from plain_markdown import STATEMENTS, TAG, translate_notebook

CHECKED = ("Theorem", "Proposition", "Lemma", "Corollary")
TITLE = re.compile(r"^# (?:[\d.]+\s+)?(.+)$", re.MULTILINE)
SENTENCE = re.compile(
    r"(?:\$\$.*?\$\$|\$.*?\$|`[^`]*`|\]\([^)]*\)|\b(?:e\.g|i\.e|cf|resp)\.|.)*?"
    r"[.!?](?=\s|\Z)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """A theorem, lemma, definition, ... of a chapter."""

    label: str
    kind: str
    number: str
    title: str
    text: str

    @property
    def conditions(self):
        """The first sentence, which names them."""
        text = re.sub(r'<a id="[^"]*"></a>', "", TAG.sub("", self.text))
        first = SENTENCE.match(text.strip())
        return " ".join((first[0] if first else text).split())


def title(path):
    """The title of a notebook, without its number."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    sources = ("".join(cell["source"]) for cell in cells)
    return next(found[1] for source in sources if (found := TITLE.search(source)))


def statements(path):
    """The statements of a notebook, in their order."""
    translation = translate_notebook(Path(path).read_text(encoding="utf-8"))
    return [
        Statement(item.label, item.kind, item.number, item.title, item.text)
        for item in translation.definitions
        if item.kind in STATEMENTS.values()
    ]


def checks(path):
    """The records that `spectral_ssl.agreement.check` left in a notebook's outputs."""
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    return [
        output["metadata"]["spectral_ssl"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "spectral_ssl" in output.get("metadata", {})
    ]


def problems(paths):
    """Statements without a check within their conditions, and checks of nothing."""
    paths = list(map(Path, paths))
    records = [(path, record) for path in paths for record in checks(path)]
    items = [(path, item) for path in paths for item in statements(path)]
    checked = {record["label"] for _, record in records if not record["without"]}
    labels = {item.label for _, item in items}
    return [
        f"{path.name}: {item.label} has no check"
        for path, item in items
        if item.kind in CHECKED and item.label not in checked
    ] + [
        f"{path.name}: no statement has the label {record['label']}"
        for path, record in records
        if record["label"] not in labels
    ]
