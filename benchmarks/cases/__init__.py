"""The benchmark's cases: what is computed, at which sizes, and by which libraries."""

from collections.abc import Callable
from dataclasses import dataclass, field

OURS = "spectral_ssl"


@dataclass(frozen=True)
class Case:
    """One computation.

    ``make(*size)`` returns a callable for each library, this one's first; all return an array,
    and ``difference`` of two arrays is 0 where they are the same result. ``residual(*size)``
    returns a function of a result: how far it is from solving its equation. A library takes
    part up to the first dimension that ``limits`` has for it. ``long`` sizes take minutes.
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

    def sides(self, size):
        """The callables of the libraries that take part at a size."""
        made = self.make(*size)
        return {
            name: call
            for name, call in made.items()
            if size[0] <= self.limits.get(name, float("inf"))
        }


def all_cases():
    """Every case by its name."""
    from cases import classical, graphs, losses, streams

    modules = (losses, classical, graphs, streams)
    return {case.name: case for module in modules for case in module.CASES}
