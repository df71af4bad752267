"""The rendered book in a browser: every page, wide and narrow, light and dark."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
import yaml
from browser import WIDTHS, Visit, chromium, served
from bs4 import BeautifulSoup
from project import REPOSITORY, ROOT

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CONTENT = [TOC["root"]] + [
    chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]
]
CHAPTERS = [name for name in CONTENT if name.startswith("chapters/")]
PAGES = [*CONTENT, "genindex", "prf-prf", "py-modindex", "search"]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of the pages, rendered as `make book` renders them."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, ROOT / "tools" / "build_book.py", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def site(html):
    with served(html) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def visit(browser, site, request):
    visit = Visit(browser, site, request.param)
    yield visit
    visit.close()


@pytest.fixture
def visit_anew(browser, site):
    visits = []

    def visit(name):
        visits.append(Visit(browser, site, name))
        return visits[-1]

    yield visit
    for visit in visits:
        visit.close()


on_every_page = pytest.mark.parametrize("visit", PAGES, indirect=True)
on_every_chapter = pytest.mark.parametrize("name", CHAPTERS)


def markdown(name):
    """The source of a page; of a notebook, its text."""
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


@on_every_page
def test_math_is_rendered(visit):
    visit.show()
    assert not visit.ask("badMath")
    if visit.name in CONTENT and re.search(r"\$\S", markdown(visit.name)):
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
def test_proofs_unfold_by_click_and_by_keyboard(visit_anew, name):
    page = visit_anew(name).page
    folded = page.locator("details.folded")
    assert folded.count() >= 5
    assert not page.locator("details.folded[open]").count()
    with_math = folded.filter(has=page.locator("mjx-container"))
    for details in (with_math.first, with_math.last):
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
def test_search_finds_a_theorem(visit_anew, site, name):
    title = re.search(r"\*\*Theorem [\d.]+ \(([^)]+)\)", markdown(name)).group(1)
    visit = visit_anew("search")
    visit.open(f"{site}search.html?q={title}")
    visit.page.locator(f"#search-results a[href*='{name}.html']").first.wait_for()


@pytest.fixture(scope="module")
def documents(html):
    return parsed(html)


def parsed(html):
    """The pages by path, without the theme's own templates."""
    paths = [path for path in html.rglob("*.html") if "_static" not in path.parts]
    return {
        str(path.relative_to(html)): BeautifulSoup(path.read_text(), "html.parser")
        for path in paths
    }


def test_every_page_is_visited(documents):
    extra = set(documents) - {f"{name}.html" for name in PAGES}
    assert extra == {"index.html"}
    assert f"url={TOC['root']}.html" in str(documents["index.html"])


@on_every_chapter
def test_colab_button(documents, name):
    (link,) = documents[f"{name}.html"].select("a[href*='colab.research.google.com']")
    slug = REPOSITORY.removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{slug}/blob/main/{name}.ipynb"
    assert link["href"] == address


def broken_links(html):
    documents = parsed(html)
    anchors = {path: {tag["id"] for tag in page(id=True)} for path, page in documents.items()}
    for path, page in documents.items():
        for tag in page.find_all(["a", "link", "img", "script"]):
            link = urlsplit(urljoin(f"/{path}", tag.get("href") or tag.get("src") or ""))
            if link.scheme or link.netloc:
                continue
            target, fragment = unquote(link.path).lstrip("/"), unquote(link.fragment)
            if not (html / target).is_file():
                yield f"{path}: {target}"
            elif fragment and fragment not in anchors[target]:
                yield f"{path}: {target}#{fragment}"


def test_links_resolve(html):
    assert not list(broken_links(html))


def files_that_name(folder, *names):
    """Files in a folder that contain a name, with that name."""
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.read_bytes()
        yield from (f"{path}: {name}" for name in names if os.fsencode(name) in content)


def test_no_page_names_a_folder_of_this_machine(html):
    folders = [f"{folder}/" for folder in (ROOT, Path.home(), html.parent.parent)]
    assert not list(files_that_name(html, *folders))
