"""Compare what the pages of the book say with what Sphinx and the .bib file say."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from plain_markdown import KINDS, NUMBER

KIND_AND_NUMBER = re.compile(
    rf"\b({'|'.join(KINDS.values())}|Chapter)s?\s+({NUMBER})", re.IGNORECASE
)
BARE_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class Heading(NamedTuple):
    """A heading: its label and typed number, if any, and its anchor in Sphinx."""

    label: str
    anchor: str
    number: str
    title: str


class Link(NamedTuple):
    """A link as it was typed: the page it names, the label there, and its text."""

    page: str
    label: str
    text: str


@dataclass
class Page:
    """What one page defines and refers to, as it was typed."""

    definitions: list
    problems: list
    headings: list = field(default_factory=list)
    links: list = field(default_factory=list)
    bibliography: list = field(default_factory=list)

    def labels(self):
        named = [*self.definitions, *self.headings]
        return [item.label for item in named if item.label]


def problems(env):
    """All differences, as pairs of a page's name and a message."""
    found = _duplicates(env)
    for docname, page in sorted(env.book_pages.items()):
        checks = [
            page.problems,
            (_definition(env, docname, item) for item in page.definitions),
            (_heading(env, docname, item) for item in page.headings),
            (_link(env, docname, link) for link in page.links),
            _citations(env, docname, page),
        ]
        found += [(docname, text) for check in checks for text in check if text]
    return found


def find_label(env, label):
    """The page that defines a label."""
    pages = env.book_pages.items()
    return next((name for name, page in pages if label in page.labels()), None)


def find_citation(env, label):
    """The page of the book's bibliography, when it has this entry."""
    citations = env.get_domain("cite").citations
    return next(
        (
            citation.bibliography_key.docname
            for citation in citations
            if citation.citation_id == label
        ),
        None,
    )


def number_of(env, docname, label):
    """Sphinx's own number of a labelled object, such as 4.2."""
    if label.startswith("sec-"):
        headings = env.book_pages[docname].headings
        anchor = next(item.anchor for item in headings if item.label == label)
        return _section_number(env, docname, anchor)
    identifier = f"equation-{label}" if label.startswith("eq-") else label
    for numbers in env.toc_fignumbers.get(docname, {}).values():
        if identifier in numbers:
            return _dotted(numbers[identifier])
    return ""


def _section_number(env, docname, anchor):
    return _dotted(env.toc_secnumbers.get(docname, {}).get(anchor) or ())


def _dotted(number):
    return ".".join(map(str, number))


def _duplicates(env):
    pages = env.book_pages.items()
    owners = [(label, name) for name, page in pages for label in page.labels()]
    times = Counter(label for label, _ in owners)
    return [
        (docname, f"the label {label} is used {times[label]} times")
        for label, docname in sorted(owners)
        if times[label] > 1
    ]


def _definition(env, docname, item):
    if not item.label:
        return None
    typed, right = item.number, number_of(env, docname, item.label)
    if typed != right:
        return f"{item.label} is typed {item.kind} {typed}, but it is {right}"


def _heading(env, docname, heading):
    right = _section_number(env, docname, heading.anchor)
    if heading.number and heading.number != right:
        return f"“{heading.title}” is typed {heading.number}, but it is {right}"


def _link(env, docname, link):
    if link.label.startswith("cite-"):
        return None
    if not link.label:
        number = _section_number(env, link.page, "")
        return _typed_text(link.text, "Chapter", number, link.page)
    kind = KINDS.get(link.label.split("-")[0])
    if not kind:
        return None
    owner = find_label(env, link.label)
    if not owner:
        return f"“{link.text}” leads to {link.label}, which is nowhere defined"
    if owner != link.page:
        return f"“{link.text}” leads to {link.label}, which is in {owner}"
    number = number_of(env, owner, link.label)
    return _typed_text(link.text, kind, number, link.label)


def _typed_text(text, kind, number, target):
    """Compare the kind word and the number in a link's text with the right ones."""
    typed = KIND_AND_NUMBER.search(text)
    if typed:
        agrees = (typed[1].capitalize(), typed[2]) == (kind, number)
    elif kind != "Chapter" and (bare := BARE_NUMBER.search(text)):
        agrees = bare[0] == number
    else:
        return None
    if not agrees:
        return f"“{text}” leads to {target}, which is {kind} {number}"


def _citations(env, docname, page):
    """Citations and the page's list of references agree with the .bib file."""
    links = [link for link in page.links if link.label.startswith("cite-")]
    local = {_key(link) for link in links if link.page == docname}
    texts = [*((_key(link), link.text) for link in links), *page.bibliography]
    entries = env.get_domain("cite").bibdata.data.entries
    for key in sorted({key for key, _ in texts} - entries.keys()):
        yield f"{key} is cited, but not in the bibliography"
    for key in sorted(local - {key for key, _ in page.bibliography}):
        yield f"{key} is cited, but not in the page's references"
    for key in sorted({key for key, _ in page.bibliography} - set(map(_key, links))):
        yield f"{key} is in the page's references, but not cited"
    for key, text in texts:
        if key in entries:
            yield _author_and_year(entries[key], key, text)
    for link in links:
        if link.page not in (docname, find_citation(env, link.label)):
            yield f"“{link.text}” leads to {link.label}, which is not in {link.page}"


def _key(link):
    return link.label.removeprefix("cite-")


def _author_and_year(entry, key, text):
    authors = entry.persons.get("author", [])
    family = " ".join(map(str, authors[0].rich_last_names)) if authors else ""
    year = entry.fields.get("year", "")
    if family not in text or year not in text:
        return f"“{text[:40]}” cites {key}, which is {family} ({year})"
