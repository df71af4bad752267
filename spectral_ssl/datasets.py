"""Serves chapter 4: real data that need no download."""

import torch
from sklearn.datasets import load_digits


def digits():
    """Handwritten digits, 1797 images of 8 by 8 pixels that ship with scikit-learn.

    Returns
    -------
    X : Tensor of shape (1797, 64), float64
        Pixel brightness between 0 and 1, one image a row.
    y : Tensor of shape (1797,), int64
        The digit shown.

    References
    ----------
    Alpaydin & Kaynak (1998), *Optical recognition of handwritten digits*, UCI repository.
    """
    X, y = load_digits(return_X_y=True)
    return torch.as_tensor(X / 16), torch.as_tensor(y)
