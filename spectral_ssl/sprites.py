"""Serves every chapter that asks what was learned: small images with known, independent factors.

A sprite is one bright shape on a black frame, described by six factors. Equal sizes mean equal
areas, positions are centroids and no shape looks the same after a turn, so that each factor
can be read off the image: up to the smoothing at the edges, an image's mean brightness is
``brightness * size**2``, its centre of brightness is ``(x, y)``, and its axis of symmetry
points along ``orientation``.
"""

import math
from typing import NamedTuple

import torch

from spectral_ssl._validation import check_integer

SHAPES = ("half disc", "triangle", "corner")
RANGES = {
    "size": (0.14, 0.26),
    "x": (-0.18, 0.18),
    "y": (-0.18, 0.18),
    "orientation": (-math.pi, math.pi),
    "brightness": (0.4, 1.0),
}

# A shape of area 1 has its centroid at the origin and points to the right.
_RADIUS = math.sqrt(2 / math.pi)
_FLAT = 4 * _RADIUS / (3 * math.pi)
_BASE, _HEIGHT = 1.25, 1.6
_ARM, _NOTCH = 1.25, 0.75
_ELBOW = _ARM**3 / 2 - _NOTCH**2 * (_ARM - _NOTCH / 2)

# Pixels drawn at a time, which bounds the memory that drawing takes.
_PIXELS_AT_A_TIME = 2**19


class Factors(NamedTuple):
    r"""What N sprites show. Lengths are in units of the frame's side.

    Attributes
    ----------
    shape : Tensor of shape (N,), int64
        0 half disc, 1 triangle, 2 corner (two arms of equal length at a right angle).
    size : Tensor of shape (N,)
        Square root of the shape's area, drawn from 0.14 to 0.26.
    x, y : Tensors of shape (N,)
        The shape's centroid, to the right of and above the frame's centre, from -0.18 to 0.18.
    orientation : Tensor of shape (N,)
        Angle in radians, from :math:`-\pi` to :math:`\pi`, counter-clockwise from the right:
        where the arc, the tip or the elbow points. No shape has a rotational symmetry, so the
        image determines the angle up to full turns; a regression should use its cosine and
        sine.
    brightness : Tensor of shape (N,)
        Of the shape, from 0.4 to 1; around it is 0.
    """

    shape: torch.Tensor
    size: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    orientation: torch.Tensor
    brightness: torch.Tensor

    def table(self):
        """All factors as the columns of one (N, 6) tensor, in the order of the attributes."""
        return torch.stack([column.to(self.size.dtype) for column in self], dim=1)


def sample_factors(n_samples, *, generator=None):
    """Draw independent factors, each uniform in its range (see :class:`Factors`).

    Every drawn shape lies entirely inside the frame.

    Parameters
    ----------
    n_samples : int
        Number of sprites N.
    generator : torch.Generator, optional
        Source of randomness; by default a new one on the CPU with seed 0.

    Returns
    -------
    Factors
        In float64, on the generator's device.

    Raises
    ------
    ValueError
        If ``n_samples`` is not a positive integer.
    """
    check_integer(n_samples, "n_samples")
    generator = generator or torch.Generator().manual_seed(0)
    options = {"generator": generator, "device": generator.device}
    shape = torch.randint(len(SHAPES), (n_samples,), **options)
    numbers = torch.rand(len(RANGES), n_samples, dtype=torch.float64, **options)
    ranges = zip(RANGES.values(), numbers, strict=True)
    return Factors(shape, *(low + (high - low) * column for (low, high), column in ranges))


def resample(factors, names, *, generator):
    """Redraw some factors and keep the others: sprites that share exactly what was kept.

    Images of ``factors`` and of the result are positive pairs for which the redrawn factors
    do not matter.

    Parameters
    ----------
    factors : Factors
    names : str or sequence of str
        Attributes of :class:`Factors` to draw anew, such as ``("x", "y")``.
    generator : torch.Generator
        Source of randomness, in another state than the one that the factors were drawn from.
        There is no default, since a fixed seed would draw the same numbers in every call.

    Returns
    -------
    Factors
        In the dtype and on the device of ``factors``.

    Raises
    ------
    ValueError
        If a name is not that of a factor, the factors are out of range, or there is no
        generator.

    References
    ----------
    Von Kügelgen et al. (2021), *Self-supervised learning with data augmentations provably
    isolates content from style*, NeurIPS.
    """
    factors = _checked(factors)
    names = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in Factors._fields]
    if unknown:
        raise ValueError(f"names has {unknown[0]!r}; choose among {', '.join(Factors._fields)}")
    if not isinstance(generator, torch.Generator):
        raise ValueError(f"generator must be a torch.Generator, got {generator!r}")
    fresh = sample_factors(len(factors.shape), generator=generator)
    redrawn = {name: getattr(fresh, name).to(getattr(factors, name)) for name in names}
    return factors._replace(**redrawn)


def render(factors, *, pixels=32):
    """Draw sprites with smooth edges, differentiably in every factor but the shape.

    A pixel's brightness is that of the shape times the share of the pixel that it covers,
    taken from the signed distances of the pixel's centre to the shape's edges.

    Parameters
    ----------
    factors : Factors
        One sprite an entry. Positions, orientations and sizes outside the ranges that are
        drawn at random are allowed; what leaves the frame is cut off.
    pixels : int
        Pixels a side, at least 8.

    Returns
    -------
    Tensor of shape (N, 1, pixels, pixels)
        Brightness between 0 and 1, in the dtype and on the device of the factors.

    Raises
    ------
    ValueError
        If a factor is not finite or out of range, the factors differ in their number,
        device or dtype, or there are fewer than 8 pixels.

    References
    ----------
    In the spirit of Matthey, Higgins, Hassabis & Lerchner (2017), *dSprites*.
    """
    factors = _checked(factors)
    if check_integer(pixels, "pixels") < 8:
        raise ValueError(f"pixels={pixels} is too coarse to show a shape; give at least 8")
    images, places = [], []
    for shape, coverage in enumerate((_half_disc, _triangle, _corner)):
        rows = (factors.shape == shape).nonzero().flatten()
        places.append(rows)
        for part in rows.split(max(1, _PIXELS_AT_A_TIME // pixels**2)):
            images.append(_draw(Factors(*(column[part] for column in factors)), coverage, pixels))
    return torch.cat(images)[torch.cat(places).argsort()][:, None]


def _draw(factors, coverage, pixels):
    size, x, y, orientation, brightness = (column[:, None, None] for column in factors[1:])
    steps = (torch.arange(pixels, dtype=size.dtype, device=size.device) + 0.5) / pixels - 0.5
    right, up = steps[None, None, :] - x, -steps[None, :, None] - y
    cosine, sine = torch.cos(orientation) / size, torch.sin(orientation) / size
    ahead, left = cosine * right + sine * up, cosine * up - sine * right
    return brightness * coverage(ahead, left, size * pixels)


def _inside(distance, scale):
    """Share of a pixel on the inner, negative side of an edge at a signed distance."""
    return (0.5 - scale * distance).clamp(0, 1)


def _half_disc(ahead, left, scale):
    radius = torch.sqrt((ahead + _FLAT) ** 2 + left**2 + 1e-12)
    return _inside(radius - _RADIUS, scale) * _inside(-_FLAT - ahead, scale)


def _triangle(ahead, left, scale):
    slope = math.atan2(_BASE / 2, _HEIGHT)
    back, across = (ahead - 2 * _HEIGHT / 3) * math.sin(slope), left * math.cos(slope)
    # Near the tip, where both sides cross a pixel, what they cut off adds up.
    wedge = _inside(back + across, scale) + _inside(back - across, scale) - 1
    return wedge.clamp(min=0) * _inside(-_HEIGHT / 3 - ahead, scale)


def _corner(ahead, left, scale):
    a, b = (ahead - left) / math.sqrt(2), (ahead + left) / math.sqrt(2)
    reach = _ELBOW - _ARM
    square = [_inside(v - _ELBOW, scale) * _inside(reach - v, scale) for v in (a, b)]
    notch = [_inside(v - (reach + _NOTCH), scale) for v in (a, b)]
    return square[0] * square[1] * (1 - notch[0] * notch[1])


def _checked(factors):
    if not isinstance(factors, Factors) or any(
        not isinstance(column, torch.Tensor) or column.ndim != 1 for column in factors
    ):
        raise ValueError("factors must be a sprites.Factors of tensors of shape (N,)")
    shape, *others = factors
    if any(column.shape != shape.shape or len(column) < 1 for column in others):
        lengths = [len(column) for column in factors]
        raise ValueError(f"factors has columns of lengths {lengths}; give each one value a sprite")
    kinds = {(column.dtype, column.device) for column in others}
    if len(kinds) > 1 or not others[0].is_floating_point() or shape.device != others[0].device:
        raise ValueError("factors mixes dtypes or devices; give floats of one kind on one device")
    if shape.is_floating_point() or ((shape < 0) | (shape >= len(SHAPES))).any():
        raise ValueError(f"factors.shape must hold integers from 0 to {len(SHAPES) - 1}")
    for name, column in zip(factors._fields[1:], others, strict=True):
        if not torch.isfinite(column).all():
            raise ValueError(f"factors.{name} contains NaN or infinity; draw those values anew")
    if (factors.size <= 0).any():
        raise ValueError("factors.size must be positive: it is the square root of the area")
    if ((factors.brightness < 0) | (factors.brightness > 1)).any():
        raise ValueError("factors.brightness must lie between 0 and 1")
    return factors
