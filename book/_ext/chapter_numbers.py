"""Give each chapter the number in its file name, whichever chapters come before it."""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.environment.collectors.toctree import TocTreeCollector


def chapter_number(docname):
    """4 for ``chapters/04_vicreg``, None for a page that is not a chapter."""
    match = re.match(r"(\d+)_", PurePosixPath(docname).name)
    return int(match[1]) if match else None


def number_chapters(env):
    """Replace Sphinx's running count by the file's number, then count figures anew."""
    chapters = [name for name in env.toc_secnumbers if chapter_number(name)]
    for docname in chapters:
        first = chapter_number(docname)
        numbers = env.toc_secnumbers[docname]
        env.toc_secnumbers[docname] = {
            anchor: (first, *number[1:]) for anchor, number in numbers.items() if number
        }
        env.titles[docname]["secnumber"] = [first]
        for reference in env.tocs[docname].findall(nodes.reference):
            if reference.get("secnumber"):
                reference["secnumber"] = [first, *reference["secnumber"][1:]]
    TocTreeCollector().assign_figure_numbers(env)
    return chapters
