"""Serves every chapter: how embeddings are compared and judged."""

import numpy as np
import scipy.linalg
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spectral_ssl._threads import threads_that_pay
from spectral_ssl._validation import check_samples
from spectral_ssl.linalg import center, orthonormal_basis


def effective_rank(Z):
    r"""Effective rank :math:`\exp(-\sum_k p_k \log p_k)`, :math:`p_k = \sigma_k / \sum_l \sigma_l`.

    :math:`\sigma_k` are the singular values of the *centred* embeddings. The value lies
    between 1, when all samples differ along one line, and :math:`K`, when all directions are
    used equally; it is 0 when all samples coincide.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
        Embeddings, one sample a row.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``Z`` is not a finite matrix.

    References
    ----------
    Roy & Vetterli (2007); Garrido et al. (2023), *RankMe*, who do not centre.
    """
    Z = check_samples(Z, "Z").double()
    scales = torch.linalg.svdvals(center(Z))
    rounding = torch.finfo(torch.float64).eps * max(Z.shape) * abs(Z).max()
    if scales[0] <= rounding:
        return 0.0
    share = scales / scales.sum()
    return torch.exp(torch.special.entr(share).sum()).item()


def principal_angles(A, B, *, rtol=1e-8):
    r"""Principal angles between the column spaces of two matrices, largest first.

    They are 0 where the spaces agree and :math:`\pi/2` where a direction of one is orthogonal
    to the other. Small angles are computed through their sines and are accurate to rounding.

    Parameters
    ----------
    A, B : Tensors of shapes (N, K) and (N, M)
    rtol : float
        Tolerance of the numerical rank, relative to the largest singular value.

    Returns
    -------
    Tensor of shape (min(rank A, rank B),), float64
        In radians.

    Raises
    ------
    ValueError
        If the matrices are not finite, differ in their number of rows, or one of them is zero.
    """
    A = check_samples(A, "A").double()
    B = check_samples(B, "B").double()
    if len(A) != len(B):
        raise ValueError(f"A has {len(A)} rows and B has {len(B)}; embed the same samples")
    for name, matrix in (("A", A), ("B", B)):
        if not matrix.any():
            raise ValueError(f"{name} is zero and spans no subspace to measure an angle with")
    bases = [orthonormal_basis(matrix, rtol=rtol).cpu().numpy() for matrix in (A, B)]
    return torch.as_tensor(scipy.linalg.subspace_angles(*bases))


def linear_probe(Z_train, y_train, Z_test, y_test):
    """Test accuracy of a logistic regression on standardised embeddings.

    A column that varies by less than 1e-8 of the largest entry is left out: it is constant up to
    rounding, and standardised it would be noise of unit variance.

    Parameters
    ----------
    Z_train, Z_test : Tensors of shapes (N, K) and (M, K)
    y_train, y_test : sequences of N and M labels

    Returns
    -------
    float
        Share of test samples classified correctly.

    Raises
    ------
    ValueError
        If the embeddings are not finite matrices with the same columns, or the numbers of
        samples and labels differ.
    """
    Z_train = check_samples(Z_train, "Z_train").detach().cpu().numpy()
    Z_test = check_samples(Z_test, "Z_test", min_samples=1).detach().cpu().numpy()
    varies = Z_train.std(axis=0) > 1e-8 * abs(Z_train).max()
    Z_train, Z_test = (np.where(varies, Z, 0) for Z in (Z_train, Z_test))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    with threads_that_pay(Z_train.size):
        probe.fit(Z_train, np.asarray(y_train))
    return float(probe.score(Z_test, np.asarray(y_test)))
