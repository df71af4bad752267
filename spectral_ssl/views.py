"""Serves every chapter with images: random views, of which a source's positives are made.

All functions take images as a finite tensor of shape (N, C, H, W), N images with C channels, H
rows and W columns, in any floating dtype. They return a new tensor of the same shape and dtype
on the same device, differentiable in the images. Every image gets its own random change, drawn
from ``generator``, a ``torch.Generator`` on the images' device. Without one each call makes a
new one with seed 0 and so draws *the same* changes again: pass one where calls shall differ.

Brightness between pixels is interpolated bilinearly, and around the frame it is 0. A change of
strength 0 returns the images. A ``ValueError`` says which strength is out of range, what is
wrong with ``images``, or that ``generator`` is on another device.
"""

import math

import torch

from spectral_ssl._validation import check_integer, check_weight
from spectral_ssl._warp import gaussian_blur, move, smooth


def shift(images, *, pixels=1.0, generator=None):
    """Move every image to the right and down by amounts uniform in ``[-pixels, pixels]``.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    pixels : float
        Largest shift in either direction, in pixels, at least 0.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)
    """
    return _view(images, generator, pixels=pixels)


def rotate(images, *, degrees=15.0, generator=None):
    """Turn every image about its centre by an angle uniform in ``[-degrees, degrees]``.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    degrees : float
        Largest angle to either side, at least 0.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)
    """
    return _view(images, generator, degrees=degrees)


def scale(images, *, factor=1.1, generator=None):
    r"""Enlarge or shrink every image about its centre by its own random factor.

    Its logarithm is uniform in :math:`[-\log f, \log f]`, so that enlarging and shrinking are
    equally likely.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    factor : float
        Largest factor :math:`f`, at least 1; the smallest is :math:`1/f`.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)
    """
    return _view(images, generator, factor=factor)


def elastic(images, *, strength=1.0, smoothness=4.0, generator=None):
    r"""Bend every image along its own smooth random field of displacements.

    Each of the field's two components is white noise under a Gaussian filter, scaled such
    that its value at every pixel is normal with mean 0 and standard deviation ``strength``.
    Well inside the frame the values at two pixels at a distance :math:`d` correlate by
    :math:`\exp(-d^2 / 4s^2)`, where :math:`s` is the smoothness. The field folds the image
    over itself at places unless ``strength`` is well below ``smoothness``.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    strength : float
        Standard deviation of the displacement in each direction, in pixels, at least 0.
    smoothness : float
        Standard deviation :math:`s` of the Gaussian filter, in pixels, above 0.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)

    References
    ----------
    Simard, P., Steinkraus, D. & Platt, J. (2003). Best practices for convolutional neural
    networks applied to visual document analysis. *ICDAR*.
    """
    return _view(images, generator, strength=strength, smoothness=smoothness)


def blur(images, *, sigma=1.0, generator=None):
    """Blur every image by a Gaussian of its own width, uniform in ``[0, sigma]``.

    The kernel is the Gaussian's values at whole pixels, divided by their sum.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    sigma : float
        Largest standard deviation, in pixels, at least 0.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)
    """
    return _view(images, generator, sigma=sigma)


def random_view(
    images,
    *,
    pixels=1.0,
    degrees=15.0,
    factor=1.1,
    strength=0.0,
    smoothness=4.0,
    sigma=0.0,
    generator=None,
):
    """One random view of every image: bent, scaled, turned, shifted, and blurred at last.

    The geometric changes are composed and the image is interpolated only once. Each change
    draws the same numbers whatever the strengths of the others: with generators in the same
    state, ``random_view(images, pixels=2, degrees=0, factor=1)`` is ``shift(images, pixels=2)``.

    Parameters
    ----------
    images : Tensor of shape (N, C, H, W)
    pixels, degrees, factor, strength, smoothness, sigma : float
        As in :func:`shift`, :func:`rotate`, :func:`scale`, :func:`elastic` and :func:`blur`.
        With ``pixels=0, degrees=0, factor=1, strength=0, sigma=0`` the views are the images.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (N, C, H, W)
    """
    return _view(images, generator, pixels, degrees, factor, strength, smoothness, sigma)


def of_each(images, n_views, view, **options):
    """Several views of each image, in the order of :func:`~spectral_ssl.relations.from_views`.

    Parameters
    ----------
    images : Tensor of shape (N, ...)
        The sources.
    n_views : int
        Number of views :math:`V` of each.
    view : callable
        Maps a batch to a batch of as many views, such as :func:`random_view`. It is called
        once, on every source repeated :math:`V` times.
    options
        Passed on to ``view``, such as ``degrees=30, generator=generator``.

    Returns
    -------
    Tensor of shape (N * V, ...)
        Source by source: the views of the first image, those of the second, and so on.

    Raises
    ------
    ValueError
        If ``n_views`` is not a positive integer or ``view`` returns another number of rows.
    """
    check_integer(n_views, "n_views")
    repeated = images.repeat_interleave(n_views, dim=0)
    result = view(repeated, **options)
    if len(result) != len(repeated):
        raise ValueError(
            f"view made {len(result)} images of {len(repeated)}; it must return one of each"
        )
    return result


def _view(images, generator, pixels=0, degrees=0, factor=1, strength=0, smoothness=1, sigma=0):
    pixels, degrees = check_weight(pixels, "pixels"), check_weight(degrees, "degrees")
    strength, sigma = check_weight(strength, "strength"), check_weight(sigma, "sigma")
    factor = check_weight(factor, "factor")
    smoothness = check_weight(smoothness, "smoothness", positive=True)
    if factor < 1:
        raise ValueError(f"factor={factor} is below 1; give the largest enlargement, e.g. 1.1")
    generator = _checked(images, generator)
    # Coordinates need at least float32, and the same numbers in every dtype make the same view.
    fine = images.to(torch.promote_types(images.dtype, torch.float32))
    N, _, H, W = images.shape
    options = {"generator": generator, "device": images.device, "dtype": torch.float32}
    numbers = 2 * torch.rand(N, 5, **options).to(fine.dtype) - 1
    if pixels or degrees or factor > 1 or strength:
        field = None
        if strength:
            noise = torch.randn(N, 2, H, W, **options).to(fine.dtype)
            field = strength * smooth(noise, smoothness)
        angles, factors = math.radians(degrees) * numbers[:, 2], factor ** numbers[:, 3]
        fine = move(fine, pixels * numbers[:, :2], angles, factors, field)
    if sigma:
        fine = gaussian_blur(fine, sigma * (numbers[:, 4] + 1) / 2)
    return fine.to(images.dtype) if fine is not images else images.clone()


def _checked(images, generator):
    if not isinstance(images, torch.Tensor) or not images.is_floating_point():
        kind = images.dtype if isinstance(images, torch.Tensor) else type(images).__name__
        raise ValueError(f"images must be a floating-point tensor, got {kind}; convert it")
    if images.ndim != 4 or images.numel() == 0:
        raise ValueError(
            f"images must have shape (N, C, H, W), none of them 0, got {tuple(images.shape)}; "
            "reshape it, for instance images.reshape(-1, 1, 8, 8)"
        )
    if not torch.isfinite(images).all():
        raise ValueError("images contains NaN or infinity; remove or impute those entries")
    generator = generator or torch.Generator(images.device).manual_seed(0)
    if generator.device.type != images.device.type:
        raise ValueError(
            f"generator is on {generator.device} and images on {images.device}; "
            "make it with torch.Generator(images.device)"
        )
    return generator
