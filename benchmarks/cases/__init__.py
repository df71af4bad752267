"""The benchmark's cases: what is computed, at which sizes, and by which libraries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np
from scipy.linalg import subspace_angles

OURS = "spectral_ssl"
MODULES = ("losses", "classical", "graphs", "streams")


@dataclass(frozen=True)
class Case:
    """One computation.

    ``make(*size)`` returns a callable for each library, this one's first; all return an array,
    and ``difference`` of two arrays is 0 where they are the same result. ``residual(*size)``
    returns a function of a result: how far it is from solving its equation. A library takes
    part up to the first dimension that ``limits`` has for it. ``long`` sizes take minutes.
    Where ``make`` itself is long, ``setup`` says what it does, and its time is recorded.
    """

    name: str
    axes: str
    sizes: list
    quick: tuple
    make: Callable
    difference: Callable
    long: list = field(default_factory=list)
    limits: dict = field(default_factory=dict)
    residual: Callable | None = None
    setup: str = ""

    @property
    def module(self):
        """The module of this package that has the case."""
        return self.make.__module__.split(".")[-1]

    def sides(self, size):
        """The callables of the libraries that take part at a size."""
        made = self.make(*size)
        return {
            name: call
            for name, call in made.items()
            if size[0] <= self.limits.get(name, float("inf"))
        }


def cases_of(module):
    """The cases of one module by their names; no other module is imported."""
    return {case.name: case for case in import_module(f"cases.{module}").CASES}


def all_cases():
    """Every case by its name."""
    return {name: case for module in MODULES for name, case in cases_of(module).items()}


def angle(ours, peer):
    """Sine of the largest angle between the spans of two centred embeddings."""
    ours, peer = (Z - Z.mean(axis=0) for Z in (ours, peer))
    return float(np.sin(subspace_angles(ours, peer).max()))
