"""The classical methods against scikit-learn, cca-zoo and scipy's generalised eigenproblem."""

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import torch
from cca_zoo.linear import CCA as ZooCCA
from cca_zoo.nonparametric import KCCA
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import CCA
from sklearn.datasets import load_iris, load_wine, make_swiss_roll
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import ClassicalMDS, Isomap, spectral_embedding
from sklearn.metrics.pairwise import rbf_kernel

from spectral_ssl import datasets, metrics, relations, spectral
from spectral_ssl.linalg import center, covariance

seeds = st.integers(0, 10_000)
referee = settings(max_examples=25, deadline=None)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def graph(seed, n=20):
    weights = gaussian(n, n, seed=seed).abs()
    return weights + weights.T


def rbf(X, Y=None):
    Y = X if Y is None else Y
    return torch.as_tensor(rbf_kernel(X.numpy(), Y.numpy(), gamma=0.2))


def assert_same_space(Z, expected, tolerance=1e-6):
    expected = torch.as_tensor(np.asarray(expected))
    angles = metrics.principal_angles(Z, expected)
    assert len(angles) == Z.shape[1] and angles[0] < tolerance


def assert_same_gram(Z, expected, tolerance=1e-8):
    gram, expected = (torch.as_tensor(np.asarray(A)) for A in (Z @ Z.T, expected @ expected.T))
    assert torch.linalg.norm(gram - expected) < tolerance * torch.linalg.norm(expected)


def assert_white(Z):
    assert torch.allclose(covariance(Z), torch.eye(Z.shape[1], dtype=Z.dtype), atol=1e-8)
    assert Z.mean(dim=0).abs().max() < 1e-8


# principal components


@referee
@given(seed=seeds, n=st.integers(3, 30), d=st.integers(1, 12))
def test_pca_is_scikit_learns(seed, n, d):
    X = gaussian(n, d, seed=seed) @ gaussian(d, d, seed=seed + 1) + 5
    k = min(n - 1, d, 3)
    ours, theirs = spectral.pca(X, k), PCA(k).fit(X.numpy())
    new = gaussian(4, d, seed=seed + 2)
    assert np.allclose(ours.spectrum, theirs.explained_variance_ * (n - 1) / n)
    assert_same_gram(ours.embedding, theirs.transform(X.numpy()))
    assert_same_gram(ours.transform(new), theirs.transform(new.numpy()))
    restored = theirs.inverse_transform(theirs.transform(X.numpy()))
    error = ((X.numpy() - restored) ** 2).sum() / n
    assert ours.loss == pytest.approx(error, abs=1e-10)


@referee
@given(seed=seeds, n=st.integers(5, 30))
def test_kernel_pca_is_scikit_learns(seed, n):
    X, new = gaussian(n, 3, seed=seed), gaussian(4, 3, seed=seed + 1)
    ours = spectral.kernel_pca(rbf(X), 3)
    theirs = KernelPCA(3, kernel="precomputed").fit(rbf(X).numpy())
    assert np.allclose(ours.spectrum, theirs.eigenvalues_)
    assert_same_gram(ours.embedding, theirs.transform(rbf(X).numpy()))
    assert_same_gram(ours.transform(rbf(new, X)), theirs.transform(rbf(new, X).numpy()))


def test_kernel_pca_of_the_linear_kernel_is_pca():
    X, new = gaussian(12, 5) + 3, gaussian(4, 5, seed=1)
    linear, kernel = spectral.pca(X, 3), spectral.kernel_pca(X @ X.T, 3)
    assert_same_gram(kernel.embedding, linear.embedding)
    assert_same_gram(kernel.transform(new @ X.T), linear.transform(new))
    assert torch.allclose(kernel.spectrum / 12, linear.spectrum)
    assert kernel.loss == pytest.approx(linear.loss)


# distances


@referee
@given(seed=seeds, n=st.integers(4, 30), d=st.integers(1, 6))
def test_classical_mds_is_scikit_learns_and_keeps_euclidean_distances(seed, n, d):
    X = gaussian(n, d, seed=seed)
    k = min(n - 1, d)
    distances = torch.cdist(X, X)
    ours = spectral.classical_mds(distances, k)
    theirs = ClassicalMDS(k, metric="precomputed").fit(distances.numpy())
    assert np.allclose(ours.spectrum, theirs.eigenvalues_)
    assert_same_gram(ours.embedding, theirs.embedding_)
    assert torch.allclose(torch.cdist(ours.embedding, ours.embedding), distances, atol=1e-6)
    assert ours.loss < 1e-12 * (ours.spectrum**2).sum()


@referee
@given(seed=seeds, n=st.integers(4, 20))
def test_classical_mds_of_non_euclidean_distances_leaves_columns_empty(seed, n):
    noise = gaussian(n, n, seed=seed).abs()
    distances = (noise + noise.T).fill_diagonal_(0)
    centering = np.eye(n) - 1 / n
    gram = -centering @ (distances.numpy() ** 2) @ centering / 2
    mu = np.sort(np.linalg.eigvalsh(gram))[::-1]
    mu = np.delete(mu, np.argmin(abs(mu)))
    exact = spectral.classical_mds(distances, n - 1)
    assert np.allclose(exact.spectrum, mu)
    assert exact.loss == pytest.approx((mu[mu < 0] ** 2).sum())
    assert (exact.embedding[:, exact.spectrum <= 0] == 0).all()
    assert (exact.transform(distances)[:, exact.spectrum <= 0] == 0).all()


def test_classical_mds_places_new_samples_by_their_distances():
    X, new = gaussian(15, 3), gaussian(5, 3, seed=1)
    exact = spectral.classical_mds(torch.cdist(X, X), 3)
    placed = exact.transform(torch.cdist(new, X))
    assert torch.allclose(torch.cdist(placed, exact.embedding), torch.cdist(new, X), atol=1e-6)
    assert torch.allclose(exact.transform(torch.cdist(X, X)), exact.embedding, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_isomap_is_scikit_learns(seed):
    X = torch.as_tensor(make_swiss_roll(300, random_state=seed)[0])
    new = torch.as_tensor(make_swiss_roll(20, random_state=seed + 100)[0])
    ours = spectral.isomap(X, 2, n_neighbors=8)
    theirs = Isomap(n_components=2, n_neighbors=8, eigen_solver="dense").fit(X.numpy())
    assert np.allclose(relations.geodesic_distances(X, 8), theirs.dist_matrix_)
    assert np.allclose(ours.spectrum, theirs.kernel_pca_.eigenvalues_)
    assert_same_gram(ours.embedding, theirs.embedding_)
    assert_same_gram(ours.transform(new), theirs.transform(new.numpy()))


def test_isomap_with_all_neighbours_is_pca():
    X = gaussian(20, 3)
    assert_same_gram(
        spectral.isomap(X, 3, n_neighbors=19).embedding, spectral.pca(X, 3).embedding
    )


# graphs


@referee
@given(seed=seeds, normalized=st.booleans(), sparse=st.booleans())
def test_laplacian_eigenmaps_are_scikit_learns(seed, normalized, sparse):
    G = graph(seed).fill_diagonal_(0)
    L = torch.diag(G.sum(dim=1)) - G
    ours = spectral.laplacian_eigenmaps(G.to_sparse() if sparse else G, 3, normalized=normalized)
    theirs = spectral_embedding(
        G.numpy(), n_components=3, norm_laplacian=normalized, eigen_solver="arpack", random_state=0
    )
    metric = torch.diag(G.sum(dim=1)) if normalized else torch.eye(20, dtype=torch.float64)
    expected = scipy.linalg.eigh(L.numpy(), metric.numpy(), eigvals_only=True)[1:4]
    assert np.allclose(ours.spectrum, expected)
    assert_same_space(ours.embedding, theirs)
    share = metric.diagonal() / metric.trace()
    Z = ours.embedding
    assert torch.allclose(Z.T @ (share[:, None] * Z), torch.eye(3, dtype=Z.dtype), atol=1e-8)
    assert (share @ Z).abs().max() < 1e-8
    assert ours.loss == pytest.approx(torch.trace(Z.T @ L @ Z).item() / metric.trace().item())


def test_both_eigenmaps_agree_on_equal_degrees():
    G = relations.from_pairs([[i, (i + 1) % 9] for i in range(9)], 9) / 2
    plain, normalized = (
        spectral.laplacian_eigenmaps(G, 2, normalized=flag) for flag in (False, True)
    )
    assert_same_gram(plain.embedding, normalized.embedding)


def test_eigenmaps_of_a_disconnected_graph_count_its_zero_eigenvalues():
    G = relations.from_labels([0] * 4 + [1] * 5 + [2] * 3)
    for normalized in (False, True):
        exact = spectral.laplacian_eigenmaps(G, 4, normalized=normalized)
        assert np.allclose(exact.spectrum, [0, 0, 1, 1])
        within_class = exact.embedding[:4, :2] - exact.embedding[:1, :2]
        assert within_class.abs().max() < 1e-7


@pytest.mark.parametrize("normalized", [False, True])
def test_eigenmaps_of_a_large_sparse_graph_agree_with_dense_ones(normalized):
    X = gaussian(2500, 2)
    G = relations.nearest_neighbors(X, 10)
    sparse = spectral.laplacian_eigenmaps(G, 3, normalized=normalized)
    dense = spectral.laplacian_eigenmaps(G.to_dense(), 3, normalized=normalized)
    assert np.allclose(sparse.spectrum, dense.spectrum, rtol=1e-6)
    assert_same_space(sparse.embedding, dense.embedding, 1e-4)


@pytest.mark.parametrize("normalized", [False, True])
def test_eigenmaps_extend_to_new_samples_as_they_place_the_known(normalized):
    G = graph(0)
    exact = spectral.laplacian_eigenmaps(G, 3, normalized=normalized)
    assert torch.allclose(exact.transform(G), exact.embedding, atol=1e-8)
    strong = exact.transform(G[:2] * 10)
    assert normalized == torch.allclose(strong, exact.embedding[:2], atol=1e-8)


def generalised_eigenvalues(A, B):
    """Smallest first, of A w = lambda B w with a definite B, by scipy."""
    return scipy.linalg.eigh(A.numpy(), B.numpy())


@referee
@given(seed=seeds, sparse=st.booleans())
def test_lpp_solves_scipys_generalised_eigenproblem(seed, sparse):
    X, G = gaussian(20, 4, seed=seed) @ gaussian(4, 4, seed=seed + 1), graph(seed)
    L = torch.diag(G.sum(dim=1)) - G
    values, vectors = generalised_eigenvalues(X.T @ L @ X, center(X).T @ center(X))
    ours = spectral.lpp(X, G.to_sparse() if sparse else G, 2)
    assert np.allclose(ours.spectrum, values[:2])
    assert_same_space(ours.weights, vectors[:, :2])
    assert_white(ours.embedding)
    assert torch.allclose(ours.transform(X), ours.embedding)
    assert ours.loss == pytest.approx(torch.trace(ours.embedding.T @ L @ ours.embedding) / 20)


def test_lpp_with_more_features_than_samples_gives_laplacian_eigenmaps():
    X, G = gaussian(10, 30), graph(0, 10)
    projections, maps = spectral.lpp(X, G, 3), spectral.laplacian_eigenmaps(G, 3)
    assert_same_gram(projections.embedding, maps.embedding)
    assert torch.allclose(projections.spectrum, maps.spectrum)


def test_kernel_lpp_of_the_linear_kernel_is_lpp():
    X, new, G = gaussian(20, 4) + 2, gaussian(5, 4, seed=1), graph(0)
    linear, kernel = spectral.lpp(X, G, 3), spectral.kernel_lpp(X @ X.T, G, 3)
    assert torch.allclose(kernel.spectrum, linear.spectrum)
    assert_same_gram(kernel.embedding, linear.embedding)
    assert_same_gram(kernel.transform(new @ X.T), linear.transform(new))


@referee
@given(seed=seeds)
def test_kernel_lpp_of_a_full_rank_kernel_is_laplacian_eigenmaps(seed):
    X, G = gaussian(20, 2, seed=seed), graph(seed)
    gram = rbf(X) + torch.eye(20)
    kernel, maps = spectral.kernel_lpp(gram, G, 3), spectral.laplacian_eigenmaps(G, 3)
    assert_same_gram(kernel.embedding, maps.embedding)
    assert torch.allclose(kernel.transform(gram), kernel.embedding)


@referee
@given(seed=seeds)
def test_kernel_lpp_solves_scipys_generalised_eigenproblem(seed):
    X, G = gaussian(20, 2, seed=seed), graph(seed)
    features = torch.cat([X, X**2, X[:, :1] * X[:, 1:]], dim=1)
    L = torch.diag(G.sum(dim=1)) - G
    B = center(features).T @ center(features)
    values, vectors = generalised_eigenvalues(features.T @ L @ features, B)
    ours = spectral.kernel_lpp(features @ features.T, G, 2)
    assert np.allclose(ours.spectrum, values[:2])
    assert_same_space(ours.embedding, center(features) @ torch.as_tensor(vectors[:, :2]))


# classes


@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_lda_is_scikit_learns(load):
    X, y = load(return_X_y=True)
    ours = spectral.lda(torch.as_tensor(X), y, 2)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(X, y)
    ratio = (1 - ours.spectrum) / ours.spectrum
    assert np.allclose(ratio / ratio.sum(), theirs.explained_variance_ratio_)
    assert_same_space(ours.weights, theirs.scalings_[:, :2])
    assert_white(ours.embedding)


def test_lda_separates_the_digits_as_scikit_learn_does():
    X, y = datasets.digits()
    varying = X[:, X.std(dim=0) > 0]
    ours = spectral.lda(X, y, 9)
    theirs = LinearDiscriminantAnalysis(solver="svd").fit(varying.numpy(), y)
    assert_same_space(ours.embedding, theirs.transform(varying.numpy()))


@referee
@given(seed=seeds, classes=st.integers(2, 4), d=st.integers(3, 6))
def test_lda_is_lpp_with_the_class_graph(seed, classes, d):
    X = gaussian(30, d, seed=seed)
    y = (torch.arange(30) % classes).numpy()
    ours = spectral.lda(X, y, classes - 1)
    projections = spectral.lpp(X, relations.from_labels(y), classes - 1)
    assert torch.allclose(ours.spectrum, projections.spectrum)
    assert_same_gram(ours.embedding, projections.embedding)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(X.numpy(), y)
    assert_same_space(ours.weights, theirs.scalings_[:, : classes - 1])


# two views


def two_views(seed, n=60):
    shared = gaussian(n, 3, seed=seed)
    mixing = gaussian(3, 9, seed=seed + 1)
    noise = 0.7 * gaussian(n, 9, seed=seed + 2)
    return (shared @ mixing + noise + 1).split([5, 4], dim=1)


@referee
@given(seed=seeds, k=st.integers(1, 4))
def test_cca_is_cca_zoos(seed, k):
    Xa, Xb = two_views(seed)
    ours = spectral.cca(Xa, Xb, k)
    theirs = ZooCCA(k).fit([Xa.numpy(), Xb.numpy()])
    scores = theirs.transform([Xa.numpy(), Xb.numpy()])
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(scores[0].T, scores[1].T)]
    assert np.allclose(ours.spectrum, correlations, atol=1e-8)
    assert_same_space(ours.embedding, center(torch.as_tensor(scores[0])))
    assert_same_space(ours.partner.embedding, center(torch.as_tensor(scores[1])))
    assert_white(ours.embedding)
    assert_white(ours.partner.embedding)
    distance = (ours.embedding - ours.partner.embedding).square().sum() / len(Xa)
    assert ours.loss == pytest.approx(distance.item())


@pytest.mark.parametrize("seed", range(5))
def test_cca_is_the_limit_of_scikit_learns_iteration(seed):
    Xa, Xb = two_views(seed)
    a, b = CCA(2, tol=1e-12, max_iter=5000).fit_transform(Xa.numpy(), Xb.numpy())
    ours = spectral.cca(Xa, Xb, 2)
    correlations = [np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T)]
    assert np.allclose(ours.spectrum, correlations, atol=1e-4)
    assert_same_space(ours.embedding, a, 1e-2)


def test_cca_places_new_samples_of_both_views():
    Xa, Xb = two_views(0)
    exact = spectral.cca(Xa[:40], Xb[:40], 2)
    for solution, X in ((exact, Xa), (exact.partner, Xb)):
        expected = (X - X[:40].mean(dim=0)) @ solution.weights
        assert torch.allclose(solution.transform(X), expected)
        assert torch.allclose(solution.transform(X[:40]), solution.embedding)


def test_cca_of_few_samples_correlates_perfectly():
    exact = spectral.cca(gaussian(10, 6), gaussian(10, 6, seed=1), 3)
    assert torch.allclose(exact.spectrum, torch.ones(3, dtype=torch.float64))


@referee
@given(seed=seeds, ridge=st.sampled_from([0.01, 0.1, 1.0]))
def test_kernel_cca_is_cca_zoos(seed, ridge):
    Xa, Xb = two_views(seed, n=25)
    ours = spectral.kernel_cca(rbf(Xa), rbf(Xb), 2, ridge=ridge, rtol=0)
    # Theirs weighs variance (with 1/(N-1)) by 1 - c and the squared norm by c.
    n = len(Xa)
    c = ridge * n / (n - 1 + ridge * n)
    theirs = KCCA(2, kernel="rbf", gamma=0.2, shrinkage=c).fit([Xa.numpy(), Xb.numpy()])
    scores = theirs.transform([Xa.numpy(), Xb.numpy()])
    assert_same_space(ours.embedding, scores[0], 1e-5)
    assert_same_space(ours.partner.embedding, scores[1], 1e-5)


@referee
@given(seed=seeds, ridge=st.sampled_from([0.01, 0.1, 1.0]))
def test_kernel_cca_solves_scipys_generalised_eigenproblem(seed, ridge):
    Xa, Xb = two_views(seed, n=25)
    n = len(Xa)
    a, b = center(Xa), center(Xb)
    cross = a.T @ b / n
    zero = torch.zeros_like
    A = torch.cat([torch.cat([zero(a.T @ a), cross], 1), torch.cat([cross.T, zero(b.T @ b)], 1)])
    B = torch.block_diag(a.T @ a / n, b.T @ b / n) + ridge * torch.eye(9)
    rho = generalised_eigenvalues(A, B)[0][::-1][:3]
    ours = spectral.kernel_cca(Xa @ Xa.T, Xb @ Xb.T, 3, ridge=ridge)
    assert np.allclose(ours.spectrum, rho)
    assert torch.allclose(ours.transform(Xa @ Xa.T), ours.embedding)


def test_kernel_cca_without_much_ridge_is_cca():
    Xa, Xb = two_views(0)
    kernel = spectral.kernel_cca(Xa @ Xa.T, Xb @ Xb.T, 2, ridge=1e-12)
    linear = spectral.cca(Xa, Xb, 2)
    assert torch.allclose(kernel.spectrum, linear.spectrum)
    assert_same_gram(kernel.embedding, linear.embedding)
    assert_same_gram(kernel.partner.embedding, linear.partner.embedding)


# what is common to all


X = gaussian(30, 4)
METHODS = {
    "pca": lambda X: spectral.pca(X, 2),
    "classical_mds": lambda X: spectral.classical_mds(torch.cdist(X, X), 2),
    "isomap": lambda X: spectral.isomap(X, 2, n_neighbors=8),
    "kernel_pca": lambda X: spectral.kernel_pca(X @ X.T, 2),
    "laplacian_eigenmaps": lambda X: spectral.laplacian_eigenmaps(
        relations.nearest_neighbors(X, 8), 2
    ),
    "lpp": lambda X: spectral.lpp(X, relations.nearest_neighbors(X, 8), 2),
    "kernel_lpp": lambda X: spectral.kernel_lpp(X @ X.T, relations.nearest_neighbors(X, 8), 2),
    "lda": lambda X: spectral.lda(X, np.arange(30) % 3, 2),
    "cca": lambda X: spectral.cca(X[:, :2], X[:, 2:4], 2),
    "kernel_cca": lambda X: spectral.kernel_cca(X @ X.T, X[:, 2:] @ X[:, 2:].T, 2, ridge=0.1),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
)
def test_results_come_in_the_inputs_dtype_on_its_device(name, device):
    double = METHODS[name](X.to(device))
    single = METHODS[name](X.float().to(device))
    assert single.embedding.dtype == single.spectrum.dtype == torch.float32
    assert double.embedding.dtype == torch.float64
    assert single.embedding.device.type == device
    assert_same_gram(single.embedding.double().cpu(), double.embedding.cpu(), 1e-3)
    assert type(single.loss) is float


@pytest.mark.parametrize("name", METHODS)
def test_duplicates_and_constant_features_change_nothing_else(name):
    doubled = torch.cat([X, X[:3], X[:3]])
    with_constant = torch.cat([X, torch.full((30, 1), 3.0, dtype=X.dtype)], dim=1)
    assert torch.isfinite(METHODS[name](torch.cat([doubled[:15], doubled[21:]])).embedding).all()
    if name not in ("cca", "kernel_cca"):
        exact, constant = METHODS[name](X), METHODS[name](with_constant)
        assert_same_gram(constant.embedding, exact.embedding)


@pytest.mark.parametrize("name", ["pca", "lpp", "lda", "cca"])
def test_fewer_samples_than_features(name):
    wide = gaussian(30, 80)
    exact = METHODS[name](wide)
    assert torch.allclose(exact.embedding.mean(dim=0), torch.zeros(2, dtype=X.dtype), atol=1e-8)


MISTAKES = {
    "n_components=5 is out of range.*rank 4": lambda: spectral.pca(X, 5),
    "X is constant": lambda: spectral.pca(torch.ones(5, 2), 1),
    "n_components=30.*29 dimensions": lambda: spectral.classical_mds(torch.cdist(X, X), 30),
    "distances is not symmetric": lambda: spectral.classical_mds(X[:4], 1),
    "distances is not zero on the diagonal": lambda: spectral.classical_mds(X @ X.T + 99, 1),
    "distances has negative": lambda: spectral.classical_mds(torch.eye(4) - 1, 1),
    "distances must be a square": lambda: spectral.classical_mds(X, 1),
    "2 components with no path": lambda: spectral.isomap(
        torch.cat([X, X + 99]), 2, n_neighbors=3
    ),
    "n_neighbors=30 is out of range": lambda: spectral.isomap(X, 2, n_neighbors=30),
    "gram has the negative eigenvalue": lambda: spectral.kernel_pca(-X @ X.T, 1),
    "gram is constant": lambda: spectral.kernel_pca(torch.ones(4, 4), 1),
    "gram is not symmetric": lambda: spectral.kernel_pca(torch.triu(torch.ones(4, 4)), 1),
    "gram contains NaN": lambda: spectral.kernel_pca(torch.full((4, 4), torch.nan), 1),
    "rank 4, so choose": lambda: spectral.kernel_pca(X @ X.T, 5),
    "G relates 20 samples but there are 30": lambda: spectral.lpp(X, graph(0), 2),
    "G relates 20 samples but there are 30 ": lambda: spectral.kernel_lpp(X @ X.T, graph(0), 2),
    "labels names 29 samples": lambda: spectral.lda(X, range(29), 2),
    "labels names one class": lambda: spectral.lda(X, [1] * 30, 1),
    "there are 3 classes": lambda: spectral.lda(X, np.arange(30) % 3, 3),
    "Xa has 30 rows and Xb has 29": lambda: spectral.cca(X, X[:29], 1),
    "ranks 4 and 2": lambda: spectral.cca(X, X[:, :2], 3),
    "gram_a has 30 rows and gram_b has 4": lambda: spectral.kernel_cca(
        X @ X.T, torch.eye(4), 1, ridge=1
    ),
    "ridge must be a finite positive": lambda: spectral.kernel_cca(X @ X.T, X @ X.T, 1, ridge=0),
    "isolated": lambda: spectral.laplacian_eigenmaps(torch.diag(torch.tensor([0.0, 1, 1])), 1),
    "5 columns": lambda: spectral.pca(X, 2).transform(gaussian(3, 5)),
    "give the distances": lambda: spectral.classical_mds(torch.cdist(X, X), 2).transform(X),
    "known samples have 4": lambda: spectral.isomap(X, 2, n_neighbors=9).transform(X[:, :2]),
    "give the relations": lambda: METHODS["laplacian_eigenmaps"](X).transform(X),
    "positive relation in each": lambda: METHODS["laplacian_eigenmaps"](X).transform(0 * X @ X.T),
    "use fewer components": lambda: spectral.laplacian_eigenmaps(graph(0), 19).transform(
        graph(0) / 10
    ),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_gets_a_clear_error(message):
    with pytest.raises(ValueError, match=message.strip()):
        MISTAKES[message]()
