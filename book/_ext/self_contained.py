"""Serve MathJax and plotly from the book itself, so that no page asks another site."""

from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.util.fileutil import copy_asset_file

MATHJAX = "static/mathjax"
MATHJAX_SCRIPT = "tex-chtml-full.js"
MATHJAX_FONTS = "output/chtml/fonts/woff-v2"
PLOTLY_SCRIPT = "package_data/plotly.min.js"
PLOTLY_FIGURE = "plotly-graph-div"


def copy_mathjax(app):
    if app.builder.format == "html":
        source = folder_of("sphinx-mathjax-offline") / MATHJAX
        for file in [source / MATHJAX_SCRIPT, *(source / MATHJAX_FONTS).iterdir()]:
            target = Path(app.outdir, "_static/mathjax", file.relative_to(source))
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_asset_file(file, target)


def link_plotly(app, pagename, templatename, context, doctree):
    """Only a page with a plotly figure carries plotly's script."""
    if doctree and has_plotly_figure(doctree):
        script = folder_of("plotly") / PLOTLY_SCRIPT
        copy_asset_file(script, Path(app.outdir, "_static", script.name))
        app.add_js_file(script.name, priority=200)


def has_plotly_figure(doctree):
    return any(PLOTLY_FIGURE in raw.astext() for raw in doctree.findall(nodes.raw))


def folder_of(package):
    return Path(find_spec(package).origin).parent


def setup(app):
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", link_plotly)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
