"""Serves chapters 1, 3, 4 and 14: where the relation matrix G comes from, and its Laplacian."""

from spectral_ssl.relations._matrices import (
    connected_components,
    degree,
    dirichlet_energy,
    laplacian,
    normalized_adjacency,
)
from spectral_ssl.relations._neighbors import (
    geodesic_distances,
    nearest_neighbors,
    neighbors_of_new,
)
from spectral_ssl.relations._positives import from_labels, from_pairs, from_views

__all__ = [
    "connected_components",
    "degree",
    "dirichlet_energy",
    "from_labels",
    "from_pairs",
    "from_views",
    "geodesic_distances",
    "laplacian",
    "nearest_neighbors",
    "neighbors_of_new",
    "normalized_adjacency",
]
