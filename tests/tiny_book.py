"""Write a tiny book into a folder and build it with the book's own configuration."""

import io
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup
from jupyter_book.config import get_final_config
from sphinx.testing.util import SphinxTestApp

ROOT = Path(__file__).parents[1]
PIXEL = b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
        "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
    )
).decode()
BIBLIOGRAPHY = """
@article{fan1949, author={Fan, Ky}, title={On a theorem}, journal={PNAS}, year={1949}}
@book{chung1997, author={Chung, Fan}, title={Graphs}, publisher={AMS}, year={1997}}
"""


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def labelled(label, block):
    return f'<a id="{label}"></a>\n{block}'


def code(source, *outputs, **metadata):
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": metadata,
        "outputs": list(outputs),
        "source": source,
    }


def figure(alt="A dot"):
    image = {"data": {"image/png": PIXEL}, "metadata": {}, "output_type": "display_data"}
    return code("draw()", image, mystnb={"image": {"alt": alt}} if alt else {})


def plotly():
    data = {"text/html": '<div class="plotly-graph-div"></div>'}
    return code("show()", {"data": data, "metadata": {}, "output_type": "display_data"})


def check(label, what="gap", value=3.14e-15, without=None):
    record = {"label": label, "what": what, "value": value, "without": without}
    record |= {"relation": ">", "bound": 0.1} if without else {"relation": "<", "bound": 1e-8}
    data = {"text/plain": f"✓ {label}"}
    output = {"data": data, "metadata": {"spectral_ssl": record}, "output_type": "display_data"}
    return code(f"check('{label}', ...)", output)


def notebook(*cells):
    cells = [markdown(cell) if isinstance(cell, str) else cell for cell in cells]
    cells = [{"id": f"cell-{n}", **cell} for n, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@dataclass
class Book:
    """The pages of a built book and the warnings of its build."""

    folder: Path
    warnings: str

    @property
    def html(self):
        return self.folder / "_build" / "html"

    def page(self, name):
        text = (self.html / f"{name}.html").read_text(encoding="utf-8")
        return BeautifulSoup(text, "html.parser")

    def warnings_of(self, name):
        lines = re.findall(rf"{name}\.\w+(?::\d+)?: WARNING: (.*)", self.warnings)
        return sorted(set(lines))


def write(folder, pages):
    """Pages whose names begin with a number are chapters; the others frame them."""
    pages = {"references.md": "# References\n\n```{bibliography}\n:all:\n```\n"} | pages
    index = "# Index\n\n```{tableofcontents}\n```\n"
    for name, text in ({"index.md": index, "book.bib": BIBLIOGRAPHY} | pages).items():
        (folder / name).write_text(text, encoding="utf-8")
    chapters = [name.split(".")[0] for name in sorted(pages) if name[0].isdigit()]
    others = [name.split(".")[0] for name in pages if not name[0].isdigit()]
    toc = {
        "format": "jb-book",
        "root": "index",
        "parts": [
            {"numbered": True, "chapters": [{"file": name} for name in chapters]},
            {"chapters": [{"file": name} for name in others]},
        ],
    }
    (folder / "_toc.yml").write_text(json.dumps(toc))


def build(folder):
    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml", cli_config={"latex_individualpages": False}
    )
    config["extensions"].remove("sphinx_book_theme")
    config |= {"html_theme": "basic", "html_theme_options": {}, "html_static_path": []}
    config |= {"html_logo": "", "html_favicon": "", "html_css_files": [], "nitpicky": True}
    config |= {"bibtex_bibfiles": ["book.bib"], "external_toc_path": "_toc.yml"}
    (folder / "conf.py").touch()
    warnings = io.StringIO()
    app = SphinxTestApp(
        srcdir=folder, builddir=folder / "_build", confoverrides=config, warning=warnings
    )
    app.build()
    app.cleanup()
    text = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue())
    return Book(folder, text)
