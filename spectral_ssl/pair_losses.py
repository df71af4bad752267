"""Serves chapter 4: losses of two batches of views, with the conventions of the published code."""

from torch.nn.functional import mse_loss

from spectral_ssl._validation import check_pairs, check_weight
from spectral_ssl.linalg import center

# Added to the variances under the root by the published code.
_VARIANCE_EPSILON = 1e-4


def vicreg(Za, Zb, *, invariance=25.0, variance=25.0, covariance=1.0):
    r"""VICReg's loss of two views, as in the code published with the paper.

    With the unbiased covariances :math:`S^a, S^b` (:math:`1/(n-1)`) of the two batches,

    .. math::

        \frac{\text{invariance}}{nK} \|Z_a - Z_b\|_F^2
        + \frac{\text{variance}}{2K} \sum_{v \in \{a, b\}} \sum_k
          \Big(1 - \sqrt{S^v_{kk} + 10^{-4}}\Big)_+
        + \frac{\text{covariance}}{K} \sum_{v \in \{a, b\}} \sum_{k \ne l} (S^v_{kl})^2 .

    For large :math:`n` and views with the same mean and covariance this is :math:`1/K` times
    :func:`spectral_ssl.losses.vicreg` with ``hinge=True`` and the weights

    .. math::

        \gamma = 2\,\text{invariance}, \qquad \alpha = \text{variance}, \qquad
        \beta = 2\,\text{covariance}

    of the :math:`2n` views and their view graph,
    :func:`spectral_ssl.relations.from_views` with two views.

    Parameters
    ----------
    Za, Zb : Tensors of shape (n, K)
        Embeddings of the two views of each source, row by row.
    invariance, variance, covariance : float
        The weights, by default the published ones.

    Returns
    -------
    Tensor
        A scalar, differentiable in both batches.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape or a weight is negative.

    References
    ----------
    Bardes, Ponce & LeCun (2022), *VICReg*.
    """
    Za, Zb = _check_batches(Za, Zb)
    invariance = check_weight(invariance, "invariance")
    variance = check_weight(variance, "variance")
    covariance = check_weight(covariance, "covariance")
    attraction = mse_loss(Za, Zb)
    spread = (_std_hinge(Za) + _std_hinge(Zb)) / 2
    redundancy = _off_diagonal(Za) + _off_diagonal(Zb)
    return invariance * attraction + variance * spread + covariance * redundancy


def _std_hinge(Z):
    std = (Z.var(dim=0) + _VARIANCE_EPSILON).sqrt()
    return (1 - std).clamp(min=0).mean()


def _off_diagonal(Z):
    """Sum of the squared covariances of different columns, divided by their number K."""
    centered = center(Z)
    S = centered.T @ centered / (len(Z) - 1)
    return ((S**2).sum() - (S.diagonal() ** 2).sum()) / len(S)


def _check_batches(Za, Zb):
    Za, Zb = check_pairs(Za, Zb, ("Za", "Zb"))
    if Za.shape[1] != Zb.shape[1]:
        raise ValueError(
            f"Za has {Za.shape[1]} columns and Zb has {Zb.shape[1]}; embed both views with as "
            "many dimensions"
        )
    return Za, Zb
