"""Where the project is, its address, a way to run its commands, and what it stands on."""

import subprocess
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def run(*command, **options):
    """Run a command and return what it printed; its failure shows all it printed."""
    done = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def installed(requirements):
    """By name, the installed distributions that meet the requirements, and all these need."""
    wanted, met, found = list(map(Requirement, requirements)), set(), {}
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for extra in {"", *requirement.extras}.difference(e for n, e in met if n == name):
            met.add((name, extra))
            needed = map(Requirement, found[name].requires or [])
            wanted += [r for r in needed if not r.marker or r.marker.evaluate({"extra": extra})]
    return found
