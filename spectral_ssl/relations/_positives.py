"""Serves chapters 1, 4 and 14: relations from labels, from views and from pairs."""

import numpy as np
import torch

from spectral_ssl._validation import check_integer, check_labels, sparse_matrix
from spectral_ssl.blocks import BlockGraph


def from_labels(labels, *, implicit=False):
    r"""Class graph :math:`G_{ij} = 1[y_i = y_j] / N_{y_i}`: all samples of a class are positives.

    Every degree is 1, the diagonal is kept, and :math:`G` is the orthogonal projection on
    the class indicators.

    Parameters
    ----------
    labels : sequence of N integers or strings
    implicit : bool
        Keep only the block of each sample, for graphs too large for a matrix.

    Returns
    -------
    Tensor of shape (N, N), float64, or BlockGraph
        The latter if ``implicit``.

    Raises
    ------
    ValueError
        If ``labels`` is not one-dimensional or has fewer than 2 entries.
    """
    graph = BlockGraph(*check_labels(labels))
    return graph if implicit else graph.to_dense()


def from_views(n_sources, n_views, *, implicit=False):
    r"""View graph: the ``n_views`` views of each source are each other's positives.

    Rows are ordered source by source and :math:`G = I_n \otimes \frac1V 1_V 1_V^\top`. Every
    degree is 1; :math:`G` has the eigenvalue 1 ``n_sources`` times and 0 otherwise.

    Parameters
    ----------
    n_sources, n_views : int
        Number of sources :math:`n` and of views :math:`V` of each.
    implicit : bool
        As in :func:`from_labels`.

    Returns
    -------
    Tensor of shape (n_sources * n_views, n_sources * n_views), float64, or BlockGraph

    Raises
    ------
    ValueError
        If there are fewer than 2 rows in all.
    """
    check_integer(n_sources, "n_sources")
    check_integer(n_views, "n_views")
    return from_labels(np.repeat(np.arange(n_sources), n_views), implicit=implicit)


def from_pairs(pairs, n_samples):
    r"""Relations from a list of positive pairs, :math:`G_{ij}` = how often ``{i, j}`` is listed.

    Parameters
    ----------
    pairs : integer array of shape (P, 2)
        Each row names two samples; their order does not matter.
    n_samples : int
        Number of samples :math:`N`.

    Returns
    -------
    Sparse tensor of shape (N, N), float64
        Symmetric. A pair ``(i, i)`` adds 1 to the diagonal.

    Raises
    ------
    ValueError
        If ``pairs`` has another shape, is not integer, or names a sample that does not exist.
    """
    check_integer(n_samples, "n_samples")
    pairs = torch.as_tensor(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.is_floating_point():
        raise ValueError(
            f"pairs must be an integer array with two columns, got shape {tuple(pairs.shape)} "
            f"and {pairs.dtype}"
        )
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= n_samples):
        raise ValueError(
            f"pairs names samples {pairs.min().item()} to {pairs.max().item()}, but only 0 to "
            f"{n_samples - 1} exist; correct pairs or n_samples"
        )
    distinct = pairs[:, 0] != pairs[:, 1]
    both_orders = torch.cat([pairs, pairs[distinct].flip(1)]).T
    counts = torch.ones(both_orders.shape[1], dtype=torch.float64, device=pairs.device)
    return sparse_matrix(both_orders, counts, (n_samples, n_samples))
