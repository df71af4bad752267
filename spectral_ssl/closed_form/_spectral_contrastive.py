"""Serves chapter 7: the optimum of the spectral contrastive loss, free, linear and kernel."""

from functools import partial

import torch

from spectral_ssl._validation import (
    as_tensor,
    check_integer,
    check_samples,
    check_similarity,
    squared_norm,
)
from spectral_ssl.blocks import BlockGraph
from spectral_ssl.linalg import largest_eigenpairs, rank_tolerance
from spectral_ssl.solution import Solution
from spectral_ssl.spectral._shared import affine_solution, check_components, gram_eigenpairs


def spectral_contrastive(G, n_components):
    r"""Global minimum of :func:`spectral_ssl.losses.spectral_contrastive`, free embeddings.

    With the largest *signed* eigenpairs :math:`(\mu_k, q_k)` of :math:`G`,

    .. math::

        Z^\star = [q_1, \dots, q_K]\,\mathrm{diag}\big((\mu_k)_+\big)^{1/2} R, \qquad
        \mathcal L^\star = \|G\|_F^2 - \sum_{k \le K} (\mu_k)_+^2

    for every orthogonal :math:`R`; the function returns :math:`R = I`. A column that would need
    a negative eigenvalue is zero. The Gram matrix :math:`ZZ^\top` is unique if and only if
    :math:`\mu_K > \mu_{K+1}` or :math:`\mu_K \le 0`.

    The diagonal of :math:`G` is approximated like every other entry. For
    :math:`G = -\frac12 HD^{(2)}H` with squared distances :math:`D^{(2)}` this is
    :func:`spectral_ssl.spectral.classical_mds`.

    Parameters
    ----------
    G : Tensor of shape (N, N)
        Symmetric similarities of either sign, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most :math:`N`.

    Returns
    -------
    Solution
        ``spectrum`` holds :math:`\mu_1 \ge \dots \ge \mu_K`, with their signs. The embedding is
        not centred. ``transform`` takes the similarities of new samples to the N known ones, a
        matrix of shape (M, N), and places each by Nyström's formula
        :math:`z_k = \frac1{\mu_k} \sum_j g_j z_{jk}`, the point whose inner products with the
        known embedding are closest to :math:`g`.

    Raises
    ------
    ValueError
        If ``G`` is not finite and symmetric, or ``n_components`` exceeds :math:`N`.

    References
    ----------
    Balestriero & LeCun (2022); HaoChen, Wei, Gaidon & Ma (2021); Eckart & Young (1936).
    """
    G = check_similarity(G)
    eigenvalues, eigenvectors = _largest_of(G, n_components)
    scales = eigenvalues.clamp(min=0)
    weights = torch.where(scales > 0, eigenvectors / scales.sqrt(), 0.0)
    return Solution(
        embedding=(eigenvectors * scales.sqrt()).to(G.dtype),
        loss=_residual(G, scales),
        spectrum=eigenvalues.to(G.dtype),
        extend=partial(_explain, weights=weights),
    )


def _explain(g, weights):
    """New samples from their similarities ``g`` to the known ones."""
    if g.shape[1] != len(weights):
        raise ValueError(
            f"X has {g.shape[1]} columns; give the similarities of each new sample to the "
            f"{len(weights)} known ones"
        )
    return g @ weights


def spectral_contrastive_linear(X, G, n_components, *, rtol=1e-10):
    r"""Global minimum of :func:`spectral_ssl.losses.spectral_contrastive` over ``X @ W``.

    With the singular value decomposition :math:`X = USV^\top` and the largest signed eigenpairs
    :math:`(\mu_k, q_k)` of :math:`U^\top G U`,

    .. math::

        W^\star = V S^{-1} [q_1, \dots, q_K]\,\mathrm{diag}\big((\mu_k)_+\big)^{1/2} R, \qquad
        \mathcal L^\star = \|G\|_F^2 - \sum_{k \le K} (\mu_k)_+^2 .

    ``X`` is used as it is: the loss sees a shift of the embedding, so centre ``X`` if the
    embedding shall be centred. For centred ``X`` and :math:`G = XX^\top` this is
    :func:`spectral_ssl.spectral.pca`.

    Parameters
    ----------
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    G : Tensor of shape (N, N)
        Symmetric similarities of either sign, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of ``X``.
    rtol : float
        Directions with :math:`s_k^2 \le \mathrm{rtol}\cdot s_1^2` are dropped.

    Returns
    -------
    Solution
        With ``weights``; ``spectrum`` holds :math:`\mu_1 \ge \dots \ge \mu_K` of the projected
        :math:`G`. ``transform`` multiplies by the weights.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds the rank.

    References
    ----------
    Balestriero & LeCun (2022).
    """
    X = check_samples(X)
    G = check_similarity(G, n_samples=len(X))
    inputs = X.double()
    if not inputs.any():
        raise ValueError("X is zero: no linear map of it embeds anything")
    left, scales, right = torch.linalg.svd(inputs, full_matrices=False)
    keep = scales**2 > rank_tolerance(X, rtol) * scales[0] ** 2
    check_components(n_components, int(keep.sum()), "X", centered=False)
    eigenvalues, directions = _projected_eigenpairs(G, left[:, keep], n_components)
    used = eigenvalues.clamp(min=0)
    return affine_solution(
        inputs,
        right[keep].T / scales[keep] @ directions * used.sqrt(),
        offset=0.0,
        loss=_residual(G, used),
        spectrum=eigenvalues,
        dtype=X.dtype,
    )


def spectral_contrastive_kernel(gram, G, n_components, *, rtol=1e-10):
    r"""Global minimum of :func:`spectral_ssl.losses.spectral_contrastive` over kernel functions.

    The embeddings are :math:`Z = \mathbf K A`, linear in the feature space of the kernel with
    the Gram matrix :math:`\mathbf K`. The optimum is that of :func:`spectral_contrastive_linear`
    on the features, which are not centred. A kernel of full rank gives
    :func:`spectral_contrastive`.

    Parameters
    ----------
    gram : Tensor of shape (N, N)
        Kernel values of all pairs, symmetric and positive semi-definite; used as it is.
    G : Tensor of shape (N, N)
        Symmetric similarities of either sign, dense or sparse.
    n_components : int
        Embedding dimension :math:`K`, at most the rank of ``gram``.
    rtol : float
        Eigenvalues of ``gram`` below this share of the largest count as zero.

    Returns
    -------
    Solution
        ``weights`` are the coefficients :math:`A` of the kernel functions at the known samples.
        ``transform`` takes the kernel values of new samples with these, a matrix of shape
        (M, N).

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, ``gram`` is not positive semi-definite,
        or ``n_components`` exceeds its rank.

    References
    ----------
    Balestriero & LeCun (2022).
    """
    gram = as_tensor(gram, "gram")
    squares, eigenvectors = gram_eigenpairs(gram, rtol, centered=False)
    G = check_similarity(G, n_samples=len(gram))
    check_components(n_components, len(squares), "gram", centered=False)
    eigenvalues, directions = _projected_eigenpairs(G, eigenvectors, n_components)
    used = eigenvalues.clamp(min=0)
    return affine_solution(
        gram.double(),
        eigenvectors / squares @ directions * used.sqrt(),
        offset=0.0,
        loss=_residual(G, used),
        spectrum=eigenvalues,
        dtype=gram.dtype,
    )


def _largest_of(G, n_components):
    """Largest eigenpairs of similarities, for relations in blocks without a solver."""
    if not isinstance(G, BlockGraph):
        return largest_eigenpairs(G, n_components)
    check_components(n_components, len(G), "G", centered=False)
    G = G.double()
    eigenvectors = G.indicators(min(n_components, G.n_blocks))
    inner = G.inner_contrasts(n_components - eigenvectors.shape[1])
    eigenvalues = torch.ones(n_components, dtype=G.dtype, device=G.device)
    eigenvalues[eigenvectors.shape[1] :] = 0
    return eigenvalues, torch.cat([eigenvectors, inner], dim=1)


def _projected_eigenpairs(G, basis, n_components):
    """Largest eigenpairs of ``U' G U`` for an orthonormal basis U."""
    projected = basis.T @ (G.double() @ basis)
    return largest_eigenpairs((projected + projected.T) / 2, n_components)


def _residual(G, scales):
    """The loss that is left when the eigenvalues ``scales`` of G are explained."""
    return max(squared_norm(G.double()).item() - (scales**2).sum().item(), 0.0)
