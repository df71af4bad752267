"""Serves chapters 3, 5 and 8: directions that separate classes."""

import torch

from spectral_ssl._validation import check_integer, check_labels, check_samples
from spectral_ssl.linalg import rank_tolerance, smallest_eigenpairs, whiten
from spectral_ssl.spectral._shared import affine_solution


def lda(X, labels, n_components, *, rtol=1e-10):
    r"""Fisher's linear discriminant analysis.

    With the class means :math:`m_c`, the within-class and the total scatter

    .. math::

        S_W = \sum_c \sum_{i \in c} (x_i - m_c)(x_i - m_c)^\top, \qquad
        S_T = X^\top H X = S_W + S_B ,

    the columns of :math:`W` solve

    .. math:: S_W w = \lambda\,S_T w

    with the smallest eigenvalues, scaled so that :math:`\mathrm{Cov}(XW) = I`. An eigenvalue is
    the share of the variance that stays within the classes; Fisher's ratio of between-class to
    within-class scatter is :math:`(1 - \lambda)/\lambda`. This is :func:`lpp` with the class
    graph :func:`spectral_ssl.relations.from_labels`.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    labels : sequence of N integers or strings
    n_components : int
        Embedding dimension :math:`K`, at most the number of classes less one and the rank of
        the centred ``X``.
    rtol : float
        Directions of ``X`` with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        With ``weights``; ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K` in
        :math:`[0, 1]`, ``loss`` their sum. The embedding is centred and ``transform`` subtracts
        the mean of ``X``.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, there is only one class, or
        ``n_components`` is too large.

    References
    ----------
    Fisher (1936); Rao (1948) for several classes.
    """
    X = check_samples(X)
    classes, counts = check_labels(labels, n_samples=len(X))
    if len(counts) < 2:
        raise ValueError("labels names one class; discriminants need at least 2")
    inputs = X.double()
    whitening = whiten(inputs, rtol=rank_tolerance(X, rtol))
    limit = min(len(counts) - 1, whitening.rank)
    check_integer(
        n_components,
        "n_components",
        at_most=limit,
        reason=f"there are {len(counts)} classes and the centred X has rank {whitening.rank}",
    )
    white = whitening(inputs)
    within = white - _class_means(white, classes, counts)[classes]
    eigenvalues, directions = smallest_eigenpairs(within.T @ within / len(X), n_components)
    weights = whitening.map @ directions
    return affine_solution(
        inputs,
        weights,
        offset=-whitening.mean @ weights,
        loss=eigenvalues.sum().item(),
        spectrum=eigenvalues.clamp(min=0),
        dtype=X.dtype,
    )


def _class_means(Z, classes, counts):
    sums = torch.zeros(len(counts), Z.shape[1], dtype=Z.dtype, device=Z.device)
    return sums.index_add(0, classes.to(Z.device), Z) / counts.to(Z)[:, None]
