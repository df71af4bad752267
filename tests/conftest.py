"""Fixtures that several test files share."""

import os
import shutil

import pytest
import torch
from project import ROOT, run
from set_repository import tracked_files

GIT_IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Spectral SSL"), ("EMAIL", "tests@localhost"))
}


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a GPU")


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
