"""Serves chapter 4: the optimum of each loss in closed form, free and linear."""

from spectral_ssl import spectral
from spectral_ssl._validation import check_relation, check_samples, check_weight
from spectral_ssl.linalg import rank_tolerance
from spectral_ssl.solution import Solution

__all__ = ["vicreg", "vicreg_linear"]


def vicreg(G, n_components, *, invariance=1.0, variance=1.0, covariance=1.0):
    r"""Global minimum of :func:`spectral_ssl.losses.vicreg` over free embeddings.

    With :math:`\alpha` = ``variance`` = ``covariance``, :math:`\gamma` = ``invariance`` and the
    smallest eigenpairs :math:`(\lambda_k, u_k)` of the Laplacian on :math:`1^\perp`,

    .. math::

        Z^\star = \sqrt N\,[u_1, \dots, u_K]\,\mathrm{diag}(p_k)^{1/2}, \qquad
        p_k = \Big(1 - \frac{\gamma}{\alpha} \lambda_k\Big)_+, \qquad
        \mathcal L^\star = \alpha \sum_{k \le K} (1 - p_k^2) .

    A rotation of the columns and a shift of all rows leave the loss unchanged. Up to those,
    for :math:`\gamma > 0`, the optimum is unique if and only if
    :math:`\lambda_K < \lambda_{K+1}` or :math:`p_K = 0`.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.
    invariance, variance, covariance : float
        The loss's weights :math:`\gamma \ge 0` and :math:`\alpha = \beta > 0`.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. Computed in float64 and
        returned in the dtype of ``G``, on its device.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, a sample has no relation, ``n_components``
        exceeds :math:`N - 1`, or the weights are out of range or unequal.

    References
    ----------
    Balestriero & LeCun (2022); Belkin & Niyogi (2003) for Laplacian eigenmaps.
    """
    G = check_relation(G)
    gamma, alpha = _vicreg_weights(invariance, variance, covariance)
    eigenmaps = spectral.laplacian_eigenmaps(G.double(), n_components)
    variances = (1 - gamma / alpha * eigenmaps.spectrum).clamp(min=0)
    return Solution(
        embedding=(eigenmaps.embedding * variances.sqrt()).to(G.dtype),
        loss=alpha * (1 - variances**2).sum().item(),
        spectrum=eigenmaps.spectrum.to(G.dtype),
    )


def vicreg_linear(
    X, G, n_components, *, invariance=1.0, variance=1.0, covariance=1.0, rtol=1e-10
):
    r"""Global minimum of :func:`spectral_ssl.losses.vicreg` over linear embeddings ``X @ W``.

    With :math:`C_X = \mathrm{Cov}(X)` and the smallest eigenpairs :math:`(\lambda_k, v_k)` of
    :math:`C_X^{-1/2} (X^\top L X / N)\, C_X^{-1/2}`,

    .. math::

        W^\star = C_X^{-1/2}\,[v_1, \dots, v_K]\,\mathrm{diag}(p_k)^{1/2}, \qquad
        p_k = \Big(1 - \frac{\gamma}{\alpha} \lambda_k\Big)_+ ,

    the directions of locality preserving projections. When :math:`C_X` is singular its
    inverse is taken on the directions kept by :func:`spectral_ssl.linalg.whiten`.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred ``X``.
    invariance, variance, covariance : float
        The loss's weights :math:`\gamma \ge 0` and :math:`\alpha = \beta > 0`.
    rtol : float
        Directions of ``X`` with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        With ``weights``; ``spectrum`` holds :math:`\lambda_1 \le \dots \le \lambda_K`. Computed
        in float64 and returned in the dtype of ``X``.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds the rank.

    References
    ----------
    Balestriero & LeCun (2022); He & Niyogi (2003) for locality preserving projections.
    """
    X = check_samples(X)
    G = check_relation(G, n_samples=len(X))
    gamma, alpha = _vicreg_weights(invariance, variance, covariance)
    projections = spectral.lpp(X.double(), G, n_components, rtol=rank_tolerance(X, rtol))
    variances = (1 - gamma / alpha * projections.spectrum).clamp(min=0)
    weights = projections.weights * variances.sqrt()
    return Solution(
        embedding=(X.double() @ weights).to(X.dtype),
        loss=alpha * (1 - variances**2).sum().item(),
        spectrum=projections.spectrum.to(X.dtype),
        weights=weights.to(X.dtype),
    )


def _vicreg_weights(invariance, variance, covariance):
    gamma = check_weight(invariance, "invariance")
    alpha = check_weight(variance, "variance", positive=True)
    beta = check_weight(covariance, "covariance", positive=True)
    if alpha != beta:
        raise ValueError(
            f"variance={alpha} and covariance={beta} differ; this closed form needs equal "
            "weights, so pass the same value for both"
        )
    return gamma, alpha
