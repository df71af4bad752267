"""Serves chapters 3, 5, 7 and 8: the classical methods, from their own definitions.

Each is one eigenproblem. Methods that explain a similarity matrix scale every eigenvector by
the square root of its eigenvalue: :func:`pca`, :func:`kernel_pca`, :func:`classical_mds`,
:func:`isomap`. Methods that minimise an energy fix the scale by a constraint, here covariance
:math:`I` of the embedding: :func:`laplacian_eigenmaps`, :func:`lpp`, :func:`kernel_lpp`,
:func:`lda`, :func:`cca`; :func:`kernel_cca` adds a ridge to it. Embeddings are centred.
Eigenproblems are solved in float64; results come in the dtype and on the device of the input.
"""

from spectral_ssl.spectral._components import kernel_pca, pca
from spectral_ssl.spectral._correlation import cca, kernel_cca
from spectral_ssl.spectral._discriminants import lda
from spectral_ssl.spectral._locality import kernel_lpp, laplacian_eigenmaps, lpp
from spectral_ssl.spectral._scaling import classical_mds, isomap

__all__ = [
    "cca",
    "classical_mds",
    "isomap",
    "kernel_cca",
    "kernel_lpp",
    "kernel_pca",
    "laplacian_eigenmaps",
    "lda",
    "lpp",
    "pca",
]
