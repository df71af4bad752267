"""Serves every chapter: compares trained with closed form, and records each check."""

import math
import sys
from typing import NamedTuple

import scipy.linalg
import torch

from spectral_ssl._validation import check_samples
from spectral_ssl.linalg import center, orthonormal_basis


class Comparison(NamedTuple):
    """How far a trained optimum is from the exact one.

    Attributes
    ----------
    loss_gap : float
        Relative loss gap :math:`|L - L^\\star| / |L^\\star|` (the absolute gap if
        :math:`L^\\star = 0`).
    gram_error : float
        Relative Frobenius error of the centred Gram matrix :math:`HZZ^\\top H` (the absolute
        norm if the exact one is zero).
    angle : float
        Largest principal angle, in radians, between the exact column space and the leading
        trained directions of the same dimension (0 if the exact embedding is constant).
    """

    loss_gap: float
    gram_error: float
    angle: float


def compare(trained, exact):
    """Compare two optima by what the losses determine: value, Gram matrix and subspace.

    Embeddings are never compared entry by entry, because a rotation and a shift of them
    change nothing. Where the exact optimum is not unique (no gap in the spectrum at
    :math:`K`) only the loss gap says something.

    Parameters
    ----------
    trained, exact : Fit or Solution
        Anything with an ``embedding`` of shape (N, K) and a ``loss``.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If an embedding is not a finite matrix or the numbers of samples differ.
    """
    Z = center(check_samples(trained.embedding, "trained.embedding").double())
    Z_exact = center(check_samples(exact.embedding, "exact.embedding").double()).to(Z.device)
    if len(Z) != len(Z_exact):
        raise ValueError(
            f"trained has {len(Z)} samples and exact has {len(Z_exact)}; embed the same samples"
        )
    loss_gap = abs(trained.loss - exact.loss) / (abs(exact.loss) or 1.0)
    return Comparison(loss_gap, _gram_error(Z, Z_exact), _subspace_angle(Z, Z_exact))


def _gram_error(Z, Z_exact):
    """Relative error of ``Z Z'`` through a joint basis of both, never forming N x N."""
    _, factor = torch.linalg.qr(torch.cat([Z, Z_exact], dim=1))
    trained, exact = factor.split([Z.shape[1], Z_exact.shape[1]], dim=1)
    gram, gram_exact = trained @ trained.T, exact @ exact.T
    scale = torch.linalg.norm(gram_exact).item() or 1.0
    return torch.linalg.norm(gram - gram_exact).item() / scale


def _subspace_angle(Z, Z_exact):
    exact = orthonormal_basis(Z_exact)
    if not Z_exact.any():
        return 0.0
    leading = orthonormal_basis(Z, rank=exact.shape[1])
    return float(scipy.linalg.subspace_angles(leading.cpu().numpy(), exact.cpu().numpy())[0])


def check(label, what, value, *, below=None, above=None, without=None):
    """Assert a bound on a measured value and record it under a theorem's label.

    The check shows one line with the claim and the measured value. In a notebook it also
    leaves them in the output's metadata, from which the book's ledger is built.

    Parameters
    ----------
    label : str
        Label of the statement checked, such as ``"thm-vicreg"``.
    what : str
        What was measured, such as ``"relative loss gap"``.
    value : float
        The measured value.
    below, above : float
        The bound; exactly one of them.
    without : str, optional
        For an experiment beyond the statement's conditions: the condition that was dropped.

    Raises
    ------
    AssertionError
        If the bound does not hold, or the value is NaN.
    ValueError
        If not exactly one bound is given.
    """
    if (below is None) == (above is None):
        raise ValueError("give exactly one bound: below=... or above=...")
    relation, bound = ("<", float(below)) if above is None else (">", float(above))
    value = float(value)
    beyond = f" without {without}" if without else ""
    claim = f"{label}{beyond}: {what} {relation} {bound:g}"
    holds = value < bound if relation == "<" else value > bound
    if math.isnan(value) or not holds:
        raise AssertionError(f"{claim} fails: measured {value:.6g}")
    record = {
        "label": label,
        "what": what,
        "value": value,
        "relation": relation,
        "bound": bound,
        "without": without,
    }
    _emit(f"✓ {claim} (measured {value:.2g})", record)


def _emit(line, record):
    """Display the line with its record as metadata in a notebook, print it elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        print(line)
        return
    from IPython.display import display

    display({"text/plain": line}, raw=True, metadata={"spectral_ssl": record})
