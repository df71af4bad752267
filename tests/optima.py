"""Graphs to minimise losses on, and independent minima, for the tests of the closed forms."""

import numpy as np
import scipy.optimize
import torch


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def graph(kind, seed=0, n=10):
    weights = gaussian(n, n, seed=seed).abs()
    weights = weights + weights.T
    if kind == "disconnected":
        side = torch.arange(n) < n // 2
        weights = weights * (side[:, None] == side)
    if kind == "irregular":
        popularity = torch.logspace(-1, 1, n, dtype=torch.float64)
        weights = popularity[:, None] * weights * popularity
    if kind == "regular":
        ring = torch.eye(n, dtype=torch.float64).roll(1, 0)
        weights = ring + ring.T
    return weights / weights.sum(dim=1).mean()


KINDS = ["weighted", "disconnected", "irregular", "regular"]


def best_of_scipy(loss, shape, starts=4):
    """Least value that scipy's L-BFGS-B reaches with torch's gradients from random starts."""
    def value_and_gradient(flat):
        Z = torch.tensor(flat.reshape(shape), requires_grad=True)
        value = loss(Z)
        value.backward()
        return value.item(), Z.grad.numpy().ravel()

    runs = [
        scipy.optimize.minimize(
            value_and_gradient, np.random.default_rng(s).standard_normal(np.prod(shape)),
            jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 3000},
        )
        for s in range(starts)
    ]
    return min(run.fun for run in runs)


def gram_gap(Z, Z_exact):
    """Relative difference of the Gram matrices of two embeddings, not centred."""
    gram, exact = (one.detach() @ one.detach().T for one in (Z, Z_exact))
    return (torch.linalg.norm(gram - exact) / torch.linalg.norm(exact)).item()
