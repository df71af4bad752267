"""Serves chapters 4 and 6 to 9: losses of two batches of views, as the published code has them.

Batches in half precision, and batches under autocast, are computed in float32.
"""

from functools import wraps

import torch
from torch.nn.functional import batch_norm, cross_entropy, mse_loss

from spectral_ssl._validation import check_samples, check_views, check_weight
from spectral_ssl.duality import column_products
from spectral_ssl.linalg import center, unit_rows

__all__ = ["barlow_twins", "nnclr", "nt_xent", "spectral_contrastive", "vicreg"]

# Added to the variances under the root by the published code.
_VICREG_EPSILON = 1e-4


def _of_two_views(loss):
    """Check the two batches, and compute in float32 or better."""

    @wraps(loss)
    def checked(Za, Zb, *arguments, **options):
        Za, Zb = check_views(Za, Zb)
        dtype = torch.promote_types(torch.promote_types(Za.dtype, Zb.dtype), torch.float32)
        with torch.autocast(Za.device.type, enabled=False):
            return loss(Za.to(dtype), Zb.to(dtype), *arguments, **options)

    return checked


@_of_two_views
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
        A scalar, differentiable in both batches. The covariances are computed by the
        cheaper side, see :func:`spectral_ssl.duality.column_products`.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape or a weight is negative.

    References
    ----------
    Bardes, Ponce & LeCun (2022), *VICReg*.
    """
    invariance = check_weight(invariance, "invariance")
    variance = check_weight(variance, "variance")
    covariance = check_weight(covariance, "covariance")
    attraction = mse_loss(Za, Zb)
    spreads, redundancies = zip(_spread_and_redundancy(Za), _spread_and_redundancy(Zb))
    spread, redundancy = sum(spreads) / 2, sum(redundancies)
    return invariance * attraction + variance * spread + covariance * redundancy


def _spread_and_redundancy(Z):
    """Hinge on the standard deviations and squared covariances, both divided by K."""
    scaled = center(Z) / (len(Z) - 1) ** 0.5
    variances, off_diagonal = column_products(scaled, scaled)
    spread = (1 - (variances + _VICREG_EPSILON).sqrt()).clamp(min=0).mean()
    return spread, off_diagonal / Z.shape[1]


@_of_two_views
def barlow_twins(Za, Zb, *, redundancy=5e-3):
    r"""Barlow Twins' loss of two views, as in the code published with the paper.

    The columns of both batches are standardised as batch normalisation does it,
    :math:`\tilde Z_{ik} = (Z_{ik} - \bar z_k) / \sqrt{v_k + 10^{-5}}` with the biased variance
    :math:`v_k` (:math:`1/n`), each batch by its own. With
    :math:`C = \tilde Z_a^\top \tilde Z_b / n`,

    .. math:: \sum_k (1 - C_{kk})^2 + \text{redundancy} \sum_{k \ne l} C_{kl}^2 .

    For large :math:`n` and views with the same distribution whose order is random this is
    :func:`spectral_ssl.losses.barlow_twins` of the :math:`2n` views and their pairs.

    Parameters
    ----------
    Za, Zb : Tensors of shape (n, K)
        Embeddings of the two views of each source, row by row.
    redundancy : float
        The weight :math:`\lambda` of the redundancy term, by default the published one, meant
        for :math:`K = 8192`.

    Returns
    -------
    Tensor
        A scalar, differentiable in both batches. A constant column has correlation 0.
        Correlations are computed by the cheaper side, see
        :func:`spectral_ssl.duality.column_products`.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape or ``redundancy`` is negative.

    References
    ----------
    Zbontar, Jing, Misra, LeCun & Deny (2021), *Barlow Twins*.
    """
    redundancy = check_weight(redundancy, "redundancy")
    Za, Zb = _standardized(Za), _standardized(Zb)
    on_diagonal, off_diagonal = column_products(Za, Zb)
    n = len(Za)
    return ((1 - on_diagonal / n) ** 2).sum() + redundancy / n**2 * off_diagonal


def _standardized(Z):
    return batch_norm(Z, running_mean=None, running_var=None, training=True, eps=1e-5)


@_of_two_views
def nt_xent(Za, Zb, *, temperature=0.5):
    r"""SimCLR's loss of two views, the normalised temperature-scaled cross-entropy.

    With the :math:`2n` rows of both batches scaled to unit length and the other view
    :math:`i'` of row :math:`i`,

    .. math::

        -\frac{1}{2n} \sum_{i=1}^{2n}
        \log \frac{e^{z_i^\top z_{i'}/\tau}}{\sum_{k \ne i} e^{z_i^\top z_k/\tau}} .

    This is :func:`spectral_ssl.losses.simclr` of the :math:`2n` rows and the graph that relates
    the two views of a source with weight 1. If all rows coincide, it is
    :math:`\log(2n - 1)` at every temperature.

    Parameters
    ----------
    Za, Zb : Tensors of shape (n, K)
        Embeddings of the two views of each source, row by row.
    temperature : float
        The temperature :math:`\tau > 0`.

    Returns
    -------
    Tensor
        A scalar, differentiable in both batches.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape, a row is zero, or
        ``temperature`` is not positive.

    References
    ----------
    Chen, Kornblith, Norouzi & Hinton (2020), *SimCLR*.
    """
    tau = check_weight(temperature, "temperature", positive=True)
    n = len(Za)
    Z = torch.cat([unit_rows(Za, "Za"), unit_rows(Zb, "Zb")])
    logits = (Z @ (Z / tau).T).fill_diagonal_(-torch.inf)
    other_views = torch.arange(2 * n, device=Z.device).roll(n)
    return cross_entropy(logits, other_views)


@_of_two_views
def spectral_contrastive(Za, Zb):
    r"""Spectral contrastive loss of two views, as in the code published with its paper.

    .. math::

        -\frac2n \sum_i z_{a,i}^\top z_{b,i}
        + \frac{1}{n(n-1)} \sum_{i \ne j} \big(z_{a,i}^\top z_{b,j}\big)^2 ,

    an unbiased estimate of :math:`-2\,\mathrm E[z_a^\top z_b] + \mathrm E[(z^\top z')^2]` with
    positives :math:`z_a, z_b` and independent :math:`z, z'`. The published code also projects
    longer rows on a ball of fixed radius; do that before if you want it.

    Parameters
    ----------
    Za, Zb : Tensors of shape (n, K)
        Embeddings of the two views of each source, row by row.

    Returns
    -------
    Tensor
        A scalar, differentiable in both batches.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape.

    References
    ----------
    HaoChen, Wei, Gaidon & Ma (2021).
    """
    n = len(Za)
    positives, negatives = column_products(Za.T, Zb.T)
    return negatives / (n * (n - 1)) - 2 * positives.mean()


@_of_two_views
def nnclr(Za, Zb, support, *, temperature=0.1):
    r"""NNCLR's loss of two views: each row is replaced by its nearest neighbour.

    With all rows scaled to unit length and the row :math:`\nu(z)` of the support set that is
    most similar to :math:`z`, the mean of

    .. math::

        -\frac1n \sum_i \log
        \frac{e^{\nu(z_{a,i})^\top z_{b,i}/\tau}}{\sum_k e^{\nu(z_{a,i})^\top z_{b,k}/\tau}}

    and the same with the views exchanged. No gradient flows through the choice of neighbours
    or into the support set.

    Parameters
    ----------
    Za, Zb : Tensors of shape (n, K)
        Embeddings of the two views of each source, row by row.
    support : Tensor of shape (M, K)
        Where neighbours are looked for, in training a queue of earlier embeddings.
    temperature : float
        The temperature :math:`\tau > 0`.

    Returns
    -------
    Tensor
        A scalar, differentiable in both batches.

    Raises
    ------
    ValueError
        If the batches are not finite matrices of the same shape, ``support`` is not a finite
        matrix with as many columns, a row is zero, or ``temperature`` is not positive.

    References
    ----------
    Dwibedi, Aytar, Tompson, Sermanet & Zisserman (2021), *With a little help from my friends*,
    who also put a predictor before the loss.
    """
    tau = check_weight(temperature, "temperature", positive=True)
    support = check_samples(support, "support", min_samples=1).detach().to(Za)
    if support.shape[1] != Za.shape[1]:
        raise ValueError(
            f"support has {support.shape[1]} columns and Za has {Za.shape[1]}; keep embeddings "
            "of the same network in it"
        )
    Za, Zb = unit_rows(Za, "Za"), unit_rows(Zb, "Zb")
    support = unit_rows(support, "support")
    own = torch.arange(len(Za), device=Za.device)
    losses = [
        cross_entropy(_nearest(one.detach(), support) @ other.T / tau, own)
        for one, other in ((Za, Zb), (Zb, Za))
    ]
    return sum(losses) / 2


def _nearest(Z, support):
    """For each row, the row of the support set with the largest inner product."""
    return support[(Z @ support.T).argmax(dim=1)]
