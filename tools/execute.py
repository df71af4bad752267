"""Run notebooks from their first cell to their last and save them in place.

    python tools/execute.py chapters/04_vicreg.ipynb ...

Nothing that depends on the machine or the hour is saved, so that a second run
leaves the same bytes. A cell that fails stops the run and its notebook stays
as it was.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELL_METADATA = {"cellView", "jupyter", "mystnb", "tags"}
METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def execute(notebook):
    """Run the cells of `notebook` in an empty folder, in one fresh kernel."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
        ).execute()


def tidy(notebook):
    """Keep only the metadata that the book reads."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for key in cell.metadata.keys() - CELL_METADATA:
            del cell.metadata[key]


def main(path):
    start = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    execute(notebook)
    tidy(notebook)
    copy = path.with_suffix(".ipynb.new")
    nbformat.write(notebook, copy)
    os.replace(copy, path)
    print(f"{path}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    os.environ["TQDM_DISABLE"] = "1"  # progress bars are for people, not for saved outputs
    try:
        for name in sys.argv[1:]:
            print(f"Running {name} ...", flush=True)
            main(Path(name))
    except CellExecutionError as error:
        sys.exit(f"{error}\n{name} is unchanged: the cell above failed.")
