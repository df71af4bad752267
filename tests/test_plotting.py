"""The book's figures show what they are given and are readable without colour."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import torch

from spectral_ssl import plotting, relations


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def luminance(color):
    channels = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in matplotlib.colors.to_rgb(color)
    ]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


@pytest.mark.parametrize("color", plotting.COLORS)
def test_colors_stand_out_from_white(color):
    assert 1.05 / (luminance(color) + 0.05) >= 3


def test_lines_differ_without_colour():
    with plt.rc_context():
        plotting.use_style()
        styles = [str(style["linestyle"]) for style in plt.rcParams["axes.prop_cycle"]]
    assert len(set(styles)) == len(styles)


@pytest.mark.parametrize("sparse", [False, True])
def test_relation_graph_draws_each_pair_once(sparse):
    G = relations.from_pairs([[0, 1], [1, 2], [2, 2]], 3)
    G = G if sparse else G.to_dense()
    ax = plotting.relation_graph(torch.rand(3, 2), G, names=["a", "b", "c"])
    (lines, _) = ax.collections
    assert len(lines.get_segments()) == 2
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]


def test_groups_differ_in_marker_and_colour():
    G = relations.from_labels([0, 0, 1])
    ax = plotting.relation_graph(torch.rand(3, 2), G, groups=[0, 0, 1])
    _, first, second = ax.collections
    assert len(first.get_offsets()) == 2 and len(second.get_offsets()) == 1
    assert not (first.get_facecolor() == second.get_facecolor()).all()
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)


def test_relation_matrix_shows_its_values():
    G = relations.from_labels([0, 0, 1])
    image = plotting.relation_matrix(G).images[0]
    assert (image.get_array() == G.numpy()).all()


def test_overlay_turns_the_trained_embedding_onto_the_exact_one():
    exact = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    trained = exact.flip(1) + 4
    rings, crosses = plotting.overlay(trained, exact, coordinates=(1, 2)).collections
    assert abs(rings.get_offsets() - exact[:, 1:].numpy()).max() < 1e-12
    assert abs(crosses.get_offsets() - rings.get_offsets()).max() < 1e-5


def test_coordinates_are_sorted_by_class():
    Z = torch.tensor([[1.0], [2.0], [3.0]])
    ax = plotting.coordinates_by_class(Z, torch.tensor([1, 0, 1]))
    assert ax.images[0].get_array().tolist() == [[2.0, 1.0, 3.0]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1"]


def test_ten_classes_differ_in_more_than_colour():
    labels = torch.arange(10).repeat(3)
    ax = plotting.scatter_classes(torch.rand(30, 2), labels, legend=False)
    marks = {
        (len(points.get_paths()[0].vertices), tuple(points.get_paths()[0].vertices.ravel()),
         len(points.get_facecolor()))
        for points in ax.collections
    }
    assert len(marks) == len(ax.collections) == 10
    with pytest.raises(ValueError, match="11 classes"):
        plotting.scatter_classes(torch.rand(11, 2), range(11))
    with pytest.raises(ValueError, match="3 columns"):
        plotting.scatter_classes(torch.rand(5, 3), range(5))


def test_image_grid_puts_every_image_in_its_place():
    images = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    ax = plotting.image_grid(images, rows=["a", "b"], columns=["x", "y", "z"])
    mosaic = ax.images[0].get_array()
    assert mosaic.shape == (9, 17) and mosaic.mask.sum() == 9 * 17 - images.numel()
    for row, y in enumerate(ax.get_yticks()):
        for column, x in enumerate(ax.get_xticks()):
            top, left = round(y - 1.5), round(x - 2)
            shown = mosaic[top : top + 4, left : left + 5].data
            assert (shown == images[row, column].double().numpy()).all()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y", "z"]


def test_image_grid_without_names_has_no_ticks():
    ax = plotting.image_grid(torch.rand(1, 2, 3, 3))
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


@pytest.mark.parametrize(
    ("shape", "names", "message"),
    [((6, 4, 4), {}, "images must have shape"), ((2, 3, 4, 4), {"rows": ["a"]}, "rows has 1")],
)
def test_image_grid_refuses(shape, names, message):
    with pytest.raises(ValueError, match=message):
        plotting.image_grid(torch.rand(shape), **names)
