"""Serves chapter 9: products of columns from Gram matrices of rows, where these are smaller."""

import torch


def column_products(A, B):
    r"""Diagonal and squared off-diagonal of :math:`C = A^\top B`, by the cheaper side.

    .. math::

        \sum_{k \ne l} C_{kl}^2 = \|A^\top B\|_F^2 - \sum_k C_{kk}^2
        = \langle AA^\top, BB^\top \rangle - \sum_k C_{kk}^2 .

    The left-hand side needs the :math:`K \times K` matrix :math:`C`, the right-hand side two
    :math:`n \times n` matrices, or one if ``B is A``. The function takes the side with fewer
    multiplications for value and gradient together: the right one if :math:`4n \le 3K`, and if
    ``B is A`` already if :math:`n \le K`.

    Parameters
    ----------
    A, B : Tensors of shape (n, K)
        Pass the same tensor twice for :math:`A^\top A`, which costs half.

    Returns
    -------
    diagonal : Tensor of shape (K,)
        The products :math:`C_{kk}`.
    off_diagonal : Tensor
        The sum of the squares of all others, a scalar.

    References
    ----------
    Garrido, Chen, Bardes, Najman & LeCun (2023), *On the duality between contrastive and
    non-contrastive self-supervised learning*.
    """
    n_rows, n_columns = A.shape
    side = _ByRows if (3 if A is B else 4) * n_rows <= 3 * n_columns else _ByColumns
    return side.apply(A, B, A is B)


class _ByColumns(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, B, same):
        C = A.T @ B
        diagonal = C.diagonal().clone()
        C.fill_diagonal_(0)
        ctx.same = same
        ctx.save_for_backward(A, B, C)
        return diagonal, (C**2).sum()

    @staticmethod
    def backward(ctx, of_diagonal, of_squares):
        A, B, C = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative needs C as a function of A and B
            C = A.T @ B
            C = C - torch.diag(C.diagonal())
        of_C = 2 * of_squares * C + torch.diag(of_diagonal)
        if ctx.same:
            return 2 * A @ of_C, None, None
        return B @ of_C.T, A @ of_C, None


class _ByRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, B, same):
        products = _row_products(A, B, same)
        ctx.same = same
        ctx.save_for_backward(A, B, *products)
        gram_a, gram_b, diagonal = products
        return diagonal, (gram_a * gram_b).sum() - (diagonal**2).sum()

    @staticmethod
    def backward(ctx, of_diagonal, of_squares):
        A, B, *products = ctx.saved_tensors
        if torch.is_grad_enabled():
            products = _row_products(A, B, ctx.same)
        gram_a, gram_b, diagonal = products
        scale = of_diagonal - 2 * of_squares * diagonal
        of_A = torch.addcmul(2 * of_squares * (gram_b @ A), B, scale)
        if ctx.same:
            return 2 * of_A, None, None
        return of_A, torch.addcmul(2 * of_squares * (gram_a @ B), A, scale), None


def _row_products(A, B, same):
    gram_a = A @ A.T
    return gram_a, gram_a if same else B @ B.T, (A * B).sum(dim=0)
