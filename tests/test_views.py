"""Random views: amounts, composition and interpolation, against scipy's image functions."""

import functools
import math
import types

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_ssl import _warp, relations, views

NOTHING = {"pixels": 0, "degrees": 0, "factor": 1, "strength": 0, "sigma": 0}
SINGLE = [
    (views.shift, {"pixels": 2.5}),
    (views.rotate, {"degrees": 30}),
    (views.scale, {"factor": 1.3}),
    (views.elastic, {"strength": 0.7, "smoothness": 2.0}),
    (views.blur, {"sigma": 1.5}),
]
ALL = {name: value for _, options in SINGLE for name, value in options.items()}
EVERY = [*SINGLE, (views.random_view, ALL)]
every_view = pytest.mark.parametrize(
    ("view", "options"), [pytest.param(*case, id=case[0].__name__) for case in EVERY]
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed), dtype=torch.float64)


def blobs(n, size=41, *, right=0.0, down=0.0, width=2.0):
    """Images of one Gaussian spot, so many pixels away from the centre."""
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    columns = torch.exp(-((places - right) ** 2) / (2 * width**2))
    rows = torch.exp(-((places - down) ** 2) / (2 * width**2))
    return (rows[:, None] * columns).expand(n, 1, size, size)


def centres(images):
    """Centre of brightness of each image, right and down of the frame's centre."""
    height, width = images.shape[-2:]
    right = torch.arange(width, dtype=images.dtype) - (width - 1) / 2
    down = torch.arange(height, dtype=images.dtype) - (height - 1) / 2
    total = images.sum(dim=(1, 2, 3))
    x, y = (images * right).sum(dim=(1, 2, 3)), (images * down[:, None]).sum(dim=(1, 2, 3))
    return torch.stack([x, y], dim=1) / total[:, None]


def spreads(images):
    """Variance of the brightness about the centre, the mean of both directions."""
    places = torch.arange(images.shape[-1], dtype=images.dtype) - (images.shape[-1] - 1) / 2
    squares = places**2 + places[:, None] ** 2
    return (images * squares).sum(dim=(1, 2, 3)) / (2 * images.sum(dim=(1, 2, 3)))


def moved(images, *, right=0.0, down=0.0, degrees=0.0, factor=1.0, field=None):
    n, dtype = len(images), images.dtype
    shifts = torch.tensor([right, down], dtype=dtype).expand(n, 2)
    angles = torch.full((n,), math.radians(degrees), dtype=dtype)
    return _warp.move(images, shifts, angles, torch.full((n,), factor, dtype=dtype), field)


@pytest.mark.parametrize("shape", [(3, 1, 9, 9), (2, 3, 6, 11), (2, 1, 1, 1)])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_strength_zero_is_the_identity(shape, dtype, atol):
    images = noise(*shape).to(dtype)
    view = views.random_view(images, **NOTHING)
    assert torch.equal(view, images) and view is not images
    no_field = torch.zeros(shape[0], 2, *shape[2:], dtype=dtype)
    torch.testing.assert_close(moved(images, field=no_field), images, atol=atol, rtol=0)
    assert torch.equal(_warp.gaussian_blur(images, torch.zeros(shape[0], dtype=dtype)), images)


@every_view
def test_tiny_strengths_change_little(view, options):
    small = {name: 1e-7 for name in options} | {"factor": 1 + 1e-7, "smoothness": 2}
    images = noise(2, 1, 8, 12)
    view = view(images, **{name: small[name] for name in options})
    torch.testing.assert_close(view, images, atol=1e-5, rtol=0)


@settings(max_examples=20, deadline=None)
@given(right=st.integers(-4, 4), down=st.integers(-4, 4))
def test_shift_by_whole_pixels(right, down):
    images = noise(2, 2, 7, 10)
    padded = torch.nn.functional.pad(images, (4, 4, 4, 4))
    expected = torch.roll(padded, (down, right), dims=(-2, -1))[..., 4:-4, 4:-4]
    actual = moved(images, right=right, down=down)
    torch.testing.assert_close(actual, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("quarters", [-1, 0, 1, 2])
def test_rotation_by_right_angles(size, quarters):
    images = noise(2, 3, size, size)
    expected = torch.rot90(images, quarters, dims=(-2, -1))
    actual = moved(images, degrees=90 * quarters)
    torch.testing.assert_close(actual, expected, atol=1e-12, rtol=0)


@settings(max_examples=20, deadline=None)
@given(
    right=st.floats(-3, 3),
    down=st.floats(-3, 3),
    degrees=st.floats(-180, 180),
    factor=st.floats(0.5, 2),
)
def test_composed_changes_agree_with_scipy_on_oblong_images(right, down, degrees, factor):
    image = noise(1, 1, 9, 14)
    # Counter-clockwise as seen, for (down, right): what was to the right goes up.
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    undo = np.linalg.inv(factor * np.array([[cosine, -sine], [sine, cosine]]))
    centre = (np.array([9, 14]) - 1) / 2
    offset = centre - undo @ (centre + [down, right])
    expected = scipy.ndimage.affine_transform(
        image[0, 0].numpy(), undo, offset, order=1, mode="grid-constant"
    )
    actual = moved(image, right=right, down=down, degrees=degrees, factor=factor)
    torch.testing.assert_close(actual[0, 0], torch.as_tensor(expected), atol=1e-10, rtol=0)


@pytest.mark.parametrize("degrees", [-50.0, 12.0, 133.0])
def test_rotation_agrees_with_scipy(degrees):
    image = noise(1, 1, 10, 13)
    expected = scipy.ndimage.rotate(
        image[0, 0].numpy(), degrees, reshape=False, order=1, mode="grid-constant"
    )
    actual = moved(image, degrees=degrees)[0, 0]
    torch.testing.assert_close(actual, torch.as_tensor(expected), atol=1e-10, rtol=0)


def test_bending_agrees_with_scipy():
    image, field = noise(1, 1, 9, 12), 4 * noise(1, 2, 9, 12, seed=1) - 2
    rows, columns = np.mgrid[:9, :12]
    sources = [rows + field[0, 1].numpy(), columns + field[0, 0].numpy()]
    expected = scipy.ndimage.map_coordinates(
        image[0, 0].numpy(), sources, order=1, mode="grid-constant"
    )
    actual = moved(image, field=field)[0, 0]
    torch.testing.assert_close(actual, torch.as_tensor(expected), atol=1e-12, rtol=0)


def test_every_image_gets_its_own_blur_as_of_scipy():
    images, sigmas = noise(7, 2, 9, 12), [0.0, 1e-3, 0.3, 1.0, 1.999, 2.0, 5.0]
    actual = _warp.gaussian_blur(images, torch.tensor(sigmas, dtype=images.dtype))
    for image, blurred, sigma in zip(images, actual, sigmas, strict=True):
        expected = scipy.ndimage.gaussian_filter(
            image.numpy(), sigma, mode="constant", truncate=12, axes=(1, 2)
        )
        torch.testing.assert_close(blurred, torch.as_tensor(expected), atol=1e-12, rtol=0)


def test_displacements_have_the_variance_and_the_correlation_stated():
    white = torch.randn(4000, 2, 25, 21, generator=seeded(), dtype=torch.float64)
    field = _warp.smooth(white, 2.0)
    assert abs(field.mean(dim=0)).max() < 0.1
    assert abs(field.square().mean(dim=0) - 1).max() < 0.12
    middle = field[:, 0, 12, 10]
    for down, right in [(0, 1), (2, 0), (3, 4)]:
        correlation = (middle * field[:, 0, 12 + down, 10 + right]).mean()
        assert abs(correlation - math.exp(-(down**2 + right**2) / 16)) < 0.06
    assert abs((middle * field[:, 1, 12, 10]).mean()) < 0.06


def is_uniform(values, low, high):
    """Whether values lie in a range and fill it evenly."""
    values = np.asarray(values)
    assert values.min() >= low - 1e-3 and values.max() <= high + 1e-3
    return scipy.stats.kstest(values, "uniform", (low, high - low)).pvalue > 0.01


def test_shifts_are_uniform_in_both_directions():
    found = centres(views.shift(blobs(1500), pixels=3))
    assert is_uniform(found[:, 0], -3, 3) and is_uniform(found[:, 1], -3, 3)
    assert abs(torch.corrcoef(found.T)[0, 1]) < 0.1


def test_angles_are_uniform():
    right, down = centres(views.rotate(blobs(1500, right=10.0), degrees=40)).T
    assert is_uniform(torch.rad2deg(torch.atan2(-down, right)), -40, 40)


def test_factors_are_uniform_in_their_logarithm():
    found = centres(views.scale(blobs(1500, right=6.0), factor=1.5))[:, 0] / 6
    assert is_uniform(torch.log(found), -math.log(1.5), math.log(1.5))


def test_blurs_are_uniform_in_their_width():
    added = spreads(views.blur(blobs(1500), sigma=3)) - spreads(blobs(1))
    width = added.clamp(min=0).sqrt()
    # A Gaussian narrower than a pixel adds less variance at whole pixels than its own.
    wide = width > 1
    assert is_uniform(width[wide], 1, 3)
    assert abs(wide.double().mean() - 2 / 3) < 0.04


def test_amounts_are_drawn_independently():
    images = blobs(2000, right=8.0)
    view = views.random_view(images, pixels=0, degrees=40, factor=1.3, sigma=2)
    right, down = centres(view).T
    angle, factor = torch.atan2(-down, right), torch.hypot(right, down)
    width = spreads(view) - (right**2 + down**2) / 2 - 4 * (factor / 8) ** 2
    correlations = torch.corrcoef(torch.stack([angle, factor, width]))
    assert abs(correlations - torch.eye(3)).max() < 0.1


@pytest.mark.parametrize(
    ("view", "options", "bound"),
    [
        (views.shift, {"pixels": 2.5}, 1e-6),
        (views.rotate, {"degrees": 180}, 5e-3),
        (views.blur, {"sigma": 1.5}, 1e-6),
        (views.random_view, {"factor": 1, "sigma": 1.5}, 5e-3),
    ],
)
def test_brightness_is_kept(view, options, bound):
    images = blobs(50, right=2.0, down=-1.0)
    brightness = view(images, **options).sum(dim=(1, 2, 3))
    assert abs(brightness / images.sum(dim=(1, 2, 3)) - 1).max() < bound


def test_bending_keeps_brightness_on_average():
    images = blobs(500)
    ratios = views.elastic(images).sum(dim=(1, 2, 3)) / images.sum(dim=(1, 2, 3))
    assert abs(ratios.mean() - 1) < 0.05 and ratios.std() < 0.3


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_enlarging_multiplies_brightness_by_the_area(factor):
    images = blobs(1)
    ratio = moved(images, factor=factor).sum() / images.sum()
    assert abs(ratio / factor**2 - 1) < 0.01


@every_view
def test_brightness_stays_in_its_range(view, options):
    result = view(noise(20, 3, 8, 8), **options)
    assert result.min() >= 0 and result.max() <= 1 + 1e-12


@pytest.mark.parametrize(("view", "options"), SINGLE)
def test_random_view_of_one_kind_is_that_view(view, options):
    images = noise(4, 2, 8, 11)
    expected = view(images, **options, generator=seeded(3))
    actual = views.random_view(images, **(NOTHING | options), generator=seeded(3))
    assert torch.equal(actual, expected)


def test_geometric_changes_are_interpolated_once():
    images = noise(200, 1, 12, 12)
    options = NOTHING | {"pixels": 3, "degrees": 180, "factor": 1.2}
    once = views.random_view(images, **options, generator=seeded(1))
    twice = views.shift(views.rotate(images, degrees=180), pixels=3)
    assert once[..., 4:8, 4:8].var() > 1.2 * twice[..., 4:8, 4:8].var()


@every_view
def test_generator_decides(view, options):
    images = noise(3, 1, 8, 8)
    first = view(images, **options, generator=seeded(1))
    assert torch.equal(view(images, **options, generator=seeded(1)), first)
    assert not torch.equal(view(images, **options, generator=seeded(2)), first)
    assert torch.equal(view(images, **options), view(images, **options, generator=seeded(0)))
    generator = seeded(1)
    view(images, **options, generator=generator)
    assert not torch.equal(view(images, **options, generator=generator), first)


@every_view
def test_global_generator_is_left_alone(view, options):
    before = torch.get_rng_state()
    view(noise(2, 1, 8, 8), **options)
    assert torch.equal(torch.get_rng_state(), before)


@every_view
def test_view_depends_on_no_other_image(view, options):
    images = noise(4, 1, 8, 8)
    others = torch.cat([images[:1], noise(3, 1, 8, 8, seed=9)])
    actual, expected = view(others, **options)[0], view(images, **options)[0]
    torch.testing.assert_close(actual, expected, atol=1e-14, rtol=0)
    assert not torch.equal(*view(images[:1].repeat(2, 1, 1, 1), **options))


@every_view
def test_channels_change_alike(view, options):
    images = noise(3, 1, 8, 8)
    result = view(torch.cat([images, 0.5 * images], dim=1), **options)
    torch.testing.assert_close(result[:, 1], 0.5 * result[:, 0])


@pytest.mark.parametrize(
    ("dtype", "atol"), [(torch.float32, 1e-5), (torch.float16, 1e-3), (torch.bfloat16, 1e-2)]
)
@every_view
def test_same_view_in_every_dtype(view, options, dtype, atol):
    images = noise(3, 2, 8, 11).to(dtype)
    result = view(images, **options)
    assert result.dtype == dtype and result.shape == images.shape
    exact = view(images.double(), **options)
    torch.testing.assert_close(result.double(), exact, atol=atol, rtol=0)


@every_view
def test_gradient_flows_through_the_images(view, options):
    images = noise(2, 1, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: view(x, **options), images)
    kept = images.detach().clone()
    view(images.detach(), **options).zero_()
    assert torch.equal(images.detach(), kept)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every_view
def test_views_stay_on_the_gpu(view, options):
    images = noise(3, 1, 8, 8).cuda()
    result = view(images, **options, generator=torch.Generator("cuda").manual_seed(1))
    assert result.device == images.device and result.dtype == images.dtype
    assert torch.equal(view(images, **options), view(images, **options))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_agrees_with_cpu():
    images, shifts, amounts = noise(3, 1, 8, 9), noise(3, 2), noise(3) + 0.5
    change = (images, shifts, amounts, amounts, noise(3, 2, 8, 9))
    on_gpu = _warp.move(*(part.cuda() for part in change)).cpu()
    torch.testing.assert_close(on_gpu, _warp.move(*change))
    blurred = _warp.gaussian_blur(images.cuda(), amounts.cuda()).cpu()
    torch.testing.assert_close(blurred, _warp.gaussian_blur(images, amounts))


def test_views_of_each_image_are_ordered_as_the_view_graph():
    images = torch.cat([blobs(1, right=right, down=-6.0) for right in (-9.0, 0.0, 9.0)])
    options = {"degrees": 10, "generator": seeded(1)}
    result = views.of_each(images, 4, views.random_view, **options)
    assert result.shape == (12, 1, 41, 41)
    distances = torch.cdist(result.flatten(1), images.flatten(1))
    assert distances.argmin(dim=1).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert torch.nn.functional.pdist(result.flatten(1)).min() > 0.1
    same = views.of_each(images, 4, torch.clone).flatten(1)
    assert abs(relations.dirichlet_energy(same, relations.from_views(3, 4))) < 1e-10
    partial = functools.partial(views.random_view, degrees=10, generator=seeded(1))
    assert torch.equal(views.of_each(images, 4, partial), result)


ON_GPU = types.SimpleNamespace(device=torch.device("cuda"))
GOOD = torch.ones(2, 1, 4, 4)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.ones(4, 4), r"shape \(N, C, H, W\)"),
        (torch.ones(0, 1, 4, 4), "none of them 0"),
        (torch.ones(2, 1, 4, 4, dtype=torch.uint8), "floating-point tensor, got torch.uint8"),
        (np.ones((2, 1, 4, 4)), "floating-point tensor, got ndarray"),
        (torch.full((2, 1, 4, 4), torch.nan), "NaN"),
        (torch.full((2, 1, 4, 4), torch.inf), "infinity"),
    ],
)
@every_view
def test_bad_images_are_refused(view, options, images, message):
    with pytest.raises(ValueError, match=message):
        view(images, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: views.shift(GOOD, pixels=-1), "pixels must be a finite non-negative"),
        (lambda: views.rotate(GOOD, degrees=math.nan), "degrees must be a finite"),
        (lambda: views.scale(GOOD, factor=0.9), "factor=0.9 is below 1"),
        (lambda: views.elastic(GOOD, strength=-1), "strength"),
        (lambda: views.elastic(GOOD, smoothness=0), "smoothness must be a finite positive"),
        (lambda: views.blur(GOOD, sigma=math.inf), "sigma"),
        (lambda: views.random_view(GOOD, generator=ON_GPU), "generator is on cuda"),
        (lambda: views.of_each(GOOD, 0, views.blur), "n_views=0"),
        (lambda: views.of_each(GOOD, 2, lambda x: x[:1]), "made 1 images of 4"),
    ],
)
def test_bad_strengths_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
