"""Serves every chapter from 3 on: what a closed form returns."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from spectral_ssl._validation import check_samples


@dataclass(frozen=True)
class Solution:
    """A closed-form optimum.

    Attributes
    ----------
    embedding : Tensor of shape (N, K) or None
        An optimal embedding; which others are optimal is said by the function that made it.
        None where the samples were streamed; :meth:`transform` embeds them batch by batch.
    loss : float
        The optimal value.
    spectrum : Tensor of shape (K,)
        The eigenvalues behind it.
    weights : Tensor of shape (D, K) or None
        Optimal linear weights, one row for each column of what :meth:`transform` takes; None
        where the embedding is not a linear function of that.
    partner : Solution or None
        The optimum of the second view, where there are two.
    extend : callable or None
        What :meth:`transform` does to a checked input.
    """

    embedding: torch.Tensor | None
    loss: float
    spectrum: torch.Tensor
    weights: torch.Tensor | None = None
    partner: "Solution | None" = field(default=None, repr=False)
    extend: Callable | None = field(default=None, repr=False)

    def transform(self, X):
        """Embed new samples.

        Parameters
        ----------
        X : Tensor of shape (M, D)
            New samples, in the form that the function which made this solution describes:
            inputs, rows of a Gram matrix, distances or relations to the N known samples.
            Relations may be sparse.

        Returns
        -------
        Tensor of shape (M, K)
            In the dtype of ``X``.

        Raises
        ------
        ValueError
            If the solution has no extension to new samples, or ``X`` is not a finite matrix
            with the expected number of columns.
        """
        if self.extend is None and self.weights is None:
            raise ValueError(
                "this embedding is defined on its own samples only; use a linear or a "
                "kernel solution to embed new ones"
            )
        X = _check_new(X)
        if self.weights is not None and X.shape[1] != len(self.weights):
            raise ValueError(
                f"X has {X.shape[1]} columns but the weights expect {len(self.weights)}"
            )
        if self.extend is None:
            return X @ self.weights.to(X.dtype)
        return self.extend(X.double()).to(X.dtype)


def _check_new(X):
    """A finite matrix, dense or, for relations, sparse."""
    if torch.is_tensor(X) and X.is_sparse:
        X = X.coalesce()
        check_samples(X.values()[:, None], min_samples=0)
        return X
    return check_samples(X, min_samples=1)
