"""Serves chapters 4 and 5: the optimum of VICReg, free, linear and kernel."""

import numpy as np
import torch

from spectral_ssl import spectral
from spectral_ssl._validation import check_weight
from spectral_ssl.closed_form._shared import mapped
from spectral_ssl.majorization import rotation_with_diagonal


def vicreg(
    G, n_components, *, invariance=1.0, variance=1.0, covariance=1.0, hinge=False
):
    r"""Global minimum of :func:`spectral_ssl.losses.vicreg` over free embeddings.

    With :math:`\alpha` = ``variance``, :math:`\beta` = ``covariance``, :math:`\gamma` =
    ``invariance`` and the smallest eigenpairs :math:`(\lambda_k, u_k)` of the Laplacian on
    :math:`1^\perp`,

    .. math::

        Z^\star = \sqrt N\,[u_1, \dots, u_K]\,\mathrm{diag}(p_k)^{1/2} Q .

    If :math:`\alpha \le \beta`, then :math:`p_k = (1 - \gamma \lambda_k / \alpha)_+`,
    :math:`Q = I` and :math:`\mathcal L^\star = \alpha \sum_k (1 - p_k^2)`. For
    :math:`\alpha = \beta` every rotation of the columns is optimal too.

    If :math:`\alpha > \beta`, then :math:`p_k = (w - \gamma \lambda_k)_+ / \beta`, filled up
    to the level at which :math:`w = \alpha - (\alpha - \beta)\,\bar p`, where
    :math:`\bar p` is the mean of the :math:`p_k`, and :math:`Q` is any orthogonal matrix
    that gives all columns the same variance :math:`\bar p`.

    With the hinge and :math:`\beta \le \alpha / 8` (or :math:`K = 1`) again
    :math:`p_k = (w - \gamma\lambda_k)_+ / \beta` with equal variances :math:`\bar p` of all
    columns, where either :math:`\bar p = 1` and :math:`w \le \beta + \alpha/4`, or
    :math:`w = \beta\bar p + \alpha / (4 \sqrt{\bar p})`.

    The loss sees neither a shift of all rows nor a permutation or reflection of the columns.
    For :math:`\gamma > 0` the centred Gram matrix :math:`HZZ^\top H` is unique if and only if
    :math:`\lambda_K < \lambda_{K+1}` or :math:`p_K = 0`.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.
    invariance, variance, covariance : float
        The loss's weights :math:`\gamma \ge 0`, :math:`\alpha > 0` and :math:`\beta > 0`.
    hinge : bool
        The hinge of the original paper; only for :math:`\beta \le \alpha / 8` or :math:`K = 1`.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. Computed in float64 and
        returned in the dtype of ``G``, on its device. ``transform`` takes the relations of new
        samples, as that of :func:`spectral_ssl.spectral.laplacian_eigenmaps`.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, a sample has no relation, ``n_components``
        exceeds :math:`N - 1`, or a weight is out of range.

    References
    ----------
    Balestriero & LeCun (2022) for equal weights; Belkin & Niyogi (2003) for Laplacian eigenmaps.
    """
    weights = vicreg_weights(n_components, invariance, variance, covariance, hinge)
    eigenmaps = spectral.laplacian_eigenmaps(G, n_components)
    return vicreg_optimum(eigenmaps, *weights)


def vicreg_linear(
    X, G, n_components, *, invariance=1.0, variance=1.0, covariance=1.0, hinge=False, rtol=1e-10
):
    r"""Global minimum of :func:`spectral_ssl.losses.vicreg` over linear embeddings ``X @ W``.

    With :math:`C_X = \mathrm{Cov}(X)` and the smallest eigenpairs :math:`(\lambda_k, v_k)` of
    :math:`C_X^{-1/2} (X^\top L X / N)\, C_X^{-1/2}`,

    .. math::

        W^\star = C_X^{-1/2}\,[v_1, \dots, v_K]\,\mathrm{diag}(p_k)^{1/2} Q

    with the variances :math:`p_k`, the rotation :math:`Q` and the loss of :func:`vicreg`: the
    directions of locality preserving projections. When :math:`C_X` is singular its inverse is
    taken on the directions kept by :func:`spectral_ssl.linalg.whiten`.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``X``.
    invariance, variance, covariance : float
        The loss's weights :math:`\gamma \ge 0`, :math:`\alpha > 0` and :math:`\beta > 0`.
    hinge : bool
        The hinge of the original paper; only for :math:`\beta \le \alpha / 8` or :math:`K = 1`.
    rtol : float
        Directions of ``X`` with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        With ``weights``; ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. The
        embedding is centred and ``transform`` subtracts the mean of ``X``. Computed in float64
        and returned in the dtype of ``X``.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds the rank.

    References
    ----------
    Balestriero & LeCun (2022); He & Niyogi (2003) for locality preserving projections.
    """
    weights = vicreg_weights(n_components, invariance, variance, covariance, hinge)
    projections = spectral.lpp(X, G, n_components, rtol=rtol)
    return vicreg_optimum(projections, *weights)


def vicreg_kernel(
    gram, G, n_components, *, invariance=1.0, variance=1.0, covariance=1.0, hinge=False, rtol=1e-10
):
    r"""Global minimum of :func:`spectral_ssl.losses.vicreg` over functions of a kernel.

    The embeddings are :math:`Z = \mathbf K \alpha`, linear in the feature space of the kernel
    with the Gram matrix :math:`\mathbf K`. The optimum is that of :func:`vicreg_linear` on the
    features; its directions are those of kernel locality preserving projections. The linear
    kernel :math:`\mathbf K = XX^\top` gives :func:`vicreg_linear`.

    Parameters
    ----------
    gram : Tensor of shape (N, N)
        Kernel values of all pairs, symmetric and positive semi-definite; not centred.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``gram``.
    invariance, variance, covariance : float
        The loss's weights :math:`\gamma \ge 0`, :math:`\alpha > 0` and :math:`\beta > 0`.
    hinge : bool
        The hinge of the original paper; only for :math:`\beta \le \alpha / 8` or :math:`K = 1`.
    rtol : float
        Directions of feature space with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        ``weights`` are the coefficients of the kernel functions at the known samples.
        ``transform`` takes the kernel values of new samples with these, a matrix of shape
        (M, N). Computed in float64 and returned in the dtype of ``gram``.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, ``gram`` is not positive semi-definite,
        or ``n_components`` exceeds its rank.

    References
    ----------
    Balestriero & LeCun (2022).
    """
    weights = vicreg_weights(n_components, invariance, variance, covariance, hinge)
    projections = spectral.kernel_lpp(gram, G, n_components, rtol=rtol)
    return vicreg_optimum(projections, *weights)


def vicreg_optimum(smooth, gamma, alpha, beta, hinge):
    """Stretch the smoothest embedding of unit variances to the variances that the loss wants."""
    eigenvalues = smooth.spectrum.double()
    if alpha <= beta and not hinge:
        variances = _without_rounding((1 - gamma / alpha * eigenvalues).clamp(min=0))
        axes, diagonal = torch.diag(torch.ones_like(variances)), variances
    else:
        fill = _hinge_filling if hinge else _square_filling
        variances = _without_rounding(fill(gamma * eigenvalues, alpha, beta), alpha / beta)
        diagonal = variances.mean().expand(len(variances))
        axes = rotation_with_diagonal(variances, diagonal)
    spread = (1 - diagonal.sqrt()).clamp(min=0) if hinge else (1 - diagonal) ** 2
    redundancy = (variances**2).sum() - (diagonal**2).sum()
    energy = 2 * eigenvalues @ variances
    loss = alpha * spread.sum() + beta * redundancy + gamma * energy
    return mapped(smooth, variances.sqrt()[:, None] * axes, loss=loss.item())


def _without_rounding(variances, size=1.0):
    """Zero in place of variances that are the rounding of a difference of numbers of this size.

    A variance of 1e-16 would be a column of 1e-8, which a probe that standardises takes for data.
    """
    return torch.where(variances > 1e-12 * max(size, 1.0), variances, 0)


def _square_filling(costs, alpha, beta):
    """Variances of the squares: water over basins with the floors ``costs``.

    The level is the mean of the floors under water and of ``alpha``, which counts as
    ``beta K / (alpha - beta)`` of them. A floor is under water if it lowers this mean.
    """
    share = beta * len(costs) / (alpha - beta)
    levels = (alpha * share + costs.cumsum(0)) / (share + _counts(costs))
    wet = levels > costs
    level = levels[wet][-1] if wet.any() else costs.new_tensor(alpha)
    return (level - costs).clamp(min=0) / beta


def _hinge_filling(costs, alpha, beta):
    """Variances of the hinge: water of the amount ``K``, or less where the hinge stops paying."""
    n_components, floors = len(costs), costs.cumsum(0)
    levels = (beta * n_components + floors) / _counts(costs)
    m = int((levels > costs).sum())
    amount = 1.0
    if levels[m - 1] > beta + alpha / 4:
        # With m floors under water the standard deviation t solves
        # (K - m) beta t^3 + (sum of the floors) t = m alpha / 4, increasing in t.
        for m in range(n_components, 0, -1):
            cubic = [(n_components - m) * beta, 0, floors[m - 1].item(), -m * alpha / 4]
            t = next(root.real for root in np.roots(cubic) if root.real > 0 == root.imag)
            amount = t**2
            if beta * amount + alpha / (4 * t) > costs[m - 1]:
                break
    wet = costs[:m]
    filled = n_components * amount / m - (wet - wet.mean()) / beta
    return torch.cat([filled.clamp(min=0), torch.zeros_like(costs[m:])])


def _counts(costs):
    return torch.arange(1, len(costs) + 1, dtype=costs.dtype, device=costs.device)


def vicreg_weights(n_components, invariance, variance, covariance, hinge):
    gamma = check_weight(invariance, "invariance")
    alpha = check_weight(variance, "variance", positive=True)
    beta = check_weight(covariance, "covariance", positive=True)
    if hinge and n_components != 1 and 8 * beta > alpha * (1 + 1e-12):
        raise ValueError(
            f"covariance={beta} is above variance / 8 = {alpha / 8}, where no closed form of "
            "the hinge is known; lower covariance, or train"
        )
    return gamma, alpha, beta, hinge
