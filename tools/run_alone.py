"""Run notebooks as a reader does in Colab, with the Python that runs this file.

    python tools/run_alone.py chapters/04_vicreg.ipynb ...

Each notebook is copied alone into an empty folder and run from its first cell,
which installs the library. Fails if a cell does, or if an installation changed
anything but the library, or if the library came from elsewhere.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WHERE = "import spectral_ssl\nprint(spectral_ssl.__file__)"


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def packages():
    """Names and versions of all that is installed."""
    return set(pip("freeze", "--all").splitlines())


def run_alone(path):
    """Run a copy of the notebook and return where its library was imported from."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(shutil.copy(path, folder))
        notebook = nbformat.read(alone, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(WHERE))
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        ).execute()
    return Path(notebook.cells[-1].outputs[-1].text.strip())


def main(paths):
    before = packages()
    if find_spec("spectral_ssl"):
        sys.exit("The library is installed here already; a reader in Colab has to install it.")
    for path in paths:
        try:
            library = run_alone(path)
            if not library.is_relative_to(sysconfig.get_path("purelib")):
                sys.exit(f"{path} imported the library from {library}.")
        finally:
            pip("uninstall", "--yes", "spectral-ssl")
        if packages() != before:
            sys.exit(f"{path} changed other packages: {sorted(packages() ^ before)}")
        print(f"{path} runs alone.", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
