"""Serves laplacian_eigenmaps and chapter 14: graphs too large for a dense matrix."""

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from spectral_ssl._eigensolvers import lanczos_largest, product_with
from spectral_ssl._validation import row_sums, to_scipy
from spectral_ssl.blocks import between_contrasts

# Above this size vectors leave the cache, and related samples are better stored side by side.
_REORDER_ABOVE = 100_000


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
    masses = torch.ones_like(row_sums(G)).double() if weights is None else weights
    matrix = to_scipy(G.double())
    if not matrix.data.all():
        matrix = matrix.copy()  # it shares its entries with G
        matrix.eliminate_zeros()
    n_parts, parts = connected_components(matrix, directed=False)
    between = min(n_components, n_parts - 1)
    eigenvalues = masses.new_zeros(n_components)
    vectors = masses.new_zeros(len(G), n_components)
    numbers = torch.as_tensor(parts, dtype=torch.int64, device=G.device)
    sums = masses.new_zeros(n_parts).index_add(0, numbers, masses)
    vectors[:, :between] = between_contrasts(numbers, sums, between)
    if between < n_components:
        values, inner = _inside_parts(matrix, parts, masses.cpu().numpy(), n_components - between)
        eigenvalues[between:], vectors[:, between:] = values, inner
    return eigenvalues, vectors


def _inside_parts(matrix, parts, masses, n_components):
    """Smallest positive eigenpairs, in coordinates in which the metric is the identity."""
    n_samples = len(parts)
    order = np.arange(n_samples)
    if n_samples > _REORDER_ABOVE:
        order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
        matrix = matrix[order][:, order]
        matrix.sort_indices()
    parts, masses = parts[order], masses[order]
    scale = np.sqrt(masses)
    degrees = matrix.sum(axis=1)
    rows = np.repeat(np.arange(n_samples), np.diff(matrix.indptr))
    matrix.data = matrix.data / scale[rows] / scale[matrix.indices]
    times = product_with(matrix)
    lift = degrees / masses
    bound = 2 * lift.max().item()
    lift, scale = torch.as_tensor(bound - lift), torch.as_tensor(scale)
    numbers = torch.as_tensor(parts, dtype=torch.int64)
    sums = torch.as_tensor(np.bincount(parts, masses))

    def product(v):
        return times(v).addcmul_(lift, v)

    def project(v):
        if len(sums) == 1:
            return torch.add(v, scale, alpha=-(scale @ v).item() / sums.item())
        means = torch.zeros_like(sums).index_add(0, numbers, scale * v) / sums
        return v - scale * means[numbers]

    values, vectors = lanczos_largest(product, project, n_samples, n_components)
    in_place = torch.empty_like(vectors)
    in_place[torch.as_tensor(order.astype(np.int64))] = vectors / scale[:, None]
    return bound - values, in_place
