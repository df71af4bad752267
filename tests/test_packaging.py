"""The distributions hold the library and nothing else, and ask for wide ranges."""

import sys
import tarfile
import zipfile
from email.parser import HeaderParser

from packaging.requirements import Requirement
from project import REPOSITORY, ROOT, run

import spectral_ssl

MODULES = {str(path.relative_to(ROOT)) for path in (ROOT / "spectral_ssl").rglob("*.py")}
NAME = f"spectral_ssl-{spectral_ssl.__version__}"


def build(kind, project, folder):
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=project)


def wheel_of(project, folder):
    build("wheel", project, folder)
    return zipfile.ZipFile(folder / f"{NAME}-py3-none-any.whl")


def test_distributions(checkout, tmp_path):
    build("sdist", checkout, tmp_path)
    with tarfile.open(tmp_path / f"{NAME}.tar.gz") as sdist:
        sdist.extractall(tmp_path, filter="data")
    source = tmp_path / NAME
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    extra = {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "PKG-INFO", ".gitignore"}
    assert files == MODULES | extra

    wheel = wheel_of(checkout, tmp_path / "direct")
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == MODULES
    assert f"{NAME}.dist-info/licenses/LICENSE" in wheel.namelist()
    assert wheel_of(source, tmp_path / "from-sdist").namelist() == wheel.namelist()

    about = HeaderParser().parsestr(wheel.read(f"{NAME}.dist-info/METADATA").decode())
    assert about["Name"] == "spectral-ssl"
    assert about["License-Expression"] == "MIT"
    assert REPOSITORY in about["Project-URL"]
    needs = [Requirement(line) for line in about.get_all("Requires-Dist")]
    runtime = {need.name: need.specifier for need in needs if need.marker is None}
    assert set(runtime) == {
        "numpy", "torch", "scipy", "scikit-learn", "threadpoolctl", "matplotlib", "tqdm"
    }  # fmt: skip
    assert {part.operator for specifier in runtime.values() for part in specifier} == {">="}
