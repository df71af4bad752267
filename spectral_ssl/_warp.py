"""Serves views: moves and blurs images by given amounts."""

import math

import torch
from torch.nn.functional import grid_sample


def move(images, shifts, angles, factors, field=None):
    """Bend, enlarge, turn and shift every image by given amounts, with one interpolation.

    ``shifts`` (N, 2) go right and down in pixels, ``angles`` (N,) counter-clockwise as seen in
    radians, ``factors`` (N,) enlarge about the centre. With a ``field`` (N, 2, H, W), every
    pixel of the result shows what was so many pixels further right and down.
    """
    N, _, H, W = images.shape
    options = {"dtype": images.dtype, "device": images.device}
    size = torch.tensor([W, H], **options)
    columns, rows = torch.arange(W, **options), torch.arange(H, **options)
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    # Where each pixel comes from, as seen from the centre: the changes undone in reverse.
    cosines, sines = torch.cos(angles) / factors, torch.sin(angles) / factors
    undo = torch.stack([cosines, -sines, sines, cosines], dim=-1).reshape(N, 2, 2)
    seen = places - (size - 1) / 2 - shifts[:, None, None, :]
    sources = (seen.flatten(1, 2) @ undo.mT).reshape(N, H, W, 2)
    if field is not None:
        sources = sources + field.movedim(1, -1)
    return grid_sample(images, 2 * sources / size, padding_mode="zeros", align_corners=False)


def _gaussian(length, sigmas):
    """Values of centred Gaussians between any two of ``length`` pixels: (N, length, length)."""
    places = torch.arange(length, dtype=sigmas.dtype, device=sigmas.device)
    gaps = places[:, None] - places
    return torch.exp(-(gaps**2) / (2 * sigmas.clamp(min=1e-4)[:, None, None] ** 2))


def smooth(noise, smoothness):
    """Filter white noise such that every value keeps its variance, at the border too."""
    sigma = noise.new_tensor([smoothness])
    down, across = (_gaussian(length, sigma) for length in noise.shape[-2:])
    down, across = (kernel / kernel.norm(dim=-1, keepdim=True) for kernel in (down, across))
    return down @ noise @ across.mT


def gaussian_blur(images, sigmas):
    """Blur every image by a Gaussian of its own standard deviation; 0 leaves it as it is."""
    offsets = torch.arange(-16, 17, dtype=sigmas.dtype, device=sigmas.device)
    total = torch.exp(-(offsets**2) / (2 * sigmas.clamp(1e-4, 2)[:, None] ** 2)).sum(dim=1)
    # From a standard deviation of 2 on, the sum over all integers is the integral to rounding.
    total = torch.where(sigmas < 2, total, math.sqrt(2 * math.pi) * sigmas)[:, None, None, None]
    down, across = (_gaussian(length, sigmas)[:, None] for length in images.shape[-2:])
    return (down / total) @ images @ (across / total).mT
