"""Serves chapters 4, 5, 7, 8 and 9: the optimum of each loss in closed form.

Each loss has its optimum over *free* embeddings, which any matrix may be, and over *linear* ones,
:math:`Z = XW`. VICReg and the spectral contrastive loss also have it over the functions of a
kernel. Optima are computed in float64 and returned in the dtype and on the device of the input.
"""

from spectral_ssl.closed_form._barlow_twins import (
    Filling,
    barlow_twins,
    barlow_twins_filling,
    barlow_twins_linear,
    barlow_twins_unscaled_linear,
)
from spectral_ssl.closed_form._spectral_contrastive import (
    spectral_contrastive,
    spectral_contrastive_kernel,
    spectral_contrastive_linear,
)
from spectral_ssl.closed_form._vicreg import vicreg, vicreg_kernel, vicreg_linear

__all__ = [
    "Filling",
    "barlow_twins",
    "barlow_twins_filling",
    "barlow_twins_linear",
    "barlow_twins_unscaled_linear",
    "spectral_contrastive",
    "spectral_contrastive_kernel",
    "spectral_contrastive_linear",
    "vicreg",
    "vicreg_kernel",
    "vicreg_linear",
]
