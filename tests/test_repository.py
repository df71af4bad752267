"""The project's files agree with each other: address, pins, commands, citation."""

import json
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project import REPOSITORY, ROOT, installed, run
from set_repository import tracked_files

MARKDOWN = ["README.md", "CONTRIBUTING.md", "book/how_to_run.md", "book/instructors.md"]
OWNER, NAME = REPOSITORY.removeprefix("https://github.com/").split("/")
ADDRESS = re.compile(r"(?:github\.com|colab\.research\.google\.com/github)/([\w-]+/[\w.-]+\w)")
PAGES = re.compile(r"([\w-]+)\.github\.io/([\w.-]+\w)?")
PATH = re.compile(r"(?<![\w.~*-])/(?:home|root|work|tmp|Users)/|\b[A-Z]:\\+(?:Users|Windows)\b")
REGISTRIES = re.compile(r"pypi\.|python[h]osted|anaconda\.|registry\.npm|whl/c[pu]")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")


def text_of(path):
    """A file's text; pictures and a notebook's pictures have none."""
    content = path.read_bytes()
    if b"\0" in content:
        return ""
    if path.suffix != ".ipynb":
        return content.decode("utf-8")
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    return json.dumps(notebook, ensure_ascii=False)


def texts(root=ROOT):
    for path in tracked_files(root):
        yield path.relative_to(root), text_of(path)


def found(pattern, root=ROOT):
    return [f"{path}: {hit[0]}" for path, text in texts(root) for hit in pattern.finditer(text)]


def other_addresses(root, address):
    """Places that name a repository other than the one at `address`."""
    owner, name = address.removeprefix("https://github.com/").split("/")
    ours = (f"{owner}/{name}", f"{owner}/{name}.git", "OWNER/NAME")
    for path, text in texts(root):
        yield from (f"{path}: {hit}" for hit in ADDRESS.findall(text) if hit not in ours)
        yield from (f"{path}: {hit}" for hit in PAGES.findall(text) if hit != (owner, name))


def test_one_address():
    assert not list(other_addresses(ROOT, REPOSITORY))


@pytest.mark.parametrize("path", ["README.md", "CITATION.cff", "pyproject.toml"])
def test_address_is_named(path):
    assert REPOSITORY in (ROOT / path).read_text()


def test_make_repository(checkout):
    new = "https://github.com/" + "jane-doe/fork.of_it"
    before = dict(texts(checkout))
    run("make", "repository", f"URL={new}", cwd=checkout)
    assert not list(other_addresses(checkout, new))
    assert len(list(other_addresses(checkout, REPOSITORY))) >= 6
    left = checkout / "README.md"
    left.write_text(left.read_text() + REPOSITORY)
    assert list(other_addresses(checkout, new)) == [f"README.md: {OWNER}/{NAME}"]
    left.write_text(left.read_text().removesuffix(REPOSITORY))
    run("make", "repository", f"URL={REPOSITORY}.git", cwd=checkout)
    assert dict(texts(checkout)) == before


@pytest.mark.parametrize("url", ["", "https://example.org/a/b", "https://github.com/a"])
def test_make_repository_refuses(checkout, url):
    with pytest.raises(AssertionError, match="Give an address"):
        run("make", "repository", f"URL={url}", cwd=checkout)


@pytest.mark.parametrize(
    ("pattern", "sample"),
    [
        (PATH, "/" + "home/me/x.py"),
        (PATH, "C:" + "\\Users\\me"),
        (REGISTRIES, "https://" + "pypi" + ".org/simple"),
        (UNFINISHED, "# TO" + "DO later"),
    ],
    ids=["path", "path", "registry", "unfinished"],
)
def test_nothing_of(pattern, sample):
    assert pattern.search(sample)
    assert not found(pattern)


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", CONSTRAINTS, re.M)
}


def test_constraints_are_exact_pins():
    lines = CONSTRAINTS.splitlines()
    assert [line for line in lines if not line.startswith("#") and "==" not in line] == []
    assert len(PINS) == sum("==" in line for line in lines)


@pytest.mark.parametrize("line", [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])])
def test_requirement_has_a_pin(line):
    requirement = Requirement(line)
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_installed_package_has_a_pin():
    extras = [*EXTRAS["book"], *EXTRAS["test"], *EXTRAS["course"], *EXTRAS["bench"]]
    found = installed([*PROJECT["dependencies"], *extras])
    needed = {name: Version(package.version).public for name, package in found.items()}
    assert len(needed) > 100
    cuda = re.compile(r"nvidia-|cuda-|triton$")
    needed = {name: version for name, version in needed.items() if not cuda.match(name)}
    assert {name: PINS.get(name) for name in needed} == needed


def test_conda_environment_has_no_pins_of_its_own():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    python, pip, section = dependencies
    assert re.fullmatch(r"python=3\.\d+", python) and pip == "pip"
    assert section == {"pip": ["-c constraints.txt", "-e .[book,test,course,bench]"]}


def test_citation():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["repository-code"] == REPOSITORY
    assert citation["authors"] == [{"name": "The Spectral SSL authors"}]
    assert citation["title"] and citation["message"] and "MIT" in citation["license"]
    paper = citation["references"][0]
    assert [author["family-names"] for author in paper["authors"]] == ["Balestriero", "LeCun"]
    assert paper["year"] == 2022


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")))
def test_workflow_asks_for_little(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions and all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in actions)


@pytest.mark.parametrize("name", MARKDOWN)
def test_commands_exist(name):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    text = (ROOT / name).read_text()
    commands = re.findall(r"(?:^|`)make ([a-z]+)", text, re.M)
    assert commands and set(commands) <= set(targets)


@pytest.mark.parametrize("name", MARKDOWN)
def test_local_links_exist(name):
    text = re.sub(r"`[^`]*`|^ {4}.*$", "", (ROOT / name).read_text(), flags=re.M)
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    missing = [link for link in targets if not (ROOT / name).parent.joinpath(link).exists()]
    assert not missing


def test_readme_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    exec(example, {})
