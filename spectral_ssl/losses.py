"""Serves chapters 4 and 6 to 9: self-supervised losses in graph form, as functions of embeddings and G."""

import torch

from spectral_ssl import linalg
from spectral_ssl._validation import (
    check_choice,
    check_relation,
    check_samples,
    check_similarity,
    check_weight,
    diagonal,
    row_sums,
    squared_norm,
)
from spectral_ssl.relations import dirichlet_energy

__all__ = ["barlow_twins", "simclr", "spectral_contrastive", "vicreg"]


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


def simclr(Z, G, *, temperature=1.0, similarity="cosine", self_pairs=False):
    r"""SimCLR's loss for any graph of positive pairs: a cross-entropy of two graphs.

    .. math::

        -\frac1N \sum_{ij} G_{ij} \log \hat G_{ij}, \qquad
        \hat G_{ij} = \frac{e^{s_{ij}/\tau}}{\sum_{k \ne i} e^{s_{ik}/\tau}} ,

    where :math:`s_{ij}` is the cosine or the inner product of :math:`z_i` and :math:`z_j`, and
    both sums leave out :math:`j = i` and :math:`k = i`. So the diagonal of :math:`G` plays no
    role. With ``self_pairs=True`` they are left in.

    For relations with row sums 1 the loss is at least the mean entropy of the rows of
    :math:`G`, and equal to it where :math:`\hat G = G`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    temperature : float
        The temperature :math:`\tau > 0`.
    similarity : "cosine" or "inner"
        Whether embeddings are first scaled to unit length.
    self_pairs : bool
        Let a sample be its own candidate.

    Returns
    -------
    Tensor
        A scalar, differentiable in ``Z``.

    Raises
    ------
    ValueError
        If ``Z`` is not a finite matrix, a row of it is zero and the similarity the cosine, ``G``
        is not symmetric and non-negative, a sample has no positive (other than itself, unless
        ``self_pairs``), the sizes differ, or an option is out of range.

    References
    ----------
    Chen, Kornblith, Norouzi & Hinton (2020), *SimCLR*; Balestriero & LeCun (2022) for the graph
    form.
    """
    Z = check_samples(Z, "Z")
    G = check_relation(G, n_samples=len(Z)).to(Z.dtype)
    tau = check_weight(temperature, "temperature", positive=True)
    if check_choice(similarity, "similarity", ("cosine", "inner")) == "cosine":
        Z = linalg.unit_rows(Z, "Z")
    degrees = row_sums(G)
    attraction = (Z * (G @ Z)).sum()
    logits = Z @ Z.T / tau
    if not self_pairs:
        own = diagonal(G)
        degrees = degrees - own
        _check_positives(degrees)
        attraction = attraction - own @ (Z**2).sum(dim=1)
        logits = logits.fill_diagonal_(-torch.inf)
    return (degrees @ logits.logsumexp(dim=1) - attraction / tau) / len(Z)


def _check_positives(degrees):
    alone = (degrees <= 0).nonzero().flatten().tolist()
    if alone:
        raise ValueError(
            f"G relates {len(alone)} sample(s) to nothing but themselves (first: sample "
            f"{alone[0]}), and self-pairs are left out; give them a positive or set "
            "self_pairs=True"
        )


def spectral_contrastive(Z, G):
    r"""Spectral contrastive loss, the squared distance of two similarity matrices.

    .. math::

        \|G - ZZ^\top\|_F^2 = \|G\|_F^2 - 2 \sum_{ij} G_{ij} z_i^\top z_j
        + \sum_{ij} (z_i^\top z_j)^2 .

    For a sparse ``G``, or one in blocks, it is computed by the right-hand side without any :math:`N \times N`
    matrix, where rounding is relative to :math:`\|G\|_F^2`.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric similarities of either sign, dense or sparse; the diagonal counts.

    Returns
    -------
    Tensor
        A scalar, differentiable in ``Z``.

    Raises
    ------
    ValueError
        If ``Z`` is not a finite matrix, ``G`` is not finite and symmetric, or the sizes differ.

    References
    ----------
    HaoChen, Wei, Gaidon & Ma (2021), for the graph of all augmented samples, divided by the
    degrees.
    """
    Z = check_samples(Z, "Z")
    G = check_similarity(G, n_samples=len(Z)).to(Z.dtype)
    if torch.is_tensor(G) and not G.is_sparse:
        return ((G - Z @ Z.T) ** 2).sum()
    return squared_norm(G) - 2 * (Z * (G @ Z)).sum() + ((Z.T @ Z) ** 2).sum()


def barlow_twins(Z, G, *, redundancy=1.0, scaled=True):
    r"""Barlow Twins' loss for any graph of positive pairs.

    Pairs are drawn with the probabilities :math:`P_{ij} = G_{ij} / \sum_{kl} G_{kl}`, so sample
    :math:`i` with :math:`\pi_i = d_i / \sum_j d_j`. The columns of :math:`\tilde Z` are those of
    :math:`Z` with mean 0 and variance 1 under :math:`\pi`, and

    .. math::

        \sum_k (1 - C_{kk})^2 + \lambda \sum_{k \ne l} C_{kl}^2, \qquad
        C = \tilde Z^\top P \tilde Z ,

    the correlations of the two members of a pair. This is what a list of pairs gives in which
    each pair stands in both orders. If all degrees are 1, then
    :math:`C = \tilde Z^\top G \tilde Z / N` with columns standardised as usual.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    redundancy : float
        The weight :math:`\lambda`.
    scaled : bool
        Scale columns to unit variance. Without it columns are only centred, and :math:`C` is
        the cross-covariance.

    Returns
    -------
    Tensor
        A scalar, differentiable in ``Z``.

    Raises
    ------
    ValueError
        If ``Z`` is not a finite matrix, a column is constant and ``scaled``, ``G`` is not
        symmetric and non-negative, a sample has no relation, the sizes differ, or
        ``redundancy`` is negative.

    References
    ----------
    Zbontar, Jing, Misra, LeCun & Deny (2021), *Barlow Twins*; Balestriero & LeCun (2022) for the
    graph form; Simon et al. (2023) for the loss without scaling.
    """
    Z = check_samples(Z, "Z")
    G = check_relation(G, n_samples=len(Z)).to(Z.dtype)
    redundancy = check_weight(redundancy, "redundancy")
    degrees = row_sums(G)
    share = degrees / degrees.sum()
    centered = Z - share @ Z
    if scaled:
        variances = share @ centered**2
        _check_columns_vary(variances, Z)
        centered = centered / variances.sqrt()
    C = centered.T @ (G @ centered) / degrees.sum()
    on_diagonal = C.diagonal()
    off_diagonal = (C**2).sum() - (on_diagonal**2).sum()
    return ((1 - on_diagonal) ** 2).sum() + redundancy * off_diagonal


def _check_columns_vary(variances, Z):
    rounding = torch.finfo(Z.dtype).eps * abs(Z.detach()).max()
    constant = (variances <= rounding**2).nonzero().flatten().tolist()
    if constant:
        raise ValueError(
            f"Z has {len(constant)} constant column(s) (first: column {constant[0]}), which "
            "correlate with nothing; drop them or set scaled=False"
        )
