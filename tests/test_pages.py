"""The rendered book in a browser: every page, wide and narrow, light and dark."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from house_rules import REPOSITORY, ROOT
from playwright.sync_api import sync_playwright

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CONTENT = [TOC["root"]] + [
    chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]
]
CHAPTERS = [name for name in CONTENT if name.startswith("chapters/")]
GENERATED = ["genindex", "prf-prf", "py-modindex", "search"]
PAGES = CONTENT + GENERATED
PROBES = (Path(__file__).parent / "page_probes.js").read_text()
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"wide": 1280, "narrow": 390}


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of the pages, rendered as `make book` renders them."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, ROOT / "tools" / "build_book.py", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "_build" / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site(html):
    """The address at which the pages are served."""
    handler = functools.partial(Quiet, directory=html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def chromium():
    """Where Chromium is; without it the browser tests are skipped, or fail under CI."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        why = "Chromium is missing: apt-get install chromium, or set CHROMIUM to its path"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    return path


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page in a fresh browser context, with all that it asked for and complained of."""

    def __init__(self, browser, site, path):
        self.trouble = []
        self.page = browser.new_context(reduced_motion="reduce").new_page()
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.trouble.append(f"failed: {request.url}"))
        self.page.on("response", self.answered)
        self.page.route(lambda url: not url.startswith(site), self.refuse)
        self.page.goto(site + path)
        self.page.evaluate("window.MathJax?.startup?.promise")
        self.page.add_style_tag(content="* { transition: none !important; }")
        self.page.evaluate(PROBES.replace("const probes", "window.probes", 1))

    def heard(self, message):
        if message.type in ("error", "warning"):
            self.trouble.append(f"{message.type}: {message.text}")

    def answered(self, response):
        if response.status >= 400:
            self.trouble.append(f"{response.status}: {response.url}")

    def refuse(self, route):
        self.trouble.append(f"another host: {route.request.url}")
        route.abort()

    def ask(self, probe):
        return self.page.evaluate(f"probes.{probe}()")

    def show(self, *, width="wide", scheme="light", unfolded=True):
        self.page.set_viewport_size({"width": WIDTHS[width], "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_selector(f"html[data-theme={scheme}]", state="attached")
        for details in self.page.query_selector_all("details"):
            details.evaluate("(details, open) => details.open = open", unfolded)


@pytest.fixture(scope="module")
def visit(browser, site, request):
    visit = Visit(browser, site, f"{request.param}.html")
    yield visit
    visit.page.context.close()


on_every_page = pytest.mark.parametrize("visit", PAGES, indirect=True)
on_every_chapter = pytest.mark.parametrize("visit", CHAPTERS, indirect=True)


def source(name):
    """The Markdown of a page."""
    path = ROOT / f"{name}.ipynb"
    if not path.exists():
        return (ROOT / f"{name}.md").read_text()
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@on_every_page
def test_nothing_fails_and_nothing_is_fetched_elsewhere(visit):
    for scheme in ("dark", "light"):
        visit.show(scheme=scheme)
    assert not visit.trouble


@on_every_page
def test_text_is_rendered(visit):
    visit.show()
    assert not visit.ask("rawText")


@pytest.mark.parametrize(("visit", "name"), list(zip(CONTENT, CONTENT)), indirect=["visit"])
def test_math_is_rendered(visit, name):
    visit.show()
    assert not visit.ask("badMath")
    if re.search(r"\$\S", source(name)):
        assert visit.page.locator("mjx-container").count()


@on_every_page
@pytest.mark.parametrize("unfolded", [True, False], ids=["unfolded", "folded"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(visit, width, unfolded):
    visit.show(width=width, unfolded=unfolded)
    assert not visit.ask("tooWide")


@on_every_page
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit, scheme, width):
    visit.show(scheme=scheme, width=width)
    assert not visit.ask("lowContrast")


@on_every_page
def test_headings_and_language(visit):
    assert visit.page.get_attribute("html", "lang") == "en"
    assert not visit.ask("badHeadings")


@on_every_page
def test_images(visit):
    assert not visit.ask("badImages")


@on_every_chapter
def test_proofs_unfold_by_click_and_by_keyboard(visit, site):
    page = visit.page
    page.goto(page.url)
    page.evaluate("MathJax.startup.promise")
    folded = page.locator("details.folded")
    assert folded.count() >= 5
    assert not folded.and_(page.locator("[open]")).count()
    for details in (folded.first, folded.last):
        summary, math = details.locator("> summary"), details.locator("mjx-container").first
        assert not math.is_visible()
        summary.click()
        assert math.is_visible() and math.bounding_box()["height"] > 5
        summary.click()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert summary.evaluate("summary => summary === document.activeElement")
        page.keyboard.press("Enter")
        assert math.is_visible()
        page.keyboard.press("Enter")
        assert not math.is_visible()


@on_every_chapter
def test_colab_button(visit, request):
    (link,) = visit.page.locator("a[href*='colab.research.google.com']").all()
    name = request.node.callspec.params["visit"]
    slug = REPOSITORY.removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{slug}/blob/main/{name}.ipynb"
    assert link.get_attribute("href") == address


@pytest.mark.parametrize("name", CHAPTERS)
def test_search_finds_a_theorem(browser, site, name):
    title = re.search(r"\*\*Theorem [\d.]+ \(([^)]+)\)", source(name)).group(1)
    page = browser.new_page()
    page.goto(f"{site}search.html?q={title}")
    page.locator(f"#search-results a[href*='{name}.html']").first.wait_for()
    page.context.close()


@pytest.fixture(scope="module")
def documents(html):
    """The parsed pages by path, without the theme's own templates."""
    paths = [path for path in html.rglob("*.html") if "_static" not in path.parts]
    return {
        str(path.relative_to(html)): BeautifulSoup(path.read_text(), "html.parser")
        for path in paths
    }


def test_every_page_is_visited(documents):
    extra = set(documents) - {f"{name}.html" for name in PAGES}
    assert extra == {"index.html"}
    assert f"url={TOC['root']}.html" in str(documents["index.html"])


def test_links_resolve(html, documents):
    anchors = {
        path: {tag["id"] for tag in page.find_all(id=True)} for path, page in documents.items()
    }
    broken = []
    for path, page in documents.items():
        for tag in page.find_all(["a", "link", "img", "script"]):
            link = urlsplit(urljoin(f"/{path}", tag.get("href") or tag.get("src") or ""))
            if link.scheme or link.netloc:
                continue
            target, fragment = unquote(link.path).lstrip("/"), unquote(link.fragment)
            if not (html / target).is_file():
                broken.append(f"{path}: {target}")
            elif fragment and fragment not in anchors.get(target, ()):
                broken.append(f"{path}: {target}#{fragment}")
    assert not broken


def test_no_page_names_a_folder_of_this_machine(html):
    folders = [os.fsencode(folder) + b"/" for folder in (ROOT, Path.home(), html.parent.parent)]
    named = [
        f"{path.relative_to(html)}: {folder.decode()}"
        for path in html.rglob("*")
        if path.is_file()
        for folder in folders
        if folder in path.read_bytes()
    ]
    assert not named
