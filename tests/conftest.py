"""Fixtures that several test files share."""

import os
import shutil
import subprocess

import pytest
from house_rules import ROOT
from set_repository import tracked_files

GIT_IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Spectral SSL"), ("EMAIL", "tests@localhost"))
}


def run(*command, **options):
    """Run a command and return what it printed; its failure shows all it printed."""
    done = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


@pytest.fixture
def checkout(tmp_path):
    """A git repository of its own that holds the project as it stands now."""
    folder = tmp_path / "checkout"
    for path in tracked_files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    identity = {**os.environ, **GIT_IDENTITY}
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "The tree as it stands", cwd=folder, env=identity)
    return folder
