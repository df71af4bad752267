"""Statistics of streams, and the linear optima from them, against the samples in memory."""

import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import gaussian

from spectral_ssl import closed_form, relations, spectral, streams
from spectral_ssl.linalg import center
from spectral_ssl.metrics import principal_angles
from spectral_ssl.statistics import ClassStatistics, ViewStatistics

cases = {
    "seed": st.integers(0, 1000),
    "n_views": st.integers(2, 4),
    "cuts": st.sets(st.integers(1, 29), max_size=5),
    "offset": st.sampled_from([0.0, 1e4]),
}


def views_of(n_sources, n_views, n_features=5, seed=0, offset=0.0):
    sources = gaussian(n_sources, n_features, seed=seed)
    noise = gaussian(n_views, n_sources, n_features, seed=seed + 1)
    return list(offset + sources + 0.4 * noise)


def parts(n, cuts):
    edges = [0, *sorted(cuts), n]
    return [slice(*pair) for pair in zip(edges, edges[1:])]


def gathered(views, cuts=()):
    statistics = ViewStatistics(views[0].shape[1])
    for part in parts(len(views[0]), cuts):
        statistics.update(*[X[part] for X in views])
    return statistics


def in_memory(views):
    """All views, source by source, and their graph."""
    X = torch.stack(views, dim=1)
    return X.flatten(0, 1), relations.from_views(*X.shape[:2])


def close(ours, expected, offset):
    """To 1e-8 of the scatter, or what is left of it beside a large offset."""
    error = torch.linalg.norm(ours - expected) / torch.linalg.norm(expected)
    return error < (1e-8 if offset else 1e-12)


@settings(max_examples=40, deadline=None)
@given(**cases)
def test_statistics_of_views_are_those_of_all_samples(seed, n_views, cuts, offset):
    views = views_of(30, n_views, seed=seed, offset=offset)
    ours, (X, G) = gathered(views, cuts), in_memory(views)
    scatter = center(X).T @ center(X)
    energy = center(X).T @ (center(X) - G @ center(X))
    assert (ours.n_samples, ours.n_blocks, ours.n_views) == (30 * n_views, 30, n_views)
    assert close(ours.scatter, scatter, offset) and close(ours.within, energy, offset)
    torch.testing.assert_close(ours.mean, X.mean(dim=0))


@settings(max_examples=40, deadline=None)
@given(**cases)
def test_statistics_of_classes_are_those_of_all_samples(seed, n_views, cuts, offset):
    X = gaussian(30, 4, seed=seed) + offset
    labels = torch.randint(0, n_views, (30,), generator=torch.Generator().manual_seed(seed))
    ours = ClassStatistics(4)
    for part in parts(30, cuts):
        ours.update(X[part], labels[part])
    centered, G = center(X), relations.from_labels(labels)
    assert close(ours.scatter, centered.T @ centered, offset)
    assert close(ours.within, centered.T @ (centered - G @ centered), offset)
    assert ours.n_samples == 30 and ours.n_blocks == len(labels.unique())
    torch.testing.assert_close(ours.mean, X.mean(dim=0))


@pytest.mark.parametrize("kind", [ViewStatistics, ClassStatistics])
def test_merged_and_restored_statistics_are_those_of_one_stream(kind):
    first, second = gaussian(20, 3), gaussian(12, 3, seed=1) + 2
    labels = ["a", "b", "c", "b"] * 5, ["c", "d"] * 6

    def update(statistics, X, labels):
        if kind is ViewStatistics:
            return statistics.update(X[::2], X[1::2])
        return statistics.update(X, labels)

    one, other = update(kind(3), first, labels[0]), update(kind(3), second, labels[1])
    expected = update(update(kind(3), first, labels[0]), second, labels[1])
    file = io.BytesIO()
    torch.save(other.state_dict(), file)
    file.seek(0)
    restored = kind.from_state_dict(torch.load(file, weights_only=True))
    for merged in (one.merge(restored), kind(3).merge(expected), expected.merge(kind(3))):
        assert merged.n_samples == expected.n_samples and merged.n_blocks == expected.n_blocks
        for name in ("mean", "within", "scatter"):
            torch.testing.assert_close(getattr(merged, name), getattr(expected, name))
    assert (one.n_samples, other.n_samples) == (20, 12)
    assert one.merge(other).merge(kind(3)).n_samples == 32


def same_optimum(ours, expected, X):
    """Loss, spectrum, and the embedding of the samples up to a rotation."""
    Z = ours.transform(X)
    assert ours.embedding is None
    assert ours.loss == pytest.approx(expected.loss, rel=1e-8, abs=1e-8)
    torch.testing.assert_close(ours.spectrum, expected.spectrum, atol=1e-8, rtol=0)
    gram, target = Z @ Z.T, expected.transform(X) @ expected.transform(X).T
    assert torch.linalg.norm(gram - target) < 1e-8 * torch.linalg.norm(target)


@settings(max_examples=25, deadline=None)
@given(seed=cases["seed"], cuts=cases["cuts"], n_views=cases["n_views"])
def test_linear_optima_of_views(seed, cuts, n_views):
    views = views_of(30, n_views, seed=seed)
    ours, (X, G) = gathered(views, cuts), in_memory(views)
    options = {"invariance": 0.4, "variance": 2.0}
    same_optimum(
        streams.vicreg_linear(ours, 3, **options), closed_form.vicreg_linear(X, G, 3, **options), X
    )
    same_optimum(
        streams.spectral_contrastive_linear(ours, 3),
        closed_form.spectral_contrastive_linear(X, G, 3),
        X,
    )


@settings(max_examples=25, deadline=None)
@given(seed=cases["seed"], cuts=cases["cuts"])
def test_linear_optima_of_two_views(seed, cuts):
    views = views_of(30, 2, seed=seed)
    ours, X = gathered(views, cuts), torch.cat(views)
    for name, options in (
        ("barlow_twins_linear", {"redundancy": 0.1}),
        ("barlow_twins_unscaled_linear", {}),
    ):
        expected = getattr(closed_form, name)(*views, 3, **options)
        same_optimum(getattr(streams, name)(ours, 3, **options), expected, X)


def test_discriminants_of_a_stream():
    X, labels = gaussian(40, 4), [0, 1, 2, 3] * 10
    expected = spectral.lda(X, labels, 3)
    ours = streams.lpp(ClassStatistics(4).update(X, labels), 3)
    assert ours.loss == pytest.approx(expected.loss)
    assert principal_angles(ours.transform(X), expected.embedding)[0] < 1e-7


def test_redundant_columns_are_dropped():
    views = [torch.cat([X, X[:, :2] * 3], dim=1) for X in views_of(30, 2)]
    ours, (X, G) = gathered(views), in_memory(views)
    same_optimum(streams.vicreg_linear(ours, 3), closed_form.vicreg_linear(X, G, 3), X)
    with pytest.raises(ValueError, match="rank 5"):
        streams.lpp(ours, 6)


BAD = {
    "3 columns but": lambda: ViewStatistics(4).update(gaussian(5, 3), gaussian(5, 3)),
    "at least two views": lambda: ViewStatistics(3).update(gaussian(5, 3)),
    "same sources": lambda: ViewStatistics(3).update(gaussian(5, 3), gaussian(4, 3)),
    "as many in every batch": lambda: gathered(views_of(9, 2)).update(*views_of(9, 3)),
    "view 1 contains NaN": lambda: ViewStatistics(3).update(
        gaussian(5, 3), gaussian(5, 3) * torch.nan
    ),
    "one label for each row": lambda: ClassStatistics(3).update(gaussian(5, 3), [0, 1]),
    "does not fit": lambda: ClassStatistics(3).merge(ViewStatistics(3)),
    "n_features": lambda: ViewStatistics(0),
    "has seen 0": lambda: streams.vicreg_linear(ViewStatistics(3), 1),
    "constant": lambda: streams.lpp(gathered([torch.full((9, 3), 0.1)] * 2), 1),
    "gather ViewStatistics": lambda: streams.barlow_twins_linear(
        ClassStatistics(3).update(gaussian(4, 3), [0, 0, 1, 1]), 1
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


@pytest.mark.gpu
def test_statistics_on_the_gpu():
    views = views_of(30, 2)
    ours = gathered([X.cuda() for X in views], {7})
    assert ours.within.is_cuda
    expected = streams.vicreg_linear(gathered(views), 3)
    assert streams.vicreg_linear(ours, 3).loss == pytest.approx(expected.loss)
