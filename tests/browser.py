"""A browser for the tests, and what it notices about a page."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

STILL = "* { transition: none !important; animation: none !important; }"
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


def executable():
    """Where Chromium is; without it the browser tests are skipped, or fail under CI."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        why = "Chromium is missing: apt-get install chromium, or set CHROMIUM to its path"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    return path


@contextmanager
def chromium():
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder):
    """Serve a folder on this machine and yield the address."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Visit:
    """A page in a fresh browser context, with all that it asked for and complained of."""

    def __init__(self, browser, site, name):
        self.name = name
        self.trouble = []
        self.page = browser.new_context(reduced_motion="reduce").new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.trouble.append(f"failed: {request.url}"))
        self.page.on("response", self.answered)
        self.page.route(lambda url: not url.startswith((site, "data:")), self.refuse)
        self.open(f"{site}{name}.html")

    def open(self, url):
        """Load the page and wait until its math is typeset."""
        answer = self.page.goto(url)
        assert answer.ok, f"{url}: {answer.status}"
        self.page.evaluate("window.MathJax?.startup?.promise")
        self.page.add_style_tag(content=STILL)
        self.page.evaluate(PROBES)

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
        """What a probe of page_probes.js finds wrong."""
        return self.page.evaluate(f"probes.{probe}()")

    def show(self, *, width="wide", scheme="light", unfolded=True):
        """Set the width, the colours, and whether everything folded is open."""
        self.page.set_viewport_size({"width": WIDTHS[width], "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_selector(f"html[data-theme={scheme}]", state="attached")
        unfold = "(all, open) => all.forEach((details) => { details.open = open; })"
        self.page.eval_on_selector_all("details", unfold, unfolded)

    def close(self):
        self.page.context.close()
