"""Serves chapter 14: optima of linear embeddings from statistics instead of samples.

In the linear regime every closed form needs the inputs only through their mean, their scatter
and the energy of their relations, which :mod:`spectral_ssl.statistics` gathers batch by batch.
The functions have the names, options and results of those of
:mod:`spectral_ssl.closed_form`, but ``embedding`` is None: use ``transform`` on each batch.
"""

from functools import partial

import torch

from spectral_ssl._validation import check_weight
from spectral_ssl.closed_form._barlow_twins import unscaled_optimum, whitened_optimum
from spectral_ssl.closed_form._vicreg import vicreg_optimum, vicreg_weights
from spectral_ssl.linalg import largest_eigenpairs, smallest_eigenpairs
from spectral_ssl.solution import Solution
from spectral_ssl.spectral._shared import affine, check_components
from spectral_ssl.statistics import ViewStatistics

__all__ = [
    "barlow_twins_linear",
    "barlow_twins_unscaled_linear",
    "lpp",
    "spectral_contrastive_linear",
    "vicreg_linear",
]


def lpp(statistics, n_components, *, rtol=1e-10):
    r"""Locality preserving projections, :func:`spectral_ssl.spectral.lpp`, from statistics.

    From :class:`spectral_ssl.statistics.ClassStatistics` this is
    :func:`spectral_ssl.spectral.lda` for :math:`K < C` classes.

    Parameters
    ----------
    statistics : ViewStatistics or ClassStatistics
        Of the inputs and their relations.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred inputs.
    rtol : float
        Directions with a smaller share of the top variance are dropped. The variances are
        those of a covariance matrix here, so rounding leaves nothing below about
        :math:`10^{-14}`.

    Returns
    -------
    Solution
        As of :func:`spectral_ssl.spectral.lpp`, without ``embedding``, in float64.

    Raises
    ------
    ValueError
        If there are fewer than two samples, they do not vary, or ``n_components`` exceeds the
        rank.
    """
    return _smoothest(statistics, statistics.within, n_components, rtol)


def vicreg_linear(
    statistics, n_components, *, invariance=1.0, variance=1.0, covariance=1.0, hinge=False,
    rtol=1e-10,
):
    r"""The optimum :func:`spectral_ssl.closed_form.vicreg_linear`, from statistics.

    Parameters
    ----------
    statistics : ViewStatistics or ClassStatistics
        Of the inputs and their relations.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred inputs.
    invariance, variance, covariance, hinge
        As of :func:`spectral_ssl.closed_form.vicreg_linear`.
    rtol : float
        As of :func:`lpp`.

    Returns
    -------
    Solution
        Without ``embedding``, in float64.

    Raises
    ------
    ValueError
        As of :func:`spectral_ssl.closed_form.vicreg_linear`.
    """
    weights = vicreg_weights(n_components, invariance, variance, covariance, hinge)
    return vicreg_optimum(lpp(statistics, n_components, rtol=rtol), *weights)


def spectral_contrastive_linear(statistics, n_components, *, rtol=1e-10):
    r"""The optimum :func:`spectral_ssl.closed_form.spectral_contrastive_linear`, from statistics.

    The inputs are not centred, as there.

    Parameters
    ----------
    statistics : ViewStatistics or ClassStatistics
        Of the inputs and their relations.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the inputs.
    rtol : float
        As of :func:`lpp`, of the second moments.

    Returns
    -------
    Solution
        Without ``embedding``, in float64.

    Raises
    ------
    ValueError
        If there are fewer than two samples, all are zero, or ``n_components`` exceeds the rank.
    """
    _check_samples_seen(statistics)
    offset = statistics.n_samples * torch.outer(statistics.mean, statistics.mean)
    whitening = _whitening(statistics.scatter + offset, rtol)
    check_components(n_components, whitening.shape[1], "stream", centered=False)
    lost = whitening.T @ statistics.within @ whitening
    eigenvalues, directions = largest_eigenpairs(
        torch.eye(len(lost)).to(lost) - (lost + lost.T) / 2, n_components
    )
    used = eigenvalues.clamp(min=0)
    return Solution(
        embedding=None,
        loss=max(statistics.n_blocks - (used**2).sum().item(), 0.0),
        spectrum=eigenvalues,
        weights=whitening @ directions * used.sqrt(),
    )


def barlow_twins_linear(statistics, n_components, *, redundancy=1.0, rtol=1e-10):
    r"""The optimum :func:`spectral_ssl.closed_form.barlow_twins_linear`, from statistics.

    Every two views of a source are a pair.

    Parameters
    ----------
    statistics : ViewStatistics
        Of the views.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred views.
    redundancy : float
        The weight of the redundancy term.
    rtol : float
        As of :func:`lpp`.

    Returns
    -------
    Solution
        Without ``embedding``, in float64.

    Raises
    ------
    ValueError
        If the statistics are not of views, or as :func:`lpp`.
    """
    redundancy = check_weight(redundancy, "redundancy")
    energy = _energy_of_pairs(statistics)
    return whitened_optimum(_smoothest(statistics, energy, n_components, rtol), redundancy)


def barlow_twins_unscaled_linear(statistics, n_components, *, rtol=1e-10):
    r"""The optimum :func:`spectral_ssl.closed_form.barlow_twins_unscaled_linear`, from statistics.

    Parameters
    ----------
    statistics : ViewStatistics
        Of the views.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`D`.
    rtol : float
        Eigenvalues below this share of the top variance count as zero.

    Returns
    -------
    Solution
        Without ``embedding``, in float64.

    Raises
    ------
    ValueError
        If the statistics are not of views, of fewer than two samples, or ``n_components``
        exceeds :math:`D`.
    """
    energy = _energy_of_pairs(statistics)
    check_components(n_components, statistics.n_features, "stream", centered=False)
    covariance = statistics.scatter / statistics.n_samples
    largest = torch.linalg.matrix_norm(covariance, ord=2)
    eigenvalues, weights, loss = unscaled_optimum(
        covariance - energy / statistics.n_samples, n_components, rtol * largest
    )
    return _affine(statistics, weights, loss=loss, spectrum=eigenvalues)


def _smoothest(statistics, energy, n_components, rtol):
    """Directions of unit variance in which the mean energy is smallest."""
    _check_samples_seen(statistics)
    scale = statistics.n_samples**0.5
    rounding = torch.finfo(torch.float64).eps * abs(statistics.mean).max() * scale
    whitening = scale * _whitening(statistics.scatter, rtol, zero=rounding**2)
    check_components(n_components, whitening.shape[1], "stream")
    projected = whitening.T @ energy @ whitening / statistics.n_samples
    eigenvalues, directions = smallest_eigenpairs((projected + projected.T) / 2, n_components)
    weights = whitening @ directions
    return _affine(statistics, weights, loss=eigenvalues.sum().item(), spectrum=eigenvalues)


def _affine(statistics, weights, **results):
    extend = partial(affine, weights=weights, offset=-statistics.mean @ weights)
    return Solution(embedding=None, weights=weights, extend=extend, **results)


def _whitening(moments, rtol, zero=0.0):
    """The map that turns a matrix of second moments into the identity, where it is not zero."""
    rtol = max(check_weight(rtol, "rtol"), len(moments) * torch.finfo(moments.dtype).eps)
    squares, directions = torch.linalg.eigh(moments)
    keep = squares > max(rtol * squares[-1].item(), zero)
    if not keep.any():
        raise ValueError("the stream is constant: no column varies, so nothing embeds it")
    return directions[:, keep] / squares[keep].sqrt()


def _check_samples_seen(statistics):
    if statistics.n_samples < 2:
        raise ValueError(
            f"statistics has seen {statistics.n_samples} sample(s); update it with batches first"
        )


def _energy_of_pairs(statistics):
    """Energy of the graph that joins every two views of a source, with all degrees 1."""
    if not isinstance(statistics, ViewStatistics):
        raise ValueError(
            f"statistics is {statistics!r}; Barlow Twins compares two views, so gather "
            "ViewStatistics"
        )
    _check_samples_seen(statistics)
    return statistics.within * statistics.n_views / (statistics.n_views - 1)
