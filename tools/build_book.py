"""Render the book from scratch; any warning is an error.

    python tools/build_book.py [FOLDER]     the pages land in FOLDER/_build/html
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(folder):
    """Render into `folder`/_build/html and return the first page, or exit."""
    shutil.rmtree(folder / "_build", ignore_errors=True)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    options = ["--path-output", folder, "-W", "-n", "--keep-going", "-q"]
    command = [jupyter_book, "build", ROOT, *options]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        sys.exit("The book was not rendered: see the warnings above.")
    return folder / "_build" / "html" / "index.html"


if __name__ == "__main__":
    print("Rendering the book ...", flush=True)
    page = build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    print(f"The book is ready. Open {page} in a browser, or type: make serve")
