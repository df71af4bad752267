"""Sprites: factors as stated, images that show them, against polygons drawn by matplotlib."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from matplotlib.path import Path

from spectral_ssl import sprites
from spectral_ssl.sprites import Factors

NAMES = ("shape", "size", "x", "y", "orientation", "brightness")
REAL = NAMES[1:]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def turned(shape, angles):
    """A shape in the middle of the frame at several orientations."""
    angles = torch.as_tensor(angles, dtype=torch.float64)
    same = torch.ones_like(angles)
    kind = torch.full(angles.shape, shape)
    return sprites.render(Factors(kind, 0.2 * same, 0 * same, 0 * same, angles, same))


def places(pixels):
    """Coordinates of the pixels' centres, to the right of and above the frame's centre."""
    steps = (torch.arange(pixels, dtype=torch.float64) + 0.5) / pixels - 0.5
    return steps[None, :].expand(pixels, -1), -steps[:, None].expand(-1, pixels)


def centres(images):
    right, up = places(images.shape[-1])
    total = images.sum(dim=(1, 2, 3))
    moments = [(images[:, 0] * place).sum(dim=(1, 2)) / total for place in (right, up)]
    return torch.stack(moments, dim=1)


def polygon(shape):
    """Corners of a shape that points right, with its centroid at 0 and an area of 1."""
    if shape == 0:
        angles = np.linspace(-np.pi / 2, np.pi / 2, 400)
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif shape == 1:
        corners = np.array([[1.6, 0], [0, 0.625], [0, -0.625]])
    else:
        corners = np.array([[0, 0], [5, 0], [5, 5], [3, 5], [3, 2], [0, 2]]) @ (
            np.array([[1, 1], [-1, 1]]) / math.sqrt(2)
        )
    x, y = corners.T
    next_x, next_y = np.roll(corners, -1, axis=0).T
    cross = x * next_y - next_x * y
    area = cross.sum() / 2
    centre = np.array([((x + next_x) * cross).sum(), ((y + next_y) * cross).sum()]) / (6 * area)
    return (corners - centre) / math.sqrt(abs(area))


def drawn_by_matplotlib(sprite, pixels, finer=8):
    cosine, sine = math.cos(sprite.orientation), math.sin(sprite.orientation)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    corners = sprite.size.item() * polygon(int(sprite.shape)) @ turn
    corners = corners + [sprite.x.item(), sprite.y.item()]
    points = torch.stack(places(pixels * finer), dim=-1).reshape(-1, 2).numpy()
    covered = Path(np.concatenate([corners, corners[:1]])).contains_points(points)
    shares = covered.reshape(pixels, finer, pixels, finer).mean(axis=(1, 3))
    return sprite.brightness * torch.as_tensor(shares)


def test_images_agree_with_polygons_drawn_by_matplotlib():
    drawn = sprites.sample_factors(60, generator=seeded(1))
    images = sprites.render(drawn, pixels=32)[:, 0]
    for index in range(60):
        sprite = Factors(*(column[index] for column in drawn))
        gap = images[index] - drawn_by_matplotlib(sprite, 32)
        assert abs(gap).max() < 0.2 and gap.square().mean().sqrt() < 0.01


def test_factors_are_uniform_and_independent():
    drawn = sprites.sample_factors(20_000)
    assert Factors._fields == NAMES
    assert drawn.shape.dtype == torch.int64
    assert abs(drawn.shape.bincount() / 20_000 - 1 / 3).max() < 0.01
    for name in REAL:
        low, high = sprites.RANGES[name]
        values = getattr(drawn, name)
        assert values.dtype == torch.float64 and values.min() >= low and values.max() <= high
        assert scipy.stats.kstest(values, "uniform", (low, high - low)).pvalue > 0.01
    correlations = torch.corrcoef(drawn.table().T)
    assert abs(correlations - torch.eye(6)).max() < 0.03


def test_table_has_a_column_a_factor():
    drawn = sprites.sample_factors(5)
    table = drawn.table()
    assert table.shape == (5, 6) and table.dtype == torch.float64
    for column, name in zip(table.T, NAMES, strict=True):
        assert torch.equal(column, getattr(drawn, name).double())


@pytest.mark.parametrize("pixels", [24, 32, 64])
def test_no_shape_is_cut_off(pixels):
    images = sprites.render(sprites.sample_factors(2000), pixels=pixels)
    assert images.shape == (2000, 1, pixels, pixels)
    assert images.min() == 0 and images.max() <= 1
    images[..., 1:-1, 1:-1] = 0
    assert not images.any()


def test_mean_brightness_is_brightness_times_area():
    drawn = sprites.sample_factors(2000)
    means = sprites.render(drawn).mean(dim=(1, 2, 3))
    ratios = means / (drawn.brightness * drawn.size**2)
    assert abs(ratios - 1).max() < 0.06
    for shape in range(3):
        assert abs(ratios[drawn.shape == shape].mean() - 1) < 0.01


@pytest.mark.parametrize("pixels", [16, 32, 64])
def test_centre_of_brightness_is_the_position(pixels):
    drawn = sprites.sample_factors(500)
    gaps = centres(sprites.render(drawn, pixels=pixels)) - torch.stack([drawn.x, drawn.y], dim=1)
    assert abs(gaps).max() * pixels < 0.15


def test_axis_of_symmetry_points_along_the_orientation():
    drawn = sprites.sample_factors(600)
    images = sprites.render(drawn, pixels=64)[:, 0]
    right, up = places(64)
    right, up = right - drawn.x[:, None, None], up - drawn.y[:, None, None]
    pairs = ((right, right), (up, up), (right, up))
    across, along, mixed = ((images * a * b).sum(dim=(1, 2)) for a, b in pairs)
    longest = 0.5 * torch.atan2(2 * mixed, across - along)
    # A triangle is longest along its axis, the half disc and the corner across it.
    expected = drawn.orientation + torch.where(drawn.shape == 1, 0, math.pi / 2)
    gaps = torch.remainder(longest - expected + math.pi / 2, math.pi) - math.pi / 2
    assert abs(torch.rad2deg(gaps)).max() < 3


@pytest.mark.parametrize("shape", range(3))
def test_no_shape_looks_the_same_after_a_turn(shape):
    turns = torch.linspace(0, 2 * math.pi, 25, dtype=torch.float64)
    images = turned(shape, turns).flatten(1)
    torch.testing.assert_close(images[0], images[-1])
    distances = (images[1:-1] - images[0]).norm(dim=1) / images[0].norm()
    assert distances.min() > 0.3


def test_right_angles_turn_the_picture():
    for shape in range(3):
        right, up = turned(shape, [0, math.pi / 2])
        torch.testing.assert_close(up, torch.rot90(right, 1, (-2, -1)))
        torch.testing.assert_close(right, right.flip(-2))


def test_shapes_differ_at_every_relative_orientation():
    angles = torch.linspace(0, 2 * math.pi, 49, dtype=torch.float64)[:-1]
    images = [turned(shape, angles).flatten(1) for shape in range(3)]
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        distances = torch.cdist(images[a][:1], images[b]) / images[a][0].norm()
        assert distances.min() > 0.4


@pytest.mark.parametrize("pixels", [16, 32])
def test_moving_by_whole_pixels_rolls_the_picture(pixels):
    start = sprites.sample_factors(30)._replace(x=torch.zeros(30).double())
    step = start._replace(x=start.x + 2 / pixels, y=start.y - 1 / pixels)
    images, moved = sprites.render(start, pixels=pixels), sprites.render(step, pixels=pixels)
    inner = (..., slice(2, -2), slice(3, -3))
    torch.testing.assert_close(moved[inner], torch.roll(images, (1, 2), (-2, -1))[inner])


def test_brightness_scales_the_picture():
    drawn = sprites.sample_factors(20)
    dark = drawn._replace(brightness=drawn.brightness / 4)
    torch.testing.assert_close(sprites.render(dark), sprites.render(drawn) / 4)


@pytest.mark.parametrize("names", ["x", ("x", "y"), NAMES, ["shape"], []])
def test_resample_redraws_the_named_factors_only(names):
    drawn = sprites.sample_factors(3000)
    partner = sprites.resample(drawn, names, generator=seeded(7))
    redrawn = [names] if isinstance(names, str) else names
    for name in NAMES:
        old, new = getattr(drawn, name), getattr(partner, name)
        assert new.dtype == old.dtype
        if name not in redrawn:
            assert torch.equal(new, old)
            continue
        assert abs(torch.corrcoef(torch.stack([old, new]).double())[0, 1]) < 0.06
        assert abs(new.double().mean() - old.double().mean()) < 0.1 * old.double().std()


def test_resample_keeps_the_dtype():
    single = Factors(*(column.to(torch.float32) for column in sprites.sample_factors(4)))
    single = single._replace(shape=single.shape.to(torch.int64))
    partner = sprites.resample(single, NAMES, generator=seeded(1))
    assert [column.dtype for column in partner] == [torch.int64, *[torch.float32] * 5]
    images = sprites.render(partner)
    assert images.dtype == torch.float32 and partner.table().dtype == torch.float32
    exact = sprites.render(Factors(partner.shape, *(column.double() for column in partner[1:])))
    torch.testing.assert_close(images.double(), exact, atol=1e-4, rtol=0)


def test_generator_decides():
    first = sprites.sample_factors(20).table()
    assert torch.equal(sprites.sample_factors(20, generator=seeded(0)).table(), first)
    assert not torch.equal(sprites.sample_factors(20, generator=seeded(1)).table(), first)
    before = torch.get_rng_state()
    sprites.render(sprites.sample_factors(5))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("at_a_time", [1, 5 * 32**2, 10**9])
def test_drawing_in_parts_changes_nothing(monkeypatch, at_a_time):
    drawn = sprites.sample_factors(40)
    images = sprites.render(drawn)
    monkeypatch.setattr(sprites, "_PIXELS_AT_A_TIME", at_a_time)
    torch.testing.assert_close(sprites.render(drawn), images)
    for index in (0, 17, 39):
        one = Factors(*(column[index : index + 1] for column in drawn))
        torch.testing.assert_close(sprites.render(one)[0], images[index])


@pytest.mark.parametrize("shape", range(3))
def test_image_is_differentiable_in_the_factors(shape):
    values = torch.tensor([0.2, 0.031, -0.043, 0.57, 0.8], dtype=torch.float64)
    columns = [value.reshape(1).requires_grad_() for value in values]
    kind = torch.tensor([shape])
    assert torch.autograd.gradcheck(
        lambda *values: sprites.render(Factors(kind, *values), pixels=12), columns
    )


def test_gradients_of_position_and_brightness():
    drawn = sprites.sample_factors(300)
    drawn = drawn._replace(**{name: getattr(drawn, name).requires_grad_() for name in REAL})
    images = sprites.render(drawn)
    right, up = centres(images).sum(dim=0)
    dx, dy = torch.autograd.grad(right, [drawn.x, drawn.y], retain_graph=True)
    assert abs(dx.mean() - 1) < 0.01 and abs(dy.mean()) < 0.01
    dy, dx = torch.autograd.grad(up, [drawn.y, drawn.x], retain_graph=True)
    assert abs(dy.mean() - 1) < 0.01 and abs(dx.mean()) < 0.01
    total = images.mean(dim=(1, 2, 3)).sum()
    by_size, by_brightness = torch.autograd.grad(total, [drawn.size, drawn.brightness])
    assert abs((by_size / (2 * drawn.size * drawn.brightness)).mean() - 1) < 0.01
    assert abs(by_brightness / drawn.size**2 - 1).max() < 0.06


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_sprites_on_the_gpu():
    drawn = sprites.sample_factors(50, generator=torch.Generator("cuda").manual_seed(0))
    images = sprites.render(drawn)
    assert images.device.type == "cuda"
    on_cpu = Factors(*(column.cpu() for column in drawn))
    torch.testing.assert_close(images.cpu(), sprites.render(on_cpu))
    partner = sprites.resample(drawn, "x", generator=seeded(3))
    assert partner.x.device == drawn.x.device


GOOD = sprites.sample_factors(3)


def changed(**values):
    return GOOD._replace(**{name: torch.tensor(value) for name, value in values.items()})



@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sprites.sample_factors(0), "n_samples=0"),
        (lambda: sprites.render(GOOD, pixels=7), "pixels=7 is too coarse"),
        (lambda: sprites.render(GOOD, pixels=32.0), "pixels must be an integer"),
        (lambda: sprites.render(GOOD.table()), "sprites.Factors"),
        (lambda: sprites.render(Factors(*GOOD.table().T.numpy())), "sprites.Factors"),
        (lambda: sprites.render(GOOD._replace(x=GOOD.x[:2])), "lengths"),
        (lambda: sprites.render(Factors(*(column[:0] for column in GOOD))), "lengths"),
        (lambda: sprites.render(GOOD._replace(x=GOOD.x.float())), "mixes dtypes"),
        (lambda: sprites.render(changed(shape=[0, 1, 3])), "integers from 0 to 2"),
        (lambda: sprites.render(changed(shape=[0.0, 1, 2])), "integers from 0 to 2"),
        (lambda: sprites.render(GOOD._replace(y=GOOD.y * torch.nan)), "factors.y contains NaN"),
        (lambda: sprites.render(GOOD._replace(size=-GOOD.size)), "size must be positive"),
        (lambda: sprites.render(GOOD._replace(brightness=GOOD.brightness + 1)), "between 0 and 1"),
        (lambda: sprites.resample(GOOD, "colour", generator=seeded()), "names has 'colour'"),
        (lambda: sprites.resample(GOOD, "x", generator=None), "must be a torch.Generator"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
