"""Serves every chapter: the book's figures, in one style that is readable without colour."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.collections import LineCollection

from spectral_ssl.linalg import align

# Okabe and Ito's colour-blind-safe colours, those with a contrast of 3 or more on white.
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#008763", "#B5588F", "#6B6B6B"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, GREY)
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v")


def use_style():
    """Switch matplotlib to the book's style: dark on white, one line style a colour."""
    plt.rcParams.update(
        {
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINE_STYLES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": 130,
            "figure.facecolor": "white",
            "figure.figsize": (6.5, 3.0),
            "font.size": 10,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "scatter.edgecolors": "face",
        }
    )


def relation_graph(positions, G, *, names=None, groups=None, ax=None):
    """Draw samples as points and relations as lines, darker for stronger ones.

    Parameters
    ----------
    positions : Tensor of shape (N, 2)
    G : Tensor of shape (N, N)
        Symmetric relations, dense or sparse; the diagonal is not drawn.
    names : sequence of N strings, optional
        Written on the points.
    groups : sequence of N integers, optional
        Each group gets a colour and a marker.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = ax or plt.gca()
    positions = positions.detach().cpu().numpy()
    pairs, strengths = _related_pairs(G)
    lines = LineCollection(
        positions[pairs],
        colors=GREY,
        linewidths=0.5 + strengths / strengths.max(),
        alpha=0.25 + 0.75 * strengths / strengths.max(),
        zorder=1,
    )
    ax.add_collection(lines)
    groups = np.zeros(len(positions), dtype=int) if groups is None else np.asarray(groups)
    for group in np.unique(groups):
        ax.scatter(
            *positions[groups == group].T,
            s=12 if names is None else 240,
            color=COLORS[group % len(COLORS)],
            marker=MARKERS[group % len(MARKERS)],
            zorder=2,
        )
    for (x, y), name in zip(positions, names or ()):
        ax.text(x, y, name, color="white", ha="center", va="center", zorder=3)
    ax.set_aspect("equal")
    ax.margins(0.15)
    return ax


def _related_pairs(G):
    """Index pairs ``i < j`` with a relation, and their strengths."""
    upper = torch.triu(G.to_dense() if G.is_sparse else G, diagonal=1).cpu().numpy()
    pairs = np.argwhere(upper > 0)
    return pairs, upper[tuple(pairs.T)]


def relation_matrix(G, *, ax=None):
    """Show a relation matrix as a picture with its scale.

    Parameters
    ----------
    G : Tensor of shape (N, N)
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = ax or plt.gca()
    values = (G.to_dense() if G.is_sparse else G).cpu().numpy()
    image = ax.imshow(values, cmap="Blues", vmin=0)
    ax.figure.colorbar(image, ax=ax, label="$G_{ij}$", shrink=0.8)
    ax.grid(False)
    ax.set(xlabel="sample $j$", ylabel="sample $i$")
    return ax


def overlay(trained, exact, *, coordinates=(0, 1), name="closed form", ax=None):
    """Lay two coordinates of trained embeddings over the exact ones.

    The trained embeddings are first shifted and rotated onto the exact ones, which the
    losses leave free. Open circles are exact, crosses are trained.

    Parameters
    ----------
    trained, exact : Tensors of shape (N, K)
    coordinates : pair of int
        Which two columns to draw.
    name : str
        What the legend calls the exact embeddings.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = ax or plt.gca()
    columns = list(coordinates)
    aligned = align(trained, exact)[:, columns].detach().cpu().numpy()
    exact = exact[:, columns].detach().cpu().numpy()
    ax.scatter(*exact.T, s=60, facecolors="none", edgecolors=BLUE, label=name)
    ax.scatter(*aligned.T, s=22, marker="x", color=VERMILION, label="trained")
    ax.set(xlabel=f"coordinate {columns[0] + 1}", ylabel=f"coordinate {columns[1] + 1}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1)
    return ax


def coordinates_by_class(Z, labels, *, ax=None):
    """Show every coordinate of every sample as a picture, samples sorted by class.

    Parameters
    ----------
    Z : Tensor of shape (N, K)
    labels : sequence of N classes
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = ax or plt.gca()
    labels = np.asarray(labels)
    values = Z.detach().cpu().numpy()[np.argsort(labels, kind="stable")].T
    limit = np.abs(values).max()
    image = ax.imshow(
        values, cmap="PuOr", aspect="auto", vmin=-limit, vmax=limit, interpolation="nearest"
    )
    ax.figure.colorbar(image, ax=ax, label="coordinate value")
    classes, counts = np.unique(labels, return_counts=True)
    ends = counts.cumsum()
    for end in ends[:-1]:
        ax.axvline(end - 0.5, color="black", lw=0.6, ls="-")
    ax.grid(False)
    ax.set_xticks(ends - counts / 2, classes)
    ax.set_yticks(range(len(values)), range(1, len(values) + 1))
    ax.set(xlabel="class of the sample", ylabel="coordinate")
    return ax


def scatter_classes(Z, labels, *, size=14, legend=True, ax=None):
    """Scatter two coordinates, each class with a colour and a marker of its own.

    Parameters
    ----------
    Z : Tensor of shape (N, 2)
    labels : sequence of N classes
        At most ten; the second five are drawn hollow.
    size : float
        Area of a marker in square points.
    legend : bool
        Name the classes above the axes.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there are more than ten classes, or not two coordinates.
    """
    ax = ax or plt.gca()
    points, labels = Z.detach().cpu().numpy(), np.asarray(labels)
    if points.shape[1] != 2:
        raise ValueError(f"Z has {points.shape[1]} columns; choose two, such as Z[:, :2]")
    classes = np.unique(labels)
    if len(classes) > 2 * len(COLORS):
        raise ValueError(f"labels has {len(classes)} classes; draw at most {2 * len(COLORS)}")
    for i, name in enumerate(classes):
        color = COLORS[i % len(COLORS)]
        ax.scatter(
            *points[labels == name].T,
            s=size,
            marker=MARKERS[i % len(COLORS)],
            facecolors=color if i < len(COLORS) else "none",
            edgecolors=color,
            linewidths=0.8,
            label=name,
        )
    if legend:
        ax.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=5,
            columnspacing=0.8,
            handletextpad=0.1,
        )
    return ax


def image_grid(images, *, rows=None, columns=None, ax=None):
    """Show images side by side as one picture, ink dark on white.

    All images share one grey scale, from the smallest value (white) to the largest (black).

    Parameters
    ----------
    images : Tensor of shape (R, C, H, W)
        ``images[r, c]`` is drawn in row r and column c.
    rows, columns : sequences of R and C strings, optional
        Written to the left of the rows and above the columns.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If ``images`` has another shape, or a sequence of names another length.
    """
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape (rows, columns, height, width), got {tuple(images.shape)}; "
            "reshape it"
        )
    counts, (height, width) = images.shape[:2], images.shape[2:]
    for name, names, count in zip(("rows", "columns"), (rows, columns), counts):
        if names is not None and len(names) != count:
            raise ValueError(f"{name} has {len(names)} names for {count}; give one name each")
    ax = ax or plt.gca()
    framed = torch.nn.functional.pad(images.detach().cpu().double(), (0, 1, 0, 1), value=torch.nan)
    mosaic = framed.transpose(1, 2).flatten(2).flatten(0, 1)[:-1, :-1]
    ax.imshow(mosaic.numpy(), cmap="Greys", interpolation="nearest")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    sides = (ax.set_yticks, rows, height), (ax.set_xticks, columns, width)
    for set_ticks, names, size in sides:
        middles = np.arange(len(names or ())) * (size + 1) + (size - 1) / 2
        set_ticks(middles, names)
    return ax
