"""Sphinx extension: the book's plain Markdown, its links, and its typed numbers.

While Sphinx reads a page, what the page defines and refers to is collected as it
was typed.  When everything is numbered, `typed_numbers` compares it with Sphinx's
own numbers; each difference is a warning.  A link keeps its typed text.
"""

import re

from chapter_numbers import chapter_number, number_chapters
from docutils import nodes
from plain_markdown import LABEL, NUMBER, translate, translate_notebook
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode
from typed_numbers import Heading, Link, Page, find_citation, find_label, problems

logger = logging.getLogger(__name__)

TARGET = re.compile(rf"{LABEL}|cite-[\w-]+")
HEADING_NUMBER = re.compile(rf"({NUMBER})\.?\s+(?=\S)")
CITE_ANCHOR = re.compile(r'<a id="cite-([\w-]+)">')


def read_source(app, docname, source):
    """Translate the plain Markdown of a page or a notebook."""
    path = str(app.env.doc2path(docname))
    if path.endswith(".ipynb"):
        translation = translate_notebook(source[0])
    elif path.endswith(".md"):
        translation = translate(source[0])
    else:
        return
    source[0] = translation.text
    page = Page(translation.definitions, translation.problems)
    app.env.book_pages[docname] = page


class CollectTypedText(SphinxTransform):
    """Note the headings, links and references of a page."""

    default_priority = 700  # after targets reach their sections, before MyST's links

    def apply(self):
        page = self.env.book_pages.get(self.env.docname)
        if page:
            self.collect_headings(page)
            self.collect_links(page)
            self.collect_bibliography(page)
            self.name_equations()
            self.name_statement_bodies()

    def collect_headings(self, page):
        sections = [
            section
            for section in self.document.findall(nodes.section)
            if isinstance(section.parent, (nodes.document, nodes.section))
        ]
        for position, section in enumerate(sections):
            section["ids"].sort(key=lambda id: not TARGET.fullmatch(id))
            anchor = f"#{section['ids'][0]}" if position else ""
            label = section["ids"][0] if TARGET.fullmatch(section["ids"][0]) else ""
            number = self.take_number(section[0])
            page.headings.append(Heading(label, anchor, number, section[0].astext()))

    def take_number(self, title):
        """Remove the number typed before a chapter's heading: Sphinx prints its own."""
        text = next(title.findall(nodes.Text), nodes.Text(""))
        typed = HEADING_NUMBER.match(text)
        if not typed or not chapter_number(self.env.docname):
            return ""
        text.parent.replace(text, nodes.Text(text[typed.end() :]))
        return typed[1]

    def collect_links(self, page):
        for link in list(self.document.findall(nodes.reference)):
            label = link.get("refuri", "").removeprefix("#")
            if link.get("id_link") and TARGET.fullmatch(label):
                page.links.append(Link(self.env.docname, label, link.astext()))
                link.replace_self(self.pending(label, link.children))
        for link in list(self.document.findall(pending_xref)):
            if link["reftype"] == "myst" and link["refdomain"] == "doc":
                label = link["reftargetid"] or ""
                page.links.append(Link(link["reftarget"], label, link.astext()))
                if TARGET.fullmatch(label):
                    link.replace_self(self.pending(label, link.children))

    def pending(self, label, children):
        return pending_xref(
            "",
            nodes.inline("", "", *children),
            reftype="book",
            reftarget=label,
            refdomain="",
            refdoc=self.env.docname,
            refexplicit=True,
        )

    def collect_bibliography(self, page):
        for anchor in self.document.findall(nodes.raw):
            if key := CITE_ANCHOR.fullmatch(anchor.astext().strip()):
                item = [
                    child.astext()
                    for child in anchor.parent.children
                    if not isinstance(child, nodes.raw)
                ]
                page.bibliography.append((key[1], "".join(item)))

    def name_equations(self):
        """Let the book's own anchors lead to the equations, as they do elsewhere."""
        for equation in self.document.findall(nodes.math_block):
            if TARGET.fullmatch(equation.get("label") or ""):
                equation["ids"].append(equation["label"])

    def name_statement_bodies(self):
        """The bodies of all statements come with one and the same id."""
        for body in self.document.findall(nodes.section):
            if body.parent.get("label"):
                body["ids"] = [f"{body.parent['label']}-content"]


def number_and_compare(app, env):
    """Number the chapters, then warn where a typed number is not Sphinx's."""
    chapters = number_chapters(env)
    for docname, problem in problems(env):
        logger.warning(problem, location=docname, type="book")
    return chapters


def resolve_link(app, env, node, content):
    """Lead a link to its label; an unknown label is already among the problems."""
    if node["reftype"] != "book":
        return None
    label = node["reftarget"]
    found = find_citation(env, label) or find_label(env, label)
    if not found:
        return content
    return make_refnode(app.builder, node["refdoc"], found, label, content)


def start(app):
    if not hasattr(app.env, "book_pages"):
        app.env.book_pages = {}


def purge(app, env, docname):
    env.book_pages.pop(docname, None)


def merge(app, env, docnames, other):
    env.book_pages.update(
        (name, other.book_pages[name]) for name in docnames if name in other.book_pages
    )


def setup(app):
    app.setup_extension("sphinxcontrib.bibtex")
    app.add_transform(CollectTypedText)
    app.connect("builder-inited", start)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("source-read", read_source)
    app.connect("env-get-updated", number_and_compare, priority=900)
    app.connect("missing-reference", resolve_link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
