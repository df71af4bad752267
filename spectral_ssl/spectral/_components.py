"""Serves chapters 3 and 7: principal components of samples and of a kernel's feature space."""

import torch

from spectral_ssl._validation import as_tensor, check_samples
from spectral_ssl.linalg import center, rank_tolerance
from spectral_ssl.spectral._shared import (
    affine_solution,
    check_components,
    gram_eigenpairs,
    gram_solution,
)


def pca(X, n_components):
    r"""Principal component analysis.

    With the eigenvectors :math:`V_K` of the :math:`K` largest eigenvalues :math:`\sigma_k^2` of
    :math:`\mathrm{Cov}(X) = \frac1N X^\top H X`,

    .. math::

        Z = HXV_K, \qquad \text{loss} = \tfrac1N \|HX - HXV_KV_K^\top\|_F^2
        = \sum_{k > K} \sigma_k^2,

    the smallest mean squared error of a reconstruction from :math:`K` linear coordinates.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        One sample a row.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``X``.

    Returns
    -------
    Solution
        ``spectrum`` holds the variances :math:`\sigma_1^2 \ge \dots \ge \sigma_K^2` (with
        :math:`1/N`), ``weights`` are :math:`V_K`; ``transform`` subtracts the mean of ``X``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix, is constant, or ``n_components`` exceeds its rank.

    References
    ----------
    Pearson (1901); Hotelling (1933).
    """
    X = check_samples(X)
    inputs = X.double()
    mean = inputs.mean(dim=0)
    _, scales, directions = torch.linalg.svd(center(inputs), full_matrices=False)
    variances = scales**2 / len(X)
    rounding = rank_tolerance(X, 0.0) * abs(inputs).max() ** 2
    if not variances[0] > rounding:
        raise ValueError("X is constant: no column varies, so it has no principal component")
    rank = int((variances > max(rounding, rank_tolerance(X, 0.0) * variances[0])).sum())
    check_components(n_components, rank, "X")
    weights = directions[:n_components].T
    return affine_solution(
        inputs,
        weights,
        offset=-mean @ weights,
        loss=variances[n_components:].sum().item(),
        spectrum=variances[:n_components],
        dtype=X.dtype,
    )


def kernel_pca(gram, n_components, *, rtol=1e-10):
    r"""Kernel principal component analysis: PCA in the feature space of a kernel.

    With the eigenpairs :math:`(\mu_k, q_k)` of the centred Gram matrix :math:`HKH`,

    .. math::

        Z = [q_1, \dots, q_K]\,\mathrm{diag}(\mu_k)^{1/2}, \qquad
        \text{loss} = \tfrac1N \sum_{k > K} \mu_k ,

    the smallest mean squared error of a reconstruction in feature space. The linear kernel
    :math:`K = XX^\top` gives :func:`pca`.

    Parameters
    ----------
    gram : Tensor of shape (N, N)
        Kernel values of all pairs, symmetric and positive semi-definite; not centred.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``gram``.
    rtol : float
        Eigenvalues below this share of the largest count as zero.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\mu_1 \ge \dots \ge \mu_K`. ``transform`` takes the kernel
        values of new samples with the N known ones, a matrix of shape (M, N).

    Raises
    ------
    ValueError
        If ``gram`` is not finite, symmetric and positive semi-definite, or ``n_components``
        exceeds its rank.

    References
    ----------
    Schölkopf, Smola & Müller (1998).
    """
    gram = as_tensor(gram, "gram")
    eigenvalues, eigenvectors = gram_eigenpairs(gram, rtol)
    check_components(n_components, len(eigenvalues), "gram")
    kept = slice(None, n_components)
    return gram_solution(
        gram,
        eigenvectors[:, kept] / eigenvalues[kept].sqrt(),
        loss=eigenvalues[n_components:].sum().item() / len(gram),
        spectrum=eigenvalues[kept],
    )
