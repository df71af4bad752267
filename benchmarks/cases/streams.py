"""Streamed statistics beside the two matrix products that they cannot do without."""

import numpy as np
import torch
from cases import OURS, Case

from spectral_ssl.statistics import ClassStatistics, ViewStatistics

BATCH, FEATURES, CLASSES = 4096, 256, 10


def batches(n):
    """How many samples each batch has, the last one fewer."""
    return [min(BATCH, n - start) for start in range(0, n, BATCH)]


def data(width):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(BATCH, width, generator=generator, dtype=torch.float64)


def difference(ours, peer):
    return np.linalg.norm(ours - peer) / np.linalg.norm(peer)


def views(n):
    Xa = data(FEATURES)
    Xa -= Xa.mean()
    Xb = Xa.roll(1, dims=1)

    def ours():
        statistics = ViewStatistics(FEATURES)
        for size in batches(n // 2):
            statistics.update(Xa[:size], Xb[:size])
        mean = statistics.mean
        total = statistics.scatter + statistics.n_samples * torch.outer(mean, mean)
        return np.stack([total.numpy(), (total - statistics.within).numpy()])

    def products():
        total, related = torch.zeros(2, FEATURES, FEATURES, dtype=torch.float64)
        for size in batches(n // 2):
            a, b = Xa[:size], Xb[:size]
            total += a.T @ a + b.T @ b
            both = a + b
            related += both.T @ both / 2
        return np.stack([total.numpy(), related.numpy()])

    return {OURS: ours, "products alone": products}


def classes(n):
    X, labels = data(FEATURES), torch.arange(BATCH) % CLASSES

    def ours():
        statistics = ClassStatistics(FEATURES)
        for size in batches(n):
            statistics.update(X[:size], labels[:size])
        mean = statistics.mean
        total = statistics.scatter + statistics.n_samples * torch.outer(mean, mean)
        return np.stack([total.numpy(), (total - statistics.within).numpy()])

    def products():
        total = torch.zeros(FEATURES, FEATURES, dtype=torch.float64)
        sums = torch.zeros(CLASSES, FEATURES, dtype=torch.float64)
        counts = torch.zeros(CLASSES, dtype=torch.float64)
        for size in batches(n):
            total += X[:size].T @ X[:size]
            sums.index_add_(0, labels[:size], X[:size])
            counts += labels[:size].bincount(minlength=CLASSES)
        return np.stack([total.numpy(), (sums.T @ (sums / counts[:, None])).numpy()])

    return {OURS: ours, "products alone": products}


SIZES = [(65_536,), (262_144,), (1_000_000,)]
CASES = [
    Case("View statistics", "samples", SIZES, (8192,), views, difference),
    Case("Class statistics", "samples", SIZES, (8192,), classes, difference),
]
