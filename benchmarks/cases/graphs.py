"""Embeddings of sparse graphs and of block graphs."""

from functools import lru_cache
from importlib.util import find_spec

import numpy as np
import torch
from cases import OURS, Case, angle
from scipy import sparse
from sklearn.manifold import spectral_embedding

from spectral_ssl import closed_form, relations, spectral

SOLVERS = ["arpack", "lobpcg"] + (["amg"] if find_spec("pyamg") else [])


@lru_cache(maxsize=1)
def neighbors(n):
    """The 10-nearest-neighbour graph of 10-dimensional normal samples."""
    X = torch.randn(n, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    G = relations.nearest_neighbors(X, 10, search="approximate" if n > 100_000 else "exact")
    coordinates = G.to_sparse_coo().coalesce()
    indices = coordinates.indices().numpy()
    return G, sparse.csr_matrix((coordinates.values().numpy(), indices), shape=(n, n))


def eigenmaps(n):
    G, matrix = neighbors(n)

    def peer(solver):
        return lambda: spectral_embedding(
            matrix, n_components=8, eigen_solver=solver, random_state=0
        )

    return {
        OURS: lambda: spectral.laplacian_eigenmaps(G, 8, normalized=True).embedding.numpy()
    } | {f"scikit-learn, {solver}": peer(solver) for solver in SOLVERS}


def residual(n):
    r"""Largest norm of :math:`D^{-1/2} L D^{-1/2} u - \theta u` over the unit vectors."""
    _, matrix = neighbors(n)
    root = np.sqrt(matrix.sum(axis=1)).A1[:, None]

    def worst(Z):
        U = root * Z
        U = U / np.linalg.norm(U, axis=0)
        image = U - matrix @ (U / root) / root
        return float(np.linalg.norm(image - U * (U * image).sum(axis=0), axis=0).max())

    return worst


def blocks(n):
    G = relations.from_labels(torch.arange(n) % 100, implicit=True)
    return {OURS: lambda: closed_form.vicreg(G, 8).embedding.numpy()}


CASES = [
    Case(
        "Laplacian eigenmaps",
        "N",
        [(1000,), (2000,), (5000,)],
        (300,),
        eigenmaps,
        angle,
        long=[(10_000,), (20_000,), (1_000_000,)],
        limits={
            "scikit-learn, arpack": 10_000,
            "scikit-learn, lobpcg": 20_000,
            "scikit-learn, amg": 20_000,
        },
        residual=residual,
        setup="the search for neighbours",
    ),
    Case("VICReg of blocks", "N", [(10_000,), (100_000,), (1_000_000,)], (1000,), blocks, angle),
]
