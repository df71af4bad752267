"""Serves chapter 4: self-supervised losses in graph form, as functions of embeddings and G."""

import torch

from spectral_ssl import linalg
from spectral_ssl._validation import check_relation, check_samples, check_weight
from spectral_ssl.relations import dirichlet_energy


def vicreg(Z, G, *, invariance=1.0, variance=1.0, covariance=1.0, hinge=False):
    r"""VICReg's loss for any graph of positive pairs.

    With :math:`C = \mathrm{Cov}(Z)`,

    .. math::

        \alpha \sum_k (1 - C_{kk})^2 + \beta \sum_{k \ne l} C_{kl}^2
        + \frac{\gamma}{N} \sum_{ij} G_{ij} \|z_i - z_j\|^2 ,

    and with ``hinge=True`` the first sum is :math:`\sum_k \max(0, 1 - \sqrt{C_{kk}})`, as in
    the original paper. The covariance has :math:`1/N`, there is no epsilon under the root,
    and no term is divided by :math:`K`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    invariance, variance, covariance : float
        The weights :math:`\gamma`, :math:`\alpha` and :math:`\beta`.
    hinge : bool
        Hinge on the standard deviations in place of squares on the variances.

    Returns
    -------
    Tensor
        A scalar, differentiable in ``Z``.

    Raises
    ------
    ValueError
        If ``Z`` is not a finite matrix, ``G`` is not symmetric and non-negative, a sample has
        no relation, the sizes differ, or a weight is negative.

    References
    ----------
    Bardes, Ponce & LeCun (2022), *VICReg*; Balestriero & LeCun (2022) for the graph form.
    """
    Z = check_samples(Z, "Z")
    G = check_relation(G, n_samples=len(Z))
    gamma = check_weight(invariance, "invariance")
    alpha = check_weight(variance, "variance")
    beta = check_weight(covariance, "covariance")
    C = linalg.covariance(Z)
    off_diagonal = C - torch.diag(C.diagonal())
    spread = _std_hinge(Z) if hinge else ((1 - C.diagonal()) ** 2).sum()
    redundancy = (off_diagonal**2).sum()
    attraction = dirichlet_energy(Z, G) / len(Z)
    return alpha * spread + beta * redundancy + gamma * attraction


def _std_hinge(Z):
    """``sum_k max(0, 1 - std_k)``, whose gradient at a constant column is 0."""
    std = torch.linalg.vector_norm(linalg.center(Z), dim=0) / len(Z) ** 0.5
    return (1 - std).clamp(min=0).sum()
