"""Serves laplacian_eigenmaps and chapter 14: graphs too large for a dense matrix."""

import numpy as np
import torch

from spectral_ssl._eigensolvers import lanczos_largest, to_scipy
from spectral_ssl.blocks import between_contrasts
from spectral_ssl.relations import connected_components


def smoothest_of_blocks(G, n_components):
    """Smallest eigenpairs, on vectors that sum to zero, of the Laplacian of a BlockGraph."""
    G = G.double()
    between = min(n_components, G.n_blocks - 1)
    vectors = between_contrasts(G.numbers, G.sizes.double(), between)
    inner = G.inner_contrasts(n_components - between)
    eigenvalues = torch.cat([vectors.new_zeros(between), vectors.new_ones(inner.shape[1])])
    return eigenvalues, torch.cat([vectors, inner], dim=1)


def smoothest_of_sparse(G, n_components, weights):
    """Smallest eigenpairs of the Laplacian of a sparse graph in the metric of the weights.

    A graph of C components has C - 1 zero eigenvalues orthogonal to the constant vector, whose
    eigenvectors are contrasts of components; Lanczos could miss some of these equal
    eigenvalues. It finds the others, in the space orthogonal to all of them, as the largest of
    ``bound - L``, with products with ``G`` alone.
    """
    components = connected_components(G)
    masses = torch.ones(len(G), dtype=torch.float64, device=G.device)
    masses = masses if weights is None else weights
    sums = masses.new_zeros(int(components.max()) + 1).index_add(0, components, masses)
    between = min(n_components, len(sums) - 1)
    eigenvalues = masses.new_zeros(between)
    vectors = between_contrasts(components, sums, between)
    if between == n_components:
        return eigenvalues, vectors
    rest, inner = _inside_components(
        to_scipy(G.double()), components.cpu().numpy(), masses.cpu().numpy(), n_components - between
    )
    return (
        torch.cat([eigenvalues, torch.as_tensor(rest, device=G.device)]),
        torch.cat([vectors, torch.as_tensor(inner, device=G.device)], dim=1),
    )


def _inside_components(matrix, components, masses, n_components):
    """Smallest positive eigenpairs, by Lanczos in coordinates in which the metric is the identity."""
    scale = np.sqrt(masses)
    sums = np.bincount(components, masses)
    diagonal = matrix.sum(axis=1) / masses
    bound = 2 * diagonal.max()

    def product(v):
        return (bound - diagonal) * v + matrix @ (v / scale) / scale

    def project(v):
        if len(sums) == 1:
            return v - scale * ((scale @ v) / sums[0])
        means = np.bincount(components, scale * v) / sums
        return v - scale * means[components]

    values, vectors = lanczos_largest(product, project, len(masses), n_components)
    return bound - values, vectors / scale[:, None]
