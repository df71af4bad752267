"""Classical methods beside scikit-learn and cca-zoo."""

import torch
from cases import OURS, Case, angle
from sklearn import cross_decomposition, decomposition, discriminant_analysis, manifold

from spectral_ssl import spectral


def normal(n, d, seed=0):
    """Samples whose directions have variances of their own."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return X * torch.linspace(3, 1, d, dtype=torch.float64)


def embedding(method, *arguments, **options):
    return lambda: method(*arguments, **options).embedding.numpy()


def pca(n, d):
    X = normal(n, d)
    peer = decomposition.PCA(n_components=4)
    return {
        OURS: embedding(spectral.pca, X, 4),
        "scikit-learn": lambda: peer.fit_transform(X.numpy()),
    }


def kernel_pca(n, d):
    X = normal(n, d) / d**0.5
    gram = torch.exp(-torch.cdist(X, X).square() / 20)
    peer = decomposition.KernelPCA(n_components=4, kernel="precomputed", random_state=0)
    return {
        OURS: embedding(spectral.kernel_pca, gram, 4),
        "scikit-learn": lambda: peer.fit_transform(gram.numpy()),
    }


def classical_mds(n, d):
    X = normal(n, d)
    distances = torch.cdist(X, X)
    peer = manifold.ClassicalMDS(n_components=4, metric="precomputed")
    return {
        OURS: embedding(spectral.classical_mds, distances, 4),
        "scikit-learn": lambda: peer.fit_transform(distances.numpy()),
    }


def isomap(n, d):
    X = normal(n, d)
    peer = manifold.Isomap(n_neighbors=10, n_components=2, eigen_solver="dense")
    return {
        OURS: embedding(spectral.isomap, X, 2, n_neighbors=10),
        "scikit-learn": lambda: peer.fit_transform(X.numpy()),
    }


def lda(n, d):
    labels = torch.arange(n) % 5
    X = normal(n, d) + 2 * normal(5, d, seed=1)[labels]
    peer = discriminant_analysis.LinearDiscriminantAnalysis(solver="eigen", n_components=4)
    return {
        OURS: embedding(spectral.lda, X, labels, 4),
        "scikit-learn": lambda: peer.fit(X.numpy(), labels.numpy()).transform(X.numpy()),
    }


def cca(n, d):
    from cca_zoo.linear import CCA as ClosedFormCCA

    Xa, noise = normal(n, d), normal(n, d, seed=1)
    Xb = Xa + torch.linspace(0.2, 3, d, dtype=torch.float64) * noise
    arrays = Xa.numpy(), Xb.numpy()
    iterative = cross_decomposition.CCA(n_components=4, tol=1e-12, max_iter=5000)
    return {
        OURS: embedding(spectral.cca, Xa, Xb, 4),
        "scikit-learn": lambda: iterative.fit(*arrays).transform(arrays[0]),
        "cca-zoo": lambda: ClosedFormCCA(4).fit(arrays).transform(arrays)[0],
    }


TALL, SQUARE = [(2000, 20), (10000, 50), (20000, 100)], [(500, 20), (1000, 20), (2000, 20)]
CASES = [
    Case("PCA", "N x D", TALL, (100, 8), pca, angle),
    Case("Kernel PCA", "N x D", SQUARE, (100, 8), kernel_pca, angle),
    Case("Classical MDS", "N x D", SQUARE, (100, 8), classical_mds, angle),
    Case("ISOMAP", "N x D", [(500, 3), (1000, 3), (2000, 3)], (150, 3), isomap, angle),
    Case("LDA", "N x D", TALL, (100, 8), lda, angle),
    Case("CCA", "N x D", [(2000, 10), (5000, 20), (20000, 40)], (200, 6), cca, angle),
]
