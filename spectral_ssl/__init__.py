"""Self-supervised learning as spectral embedding: losses, their closed forms, and checks."""

import torch

from spectral_ssl import (
    agreement,
    blocks,
    closed_form,
    datasets,
    distributed,
    duality,
    linalg,
    losses,
    majorization,
    metrics,
    pair_losses,
    relations,
    spectral,
    sprites,
    statistics,
    streams,
    training,
    views,
)

__version__ = "0.1.0"

__all__ = [
    "agreement",
    "blocks",
    "closed_form",
    "datasets",
    "device",
    "distributed",
    "duality",
    "linalg",
    "losses",
    "majorization",
    "metrics",
    "pair_losses",
    "relations",
    "spectral",
    "sprites",
    "statistics",
    "streams",
    "training",
    "views",
]


def device():
    """The GPU when there is one that computes in float64 (CUDA or ROCm), the CPU otherwise.

    Returns
    -------
    torch.device
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
