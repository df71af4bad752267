"""What tests/test_pages.py asks of a page can be answered both ways."""

import pytest
from browser import Visit, chromium, served
from test_pages import broken_links, files_that_name

GOOD = """\
<!doctype html><html lang="en" data-theme="light"><head><link rel="icon" href="data:,">
<title>Good</title></head><body style="margin: 0"><main><h1>Title</h1><h2>Section</h2>
<p>Text with a <a href="#id" id="id" style="color: #0055aa">link</a>, <code>$</code> and
<span class="math"><mjx-container>math</mjx-container></span>.</p>
<img alt="a dot" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9'/%3E">
"""
BAD = {
    "lowContrast": [
        "<p style='color: #888'>grey</p>",
        "<p style='opacity: 0.5'>faint</p>",
        "<div style='background: #333'><p>dark</p></div>",
        "<p style='color: rgba(0, 0, 0, 0.4)'>see-through</p>",
        "<p style='color: color-mix(in srgb, white, gray)'>mixed</p>",
    ],
    "rawText": ["<p>$$ x $$</p>", "<p>\\(x\\)</p>", "<p>&lt;a id='x'></p>", "<p>{ref}`x`</p>"],
    "badMath": [
        "<span class='math'>\\(x\\)</span>",
        "<mjx-container><mjx-merror>no</mjx-merror></mjx-container>",
        "<mjx-container><mjx-mtext style='color: red'>\\no</mjx-mtext></mjx-container>",
    ],
    "tooWide": ["<div style='width: 1300px'>wide</div>"],
    "badHeadings": ["<h1>Another</h1>", "<h4>Too deep</h4>"],
    "badImages": ["<img src='data:,'>", "<img alt='missing' src='data:,'>"],
}
TROUBLE = {
    "<script>throw new Error('no')</script>": "error",
    "<script>console.error('no')</script>": "error",
    "<img src='missing.png'>": "404",
    "<img src='http://example.invalid/x.png'>": "another host",
}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, tmp_path):
    """Visit a page with this body."""
    visits = []

    def visit(body=""):
        (tmp_path / "page.html").write_text(GOOD + body)
        with served(tmp_path) as site:
            visits.append(Visit(browser, site, "page"))
        return visits[-1]

    yield visit
    for visit in visits:
        visit.close()


def test_good_page(visit):
    good = visit()
    assert not good.trouble
    assert {probe: good.ask(probe) for probe in BAD} == {probe: [] for probe in BAD}


@pytest.mark.parametrize(
    ("probe", "body"), [(probe, body) for probe, bodies in BAD.items() for body in bodies]
)
def test_probe_complains(visit, probe, body):
    assert visit(body).ask(probe)


@pytest.mark.parametrize("body", TROUBLE)
def test_visit_notices(visit, body):
    assert any(trouble.startswith(TROUBLE[body]) for trouble in visit(body).trouble)


@pytest.mark.parametrize("link", ["missing.html", "#missing", "page.html#missing", "/a/page.html"])
def test_broken_link(tmp_path, link):
    (tmp_path / "page.html").write_text(GOOD)
    assert not list(broken_links(tmp_path))
    (tmp_path / "page.html").write_text(f"{GOOD}<a href='{link}'>broken</a>")
    assert list(broken_links(tmp_path))


def test_a_named_folder_is_found(tmp_path):
    (tmp_path / "page.html").write_text(f"from {tmp_path}/x.py")
    assert list(files_that_name(tmp_path, f"{tmp_path}/"))
    assert not list(files_that_name(tmp_path, f"{tmp_path}/y"))
