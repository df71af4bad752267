"""Translate the book's plain Markdown into MyST directives.

The notebooks are written in Markdown that reads well anywhere: a statement is a
quote that begins with its bold name, a proof is a ``<details>`` element, and an
anchor ``<a id="thm-name"></a>`` on the line before names what follows.  Here each
of these becomes a directive, and the number the author typed is taken out of the
text and kept, to be compared with the number Sphinx gives.
"""

import json
import re
from dataclasses import dataclass, field

from markdown_blocks import (
    DETAILS,
    QUOTE,
    dedented,
    end_of_block,
    indent_of,
    indented,
    masked_code,
    unquoted,
)

STATEMENTS = {
    "thm": "Theorem",
    "lem": "Lemma",
    "prp": "Proposition",
    "cor": "Corollary",
    "def": "Definition",
    "rem": "Remark",
    "exa": "Example",
}
KINDS = STATEMENTS | {
    "exr": "Exercise",
    "eq": "Equation",
    "fig": "Figure",
    "sec": "Section",
}

LABEL = rf"(?:{'|'.join(KINDS)})-[a-z0-9-]+"
NUMBER = r"\d+(?:\.\d+)*"
NAMES = "|".join([*STATEMENTS.values(), "Exercise"])

ANCHOR = re.compile(rf' *<a id="({LABEL})"></a>\s*')
NAMED_QUOTE = re.compile(rf" *> *\*\*(?:{NAMES})\b")
STATEMENT = re.compile(
    rf"\*\*({NAMES})\s+({NUMBER})(?:\s+\((.+?)\))?\.\*\*\s*(.*)", re.DOTALL
)
TAG = re.compile(rf"\s*\\tag\{{({NUMBER})\}}")
CAPTION = re.compile(
    rf'\s*<a id="(fig-[a-z0-9-]+)"></a>\s*\n'
    rf"\*\*Figure ({NUMBER})\.\*\*\s*(.*?)(?:\n\s*\n(.*))?",
    re.DOTALL,
)
SUMMARY = re.compile(
    r" *<details(?: open)?>\s*<summary>(.+?)</summary>(.*)</details>\s*", re.DOTALL
)
STRAYS = {
    re.compile(rf'<a id="{LABEL}"'): "an anchor is not alone on its line",
    re.compile(r"\\tag\{"): "an equation with a \\tag has no label",
    re.compile(r"^\s*\*\*Figure \d"): "a caption has no label",
}


@dataclass(frozen=True)
class Definition:
    """A labelled object with the kind and the number typed for it."""

    label: str
    kind: str
    number: str
    title: str = ""
    text: str = ""


@dataclass
class Translation:
    """The MyST text, the objects defined in it, and what is wrong with it."""

    text: str = ""
    definitions: list = field(default_factory=list)
    problems: list = field(default_factory=list)


def translate(text):
    """Translate the text of a page."""
    result = Translation()
    result.text = _blocks(text, result)
    return result


def translate_notebook(text):
    """Translate the Markdown cells of a notebook given as JSON."""
    notebook = json.loads(text)
    result, previous = Translation(), None
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = _move_caption("".join(cell["source"]), previous, result)
            cell["source"] = _blocks(source, result)
        previous = cell
    result.text = json.dumps(notebook, ensure_ascii=False)
    return result


def _blocks(text, result):
    """Walk through the blocks; the text inside a block is translated first."""
    lines, masked = text.split("\n"), masked_code(text).split("\n")
    output, position = [], 0
    while position < len(lines):
        line, end = masked[position], position + 1
        if anchor := ANCHOR.fullmatch(line):
            end = end_of_block(masked, end)
            output += _labelled(anchor[1], lines[position + 1 : end], result)
        elif QUOTE.match(line) or DETAILS.match(line):
            end = end_of_block(masked, position)
            output += _block(lines[position:end], result)
        else:
            _note_strays(line, result)
            output.append(lines[position])
        position = end
    return "\n".join(output)


def _labelled(label, block, result):
    """What an anchor names: an equation, a heading or a statement."""
    first = block[0].strip() if block else ""
    prefix = label.split("-")[0]
    if prefix == "eq" and first.startswith("$$"):
        return _equation(label, block, result)
    if prefix == "sec" and first.startswith("#"):
        return ["", f"({label})=", *block]
    if prefix not in ("eq", "sec") and NAMED_QUOTE.match(first):
        return _statement(label, block, result)
    missing = KINDS[prefix].lower()
    result.problems.append(f"the anchor {label} is not followed by its {missing}")
    return _block(block, result)


def _block(block, result):
    first = block[0] if block else ""
    if NAMED_QUOTE.match(first):
        return _statement("", block, result)
    if QUOTE.match(first):
        quoted = _blocks(unquoted(block), result)
        return [f"{indent_of(first)}> {line}".rstrip() for line in quoted.split("\n")]
    if DETAILS.match(first):
        return _dropdown(block, result)
    return block


def _equation(label, block, result):
    formula = "\n".join(line.strip() for line in block)
    tag = TAG.search(formula)
    if tag:
        result.definitions.append(Definition(label, "Equation", tag[1]))
    else:
        result.problems.append(f"the equation {label} has no \\tag with its number")
    formula = f"{TAG.sub('', formula)} ({label})"
    return ["", *indented(formula, indent_of(block[0])), ""]


def _statement(label, block, result):
    parts = STATEMENT.fullmatch(unquoted(block))
    if not parts:
        start = block[0].strip()[:60]
        result.problems.append(f"not of the form **Theorem 1.2 (Name).**: {start}")
        return block
    kind, number, title, text = parts.groups(default="")
    if not label:
        result.problems.append(f"{kind} {number} has no label")
    elif KINDS[label.split("-")[0]] != kind:
        result.problems.append(f"the label {label} does not name a {kind.lower()}")
    title = " ".join(title.split())
    result.definitions.append(Definition(label, kind, number, title, text.strip()))
    name = "exercise" if kind == "Exercise" else f"prf:{kind.lower()}"
    options = [f":label: {label}"] if label else []
    return _directive(f"{name}}} {title}", options, text, block, result)


def _dropdown(block, result):
    parts = SUMMARY.fullmatch("\n".join(block))
    if not parts:
        result.problems.append("a <details> has no <summary>, or no end in its cell")
        return block
    title, text = parts[1].strip(), dedented(parts[2], indent_of(block[0]))
    options = [f":class-container: folded folded-{title.split()[0].lower()}"]
    if DETAILS.match(block[0])[1]:
        options.append(":open:")
    return _directive(f"dropdown}} {title}", options, text, block, result)


def _directive(head, options, text, block, result):
    """A directive in a colon fence longer than any inside it."""
    body = _blocks(text, result).strip("\n")
    inner = re.findall(r"^ *(:{3,})", body, re.MULTILINE)
    fence = ":" * max([3, *(len(colons) + 1 for colons in inner)])
    lines = [f"{fence}{{{head}".rstrip(), *options, "", body, fence]
    return ["", *indented("\n".join(lines), indent_of(block[0])), ""]


def _move_caption(source, cell, result):
    """Move a figure's caption into the metadata of the code cell before it."""
    caption = CAPTION.fullmatch(source)
    if not caption:
        return source
    label, number, text, rest = caption.groups(default="")
    shown = [
        output
        for output in (cell or {}).get("outputs", [])
        if output["output_type"] in ("display_data", "execute_result")
    ]
    if len(shown) != 1:
        result.problems.append(
            f"{label} needs one output of the code cell before it, not {len(shown)}"
        )
        return rest
    result.definitions.append(Definition(label, "Figure", number))
    options = cell["metadata"].setdefault("mystnb", {})
    options["figure"] = {"name": label, "caption": text.strip()}
    if "image/png" in shown[0]["data"] and not options.get("image", {}).get("alt"):
        result.problems.append(f"{label} has no alt text")
    return rest


def _note_strays(line, result):
    """What is left outside the form would silently stay without a number."""
    for stray, problem in STRAYS.items():
        if stray.search(line):
            result.problems.append(f"{problem}: {line.strip()[:60]}")
