"""Notebooks run alone in a fresh environment like Colab's.

The environment has the packages that Colab brings and not the library, which the
notebook's first cell installs from the repository's address. Git is told to find
that address in a local repository with the project as it stands. Every chapter runs
under CI=true, and the first one otherwise: all have the same first cell and import only
what Colab has (`house_rules.py`).
"""

import os
import re
import shutil
import venv

import nbformat
import pytest
from house_rules import INSTALL_GUARD
from nbformat import v4
from project import REPOSITORY, ROOT, installed, run

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
NOTEBOOKS = CHAPTERS if os.environ.get("CI") else CHAPTERS[:1]
COLAB = ["torch", "numpy", "scipy", "scikit-learn", "matplotlib", "mlxtend", "tqdm", "ipykernel", "nbclient"]


def link(source, target):
    """The same file under a second name; a copy where the file system has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of a new environment with Colab's packages, installed as they are here."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder, with_pip=True)
    site_packages = next(folder.glob("lib/python3*/site-packages"))
    for distribution in installed(COLAB).values():
        for file in distribution.files:
            if file.parts[0] != ".." and not (site_packages / file).exists():
                link(distribution.locate_file(file), site_packages / file)
    return folder / "bin" / "python"


def colab(python, address, repository, *notebooks):
    """Run the notebooks with `python`, while git finds `address` in `repository`."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "JUPYTER", "IPYTHON", "VIRTUAL_ENV", "GIT_"))
    }
    environment |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    return run(python, ROOT / "tools" / "run_alone.py", *notebooks, env=environment)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_alone(python, checkout, notebook):
    assert colab(python, REPOSITORY, checkout, notebook).endswith("runs alone.\n")


FAILURES = {
    "an error": ("1 / 0", "ZeroDivisionError"),
    "no library": ("import spectral_ssl", "ModuleNotFoundError"),
    "another package installed": (
        "import sysconfig\n"
        "from pathlib import Path\n"
        'package = Path(sysconfig.get_path("purelib"), "another-1.0.dist-info")\n'
        "package.mkdir()\n"
        'package.joinpath("METADATA").write_text("Name: another\\nVersion: 1.0\\n")\n'
        'package.joinpath("RECORD").write_text("another-1.0.dist-info/METADATA,,\\n")',
        "changed other packages: ['another==1.0']",
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_notebook_fails_alone_with(what, python, checkout, tmp_path):
    source, complaint = FAILURES[what]
    guard = "" if what == "no library" else INSTALL_GUARD
    cells = [v4.new_code_cell(guard), v4.new_code_cell(source)]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "sample.ipynb")
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        colab(python, REPOSITORY, checkout, tmp_path / "sample.ipynb")
    run(python, "-m", "pip", "uninstall", "--yes", "spectral-ssl", "another")
