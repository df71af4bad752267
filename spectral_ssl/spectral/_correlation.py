"""Serves chapters 3 and 8: directions of two views that correlate."""

from dataclasses import replace

import torch

from spectral_ssl._validation import as_tensor, check_integer, check_pairs, check_weight
from spectral_ssl.linalg import rank_tolerance, whiten
from spectral_ssl.spectral._shared import affine_solution, gram_eigenpairs, gram_solution


def cca(Xa, Xb, n_components, *, rtol=1e-10):
    r"""Canonical correlation analysis.

    Finds :math:`Z_a = HX_aW_a` and :math:`Z_b = HX_bW_b`, both with covariance :math:`I`, whose
    coordinates correlate as much as possible. With whitening maps :math:`M_a, M_b` and the
    singular value decomposition
    :math:`\frac1N M_a^\top X_a^\top H X_b M_b = P\,\mathrm{diag}(\rho)\,Q^\top`,

    .. math::

        W_a = M_a [p_1, \dots, p_K], \qquad W_b = M_b [q_1, \dots, q_K], \qquad
        \text{loss} = \tfrac1N \|Z_a - Z_b\|_F^2 = 2 \sum_{k \le K} (1 - \rho_k) .

    If the ranks of the two views add up to more than :math:`N - 1`, the excess many
    correlations are 1 whatever the data are.

    Parameters
    ----------
    Xa, Xb : Tensors of shapes (N, D) and (N, E)
        The two views of each sample, row by row.
    n_components : int
        Number of canonical pairs :math:`K`, at most the smaller of the two ranks.
    rtol : float
        Directions of a view with a smaller share of its top variance are dropped.

    Returns
    -------
    Solution
        Of the first view, with that of the second as ``partner``; ``spectrum`` holds the
        canonical correlations :math:`\rho_1 \ge \dots \ge \rho_K`. ``transform`` subtracts the
        mean of the known samples.

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds a rank.

    References
    ----------
    Hotelling (1936).
    """
    Xa, Xb = check_pairs(Xa, Xb)
    views = (Xa.double(), Xb.double())
    maps = [whiten(X, rtol=rank_tolerance(given, rtol)) for X, given in zip(views, (Xa, Xb))]
    _check_pairs_of_components(n_components, [one.rank for one in maps])
    white = [one(X) for one, X in zip(maps, views)]
    directions, correlations = _correlate(*white, n_components)
    solutions = [
        affine_solution(
            X,
            one.map @ turn,
            offset=-one.mean @ one.map @ turn,
            loss=2 * (1 - correlations).sum().item(),
            spectrum=correlations,
            dtype=Xa.dtype,
        )
        for X, one, turn in zip(views, maps, directions)
    ]
    return replace(solutions[0], partner=solutions[1])


def kernel_cca(gram_a, gram_b, n_components, *, ridge, rtol=1e-10):
    r"""Kernel canonical correlation analysis with a ridge.

    In the feature spaces of two kernels, with centred covariances :math:`C_a, C_b` and
    cross-covariance :math:`C_{ab}`, the regularised correlations are the singular values of

    .. math:: (C_a + \kappa I)^{-1/2}\, C_{ab}\, (C_b + \kappa I)^{-1/2} .

    A function :math:`f` is scaled to :math:`\mathrm{Var} f + \kappa \|f\|^2 = 1`. Without the
    ridge :math:`\kappa` a kernel of full rank would correlate any two views perfectly.

    Parameters
    ----------
    gram_a, gram_b : Tensors of shape (N, N)
        Kernel values of all pairs in each view, symmetric and positive semi-definite; not
        centred.
    n_components : int
        Number of pairs of functions :math:`K`.
    ridge : float
        The ridge :math:`\kappa > 0`, in units of variance.
    rtol : float
        Directions of a feature space with a smaller share of its top variance are dropped.

    Returns
    -------
    Solution
        Of the first view, with that of the second as ``partner``; ``spectrum`` holds the
        regularised correlations, ``loss`` is :math:`2\sum_k(1-\rho_k)`, the mean squared
        distance of both embeddings plus :math:`\kappa` times all squared norms. ``transform``
        takes the kernel values of new samples with the N known ones, of shape (M, N).

    Raises
    ------
    ValueError
        If an input is out of range, the sizes differ, or ``n_components`` exceeds a rank.

    References
    ----------
    Bach & Jordan (2002); Hardoon, Szedmak & Shawe-Taylor (2004).
    """
    ridge = check_weight(ridge, "ridge", positive=True)
    grams = [as_tensor(gram_a, "gram_a"), as_tensor(gram_b, "gram_b")]
    names = ("gram_a", "gram_b")
    check_pairs(*grams, names)
    pairs = [gram_eigenpairs(gram, rtol, name) for gram, name in zip(grams, names)]
    n_samples = len(grams[0])
    _check_pairs_of_components(n_components, [len(values) for values, _ in pairs])
    # Coordinates of variance s / (s + ridge) along the principal directions of feature space.
    shrunk = [vectors * (values / (values / n_samples + ridge)).sqrt() for values, vectors in pairs]
    directions, correlations = _correlate(*shrunk, n_components)
    solutions = [
        gram_solution(
            gram,
            vectors / (values * (values / n_samples + ridge)).sqrt() @ turn,
            loss=2 * (1 - correlations).sum().item(),
            spectrum=correlations,
        )
        for gram, (values, vectors), turn in zip(grams, pairs, directions)
    ]
    return replace(solutions[0], partner=solutions[1])


def _correlate(Za, Zb, n_components):
    """Singular vectors and values of the cross-covariance of centred coordinates."""
    left, correlations, right = torch.linalg.svd(Za.T @ Zb / len(Za), full_matrices=False)
    turns = (left[:, :n_components], right[:n_components].T)
    return turns, correlations[:n_components]


def _check_pairs_of_components(n_components, ranks):
    check_integer(
        n_components,
        "n_components",
        at_most=min(ranks),
        reason=f"the centred views have the ranks {ranks[0]} and {ranks[1]}",
    )
