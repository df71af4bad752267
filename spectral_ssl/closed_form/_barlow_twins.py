"""Serves chapter 8: optima of Barlow Twins, free and linear."""

from typing import NamedTuple

import torch

from spectral_ssl import spectral
from spectral_ssl._validation import as_tensor, check_integer, check_views, check_weight
from spectral_ssl.closed_form._shared import mapped
from spectral_ssl.linalg import center, largest_eigenpairs, rank_tolerance
from spectral_ssl.majorization import rotation_with_diagonal
from spectral_ssl.relations import from_pairs
from spectral_ssl.spectral._shared import affine_solution


def barlow_twins(G, n_components, *, redundancy=1.0):
    r"""Minimum of :func:`spectral_ssl.losses.barlow_twins` over whitened free embeddings.

    Whitened says that the columns are uncorrelated and of unit variance, where sample
    :math:`i` counts with the share :math:`\pi_i = d_i / \sum_j d_j` of its degree. The
    correlations :math:`\rho_1 \ge \rho_2 \ge \dots` are the eigenvalues of
    :math:`D_G^{-1/2} G D_G^{-1/2}` orthogonal to :math:`D_G^{1/2} 1`, and the minimum has the
    columns of :func:`spectral_ssl.spectral.laplacian_eigenmaps` (normalised), up to a rotation:

    .. math::

        \mathcal L^\star = \sum_{k \le K} (1 - \rho_k)^2 \quad (\lambda \ge 1), \qquad
        \mathcal L^\star = K (1 - \bar\rho)^2 + \lambda \sum_{k \le K} (\rho_k - \bar\rho)^2
        \quad (\lambda \le 1),

    with :math:`\lambda` = ``redundancy`` and the mean :math:`\bar\rho` of the :math:`K` largest.
    For :math:`\lambda > 1` the columns are the eigenvectors themselves, for :math:`\lambda = 1`
    any rotation of them is optimal, and for :math:`\lambda < 1` those rotations are that give
    all columns the same correlation :math:`\bar\rho`.

    Without the constraint the loss can be lower, and for small :math:`K` and
    :math:`\lambda` its minimum repeats columns.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric non-negative relations, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N - 1`.
    redundancy : float
        The weight :math:`\lambda \ge 0` of the redundancy term.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\rho_1 \ge \dots \ge \rho_K`.

    Raises
    ------
    ValueError
        If ``G`` is not symmetric and non-negative, a sample has no relation, ``n_components``
        exceeds :math:`N - 1`, or ``redundancy`` is negative.

    References
    ----------
    Balestriero & LeCun (2022); Zbontar et al. (2021) for the loss.
    """
    redundancy = check_weight(redundancy, "redundancy")
    eigenmaps = spectral.laplacian_eigenmaps(G, n_components, normalized=True)
    return whitened_optimum(eigenmaps, redundancy)


def barlow_twins_linear(Xa, Xb, n_components, *, redundancy=1.0, rtol=1e-10):
    r"""Minimum of :func:`spectral_ssl.losses.barlow_twins` over whitened linear embeddings.

    Both views pass through the same map, and each pair counts in both orders, so the views
    share the covariance :math:`\Sigma` of all :math:`2n` rows and :math:`\Gamma`, the mean of
    :math:`\frac12(x_a x_b^\top + x_b x_a^\top)` about the common mean, is symmetric. With the
    largest signed eigenpairs
    :math:`(\rho_k, q_k)` of :math:`\Sigma^{-1/2} \Gamma \Sigma^{-1/2}`, the canonical
    correlations,

    .. math:: W^\star = \Sigma^{-1/2} [q_1, \dots, q_K]\, R

    with the loss and the rotation :math:`R` of :func:`barlow_twins`. These are the directions of
    :func:`spectral_ssl.spectral.lpp` on the pairs, where :math:`\rho_k = 1 - \lambda_k`.

    Parameters
    ----------
    Xa, Xb : Tensors of shape (n, D)
        The two views of each sample, row by row.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of the centred views together.
    redundancy : float
        The weight of the redundancy term.
    rtol : float
        Directions with a smaller share of the top variance are dropped.

    Returns
    -------
    Solution
        The ``embedding`` is that of the :math:`2n` rows, those of ``Xa`` first. With
        ``weights``; ``spectrum`` holds :math:`\rho_1 \ge \dots \ge \rho_K`. ``transform``
        subtracts the common mean.

    Raises
    ------
    ValueError
        If an input is out of range, the views differ in shape, or ``n_components`` exceeds the
        rank.

    References
    ----------
    Balestriero & LeCun (2022).
    """
    redundancy = check_weight(redundancy, "redundancy")
    both, G = _both_views(Xa, Xb)
    return whitened_optimum(spectral.lpp(both, G, n_components, rtol=rtol), redundancy)


class Filling(NamedTuple):
    r"""The optimum of the published Barlow Twins along each canonical direction.

    Attributes
    ----------
    agreements : Tensor of shape (K,)
        Eigenvalues :math:`\nu_k` of the correlations :math:`C` of the two views' coordinates.
    variances : Tensor of shape (K,)
        Variances :math:`\nu_k / \rho_k` of the standardised embedding along the directions.
    loss : float
    """

    agreements: torch.Tensor
    variances: torch.Tensor
    loss: float

    @property
    def rank(self):
        """Number of directions in use."""
        return int((self.agreements > 0).sum())


def barlow_twins_filling(correlations, n_components, *, redundancy=5e-3):
    r"""Least value of :func:`spectral_ssl.losses.barlow_twins` without whitening, and its rank.

    The published loss scales columns and lets them correlate. With the prices
    :math:`a_k = 1/\rho_k`, infinite where :math:`\rho_k \le 0`, and the level :math:`\ell` that
    solves

    .. math::

        \sum_{k \le K} (a_k - 1)(\ell - a_k)_+ = \lambda \sum_{k \le K} \min(a_k, \ell) ,

    the agreements are
    :math:`\nu_k = K (\ell - a_k)_+ / \sum_l a_l (\ell - a_l)_+`, and

    .. math:: \mathcal L \ge K (1 - \bar\nu)^2 + \lambda \sum_{k \le K} (\nu_k - \bar\nu)^2

    for every linear or free embedding. Equality is reached for :math:`\lambda = 1`, and whenever
    there are as many orthogonal vectors with entries :math:`\pm 1` in :math:`\mathbb R^K` as
    there are positive :math:`\nu_k`: for one, for two and even :math:`K`, for any number if
    :math:`K` is a power of two. Otherwise the minimum can be higher.

    Parameters
    ----------
    correlations : Tensor of shape (r,)
        The canonical correlations :math:`\rho_1 \ge \dots \ge \rho_r`, such as the ``spectrum``
        of :func:`barlow_twins` or :func:`barlow_twins_linear`; give all that are positive, or
        the first :math:`K`.
    n_components : int
        Embedding dimension :math:`K`.
    redundancy : float
        The weight :math:`\lambda`, above 0 and at most 1, by default the published one.

    Returns
    -------
    Filling

    Raises
    ------
    ValueError
        If an argument is out of range, no correlation is positive, or :math:`K` is so large for
        this weight that no level exists.
    """
    K = check_integer(n_components, "n_components")
    redundancy = check_weight(redundancy, "redundancy", positive=True)
    if redundancy > 1:
        raise ValueError(f"redundancy={redundancy} is above 1, where no closed form is known")
    rho = _check_correlations(correlations)[:K]
    prices = 1 / rho[rho > 0].double()
    depths = (_level(prices, K, redundancy) - prices).clamp(min=0)
    agreements = K * depths / (prices @ depths)
    unused = agreements.new_zeros(K - len(prices))
    nu, variances = (torch.cat([v, unused]) for v in (agreements, prices * agreements))
    loss = K * (1 - nu.mean()) ** 2 + redundancy * ((nu - nu.mean()) ** 2).sum()
    return Filling(nu.to(rho.dtype), variances.to(rho.dtype), loss.item())


def _level(prices, K, redundancy):
    """The water level: its equation is linear between two prices."""

    def excess(level):
        floor = prices.clamp(max=level).sum() + (K - len(prices)) * level
        return (prices - 1) @ (level - prices).clamp(min=0) - redundancy * floor

    m = 1 + sum(int(excess(price) < 0) for price in prices[1:])
    total, squares = prices[:m].sum(), (prices[:m] ** 2).sum()
    slope = total - m - redundancy * (K - m)
    if slope > 0:
        return (squares - total + redundancy * total) / slope
    if len(prices) == K and (prices == 1).all():
        return prices.new_tensor(2.0)  # every level fills equal depths and the loss is 0
    raise ValueError(
        f"n_components={K} has no optimum of this form at redundancy={redundancy}: only "
        f"{len(prices)} correlations are positive; lower one of the two"
    )


def _check_correlations(correlations):
    rho = as_tensor(correlations, "correlations")
    if rho.ndim != 1 or not len(rho) or not torch.isfinite(rho).all():
        raise ValueError(
            f"correlations must be a vector of finite numbers, got shape {tuple(rho.shape)}"
        )
    if (rho.diff() > 0).any() or rho[0] > 1 + 1e-6 or rho[0] <= 0:
        raise ValueError(
            "correlations must descend from a value in (0, 1]; sort them, and give at least "
            "one positive"
        )
    return rho.clamp(max=1)


def barlow_twins_unscaled_linear(Xa, Xb, n_components, *, rtol=1e-10):
    r"""Global minimum of Barlow Twins without column scaling over linear embeddings.

    The loss is :func:`spectral_ssl.losses.barlow_twins` with ``scaled=False`` and
    ``redundancy=1``, that is :math:`\|W^\top \Gamma W - I\|_F^2` with the symmetric
    cross-covariance :math:`\Gamma` of :func:`barlow_twins_linear`. With the largest signed
    eigenpairs :math:`(g_k, q_k)` of :math:`\Gamma`, the minimiser of least norm is

    .. math::

        W^\star = [q_1, \dots, q_K]\,\mathrm{diag}(g_k)^{-1/2} R, \qquad \mathcal L^\star = 0

    if all these are positive, for every orthogonal :math:`R`. A column whose eigenvalue is not
    positive is zero instead and costs 1.

    Parameters
    ----------
    Xa, Xb : Tensors of shape (n, D)
        The two views of each sample, row by row.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`D`.
    rtol : float
        Eigenvalues below this share of the top variance count as zero.

    Returns
    -------
    Solution
        Of the :math:`2n` rows, those of ``Xa`` first, as :func:`barlow_twins_linear`;
        ``spectrum`` holds :math:`g_1 \ge \dots \ge g_K`.

    Raises
    ------
    ValueError
        If an input is out of range, the views differ in shape, or ``n_components`` exceeds
        :math:`D`.

    References
    ----------
    Simon, Knutins, Ziyin, Geisz, Fetterman & Albrecht (2023).
    """
    both, G = _both_views(Xa, Xb)
    check_integer(
        n_components,
        "n_components",
        at_most=both.shape[1],
        reason=f"the views have {both.shape[1]} columns",
    )
    inputs = both.double()
    centered = center(inputs)
    cross = centered.T @ (G.double() @ centered) / len(both)
    largest = torch.linalg.matrix_norm(centered, ord=2) ** 2 / len(both)
    eigenvalues, weights, loss = unscaled_optimum(
        cross, n_components, rank_tolerance(both, rtol) * largest
    )
    return affine_solution(
        inputs,
        weights,
        offset=-inputs.mean(dim=0) @ weights,
        loss=loss,
        spectrum=eigenvalues,
        dtype=both.dtype,
    )


def unscaled_optimum(cross, n_components, zero):
    """Eigenvalues of a cross-covariance, weights that make K of them 1, and the loss left."""
    eigenvalues, directions = largest_eigenpairs((cross + cross.T) / 2, n_components)
    positive = eigenvalues > zero
    weights = directions * torch.where(positive, eigenvalues, torch.inf).rsqrt()
    return eigenvalues, weights, float((~positive).sum())


def _both_views(Xa, Xb):
    """The views one below the other, and the graph of their pairs."""
    Xa, Xb = check_views(Xa, Xb, ("Xa", "Xb"))
    rows = torch.arange(2 * len(Xa), device=Xa.device)
    return torch.cat([Xa, Xb]), from_pairs(rows.reshape(2, -1).T, len(rows))


def whitened_optimum(smooth, redundancy):
    """Turn the columns of a whitened, smoothest embedding as the redundancy weight wants."""
    correlations = 1 - smooth.spectrum.double()
    axes, diagonal = torch.eye(len(correlations)).to(correlations), correlations
    if redundancy < 1:
        diagonal = correlations.mean().expand(len(correlations))
        axes = rotation_with_diagonal(correlations, diagonal)
    off_diagonal = (correlations**2).sum() - (diagonal**2).sum()
    loss = ((1 - diagonal) ** 2).sum() + redundancy * off_diagonal
    return mapped(smooth, axes, loss=loss.item(), spectrum=correlations.to(smooth.spectrum))
