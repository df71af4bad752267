"""Serves chapter 9: redundancy of columns from Gram matrices of rows, where these are smaller."""

import torch
from torch.autograd.function import once_differentiable


def squared_off_diagonal(A, B):
    r"""Sum of the squared off-diagonal entries of :math:`C = A^\top B`.

    .. math::

        \sum_{k \ne l} C_{kl}^2 = \|A^\top B\|_F^2 - \sum_k C_{kk}^2
        = \langle AA^\top, BB^\top \rangle - \sum_k C_{kk}^2 .

    The left-hand side needs the :math:`K \times K` matrix :math:`C`, the right-hand side two
    :math:`n \times n` matrices, one if ``B is A``. The function takes the side with fewer
    multiplications and keeps what the gradient needs.

    Parameters
    ----------
    A, B : Tensors of shape (n, K)
        Pass the same tensor twice for :math:`A^\top A`, which costs half.

    Returns
    -------
    Tensor
        A scalar, differentiable once in ``A`` and ``B``.

    References
    ----------
    Garrido, Chen, Bardes, Najman & LeCun (2023), *On the duality between contrastive and
    non-contrastive self-supervised learning*.
    """
    n_rows, n_columns = A.shape
    if (1 if A is B else 2) * n_rows > n_columns:
        return _ByColumns.apply(A, B, A is B)
    return _ByRows.apply(A, B, A is B)


class _ByColumns(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, B, same):
        C = (A.T @ B).fill_diagonal_(0)
        ctx.same = same
        ctx.save_for_backward(A, B, C)
        return (C**2).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        A, B, C = ctx.saved_tensors
        if ctx.same:
            return 4 * grad * (A @ C), None, None
        return 2 * grad * (B @ C.T), 2 * grad * (A @ C), None


class _ByRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, B, same):
        gram_a = A @ A.T
        gram_b = gram_a if same else B @ B.T
        on_diagonal = (A * B).sum(dim=0)
        ctx.same = same
        ctx.save_for_backward(A, B, gram_a, gram_b, on_diagonal)
        return (gram_a * gram_b).sum() - (on_diagonal**2).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        A, B, gram_a, gram_b, on_diagonal = ctx.saved_tensors
        if ctx.same:
            return 4 * grad * (gram_a @ A - A * on_diagonal), None, None
        grad_a = 2 * grad * (gram_b @ A - B * on_diagonal)
        return grad_a, 2 * grad * (gram_a @ B - A * on_diagonal), None
