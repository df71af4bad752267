"""How a notebook's new outputs are compared with the committed ones.

Text must be equal, and so must integers. Two other numbers agree

- to 1e-4 of the larger, or to 1e-8: training stops at about that accuracy, and
  another processor sums in another order; or
- to one unit of the last digit printed, where that is at most a hundredth of the
  number: both may round the same value, one up and one down.

White space before a number is free, since a sign moves it. What a check measured is
not compared: it is rounding noise below a bound, and the check itself raises where the
bound does not hold. A cell that writes to stderr fails, and so a warning does.
"""

import math
import os
import re

import pytest

# Kernels inherit it: progress bars are for people, not for outputs.
os.environ["TQDM_DISABLE"] = "1"

MEASURED = re.compile(r"^(✓ .*) \(measured [^()]*\)$", re.MULTILINE)
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


def last_unit(number):
    """The unit of the last digit printed: 0.01 for 3.14, 100 for 1.2e3."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


def numbers_agree(ref, test):
    if re.fullmatch(r"[-+]?\d+", ref) or re.fullmatch(r"[-+]?\d+", test):
        return ref == test
    a, b = float(ref), float(test)
    rounding = 1.01 * max(last_unit(ref), last_unit(test))
    return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-8) or (
        abs(a - b) <= rounding and math.isclose(a, b, rel_tol=1e-2)
    )


class Output(str):
    """Text that is equal to another if words are equal and numbers agree."""

    __hash__ = str.__hash__

    def __new__(cls, text):
        return super().__new__(cls, MEASURED.sub(r"\1", text))

    def __eq__(self, other):
        ours, theirs = NUMBER.split(self), NUMBER.split(other)
        return (
            len(ours) == len(theirs)
            and ours[::2] == theirs[::2]
            and all(map(numbers_agree, ours[1::2], theirs[1::2]))
        )

    def __ne__(self, other):
        return not self == other


def pytest_itemcollected(item):
    item.sanitize = lambda out: Output(out) if isinstance(out, str) else out


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    for output in item.test_outputs:
        if output.get("name") == "stderr":
            item.raise_cell_error("The cell wrote to stderr", output.text)
