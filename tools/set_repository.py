"""Change the address of the repository wherever the project names it.

    python tools/set_repository.py https://github.com/OWNER/NAME

The address in _config.yml is the one in force. Its forms are the repository
itself, a notebook opened in Colab, and the rendered book on GitHub Pages.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = r"https://github\.com/([\w-]+)/([\w.-]+?)(?:\.git)?/?"


def current():
    """Owner and name in the configuration of the book."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    return re.search(rf"^\s*url\s*:\s*[\"']?{ADDRESS}[\"']?\s*$", config, re.M).groups()


def forms(owner, name):
    """What stands before, in and after the address, in each of its forms."""
    return [
        f"github.com/{owner}/{name}",
        f"colab.research.google.com/github/{owner}/{name}",
        f"{owner}.github.io/{name}",
    ]


def tracked_files(root=ROOT):
    """Files that git has or would add."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True)
    return [root / name for name in names.stdout.split("\0") if (root / name).is_file()]


def replace(text, old, new):
    for before, after in zip(forms(*old), forms(*new)):
        text = re.sub(rf"{re.escape(before)}(?![\w-])", after, text)
    return text


def main(url):
    address = re.fullmatch(ADDRESS, url)
    if not address:
        sys.exit("Give an address: make repository URL=https://github.com/OWNER/NAME")
    old, new = current(), address.groups()
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8")
        changed = replace(text, old, new)
        if changed != text:
            path.write_bytes(changed.encode("utf-8"))
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1])
