"""Answers to assignment 1 as students might give them, and what each must lose.

`OTHER` answers every question rightly in another way. `WRONG` has one student a line of
thought, with at most one mistake a function, and the tests that fail because of it.
`USUAL` stands in for answers that these students need and do not give.
"""

OTHER = {
    "graph-of-pairs": """
import torch

def graph_of_pairs(pairs, weights, n_samples):
    i, j = torch.as_tensor(pairs).T
    G = torch.zeros(n_samples, n_samples, dtype=torch.float64)
    G.index_put_((i, j), torch.as_tensor(weights), accumulate=True)
    return (G + G.T).to_sparse()
""",
    "energy": """
from tqdm import tqdm

def energy(Z, G):
    return sum(G[i, j] * ((Z[i] - Z[j]) ** 2).sum()
               for i in tqdm(range(len(Z))) for j in range(len(Z)))
""",
    "smoothest": """
def smoothest(G, n_components):
    n = len(G)
    basis = np.linalg.qr(np.c_[np.ones(n), np.random.randn(n, n - 1)])[0][:, 1:]
    L = np.diag(G.sum(axis=1)) - G
    _, vectors = np.linalg.eigh(basis.T @ L @ basis)
    U = torch.as_tensor(basis @ vectors[:, :n_components])
    turn = torch.linalg.qr(torch.randn(n_components, n_components, dtype=torch.float64))[0]
    return (U @ turn).requires_grad_()
""",
    "psd-factor": """
def psd_factor(G, n_components):
    U, s, Vt = np.linalg.svd(G)
    sign = np.sign(np.sum(U * Vt.T, axis=0))
    order = np.argsort(-s * sign)[:n_components]
    Z = U[:, order] * np.sqrt(np.clip(s * sign, 0, None)[order])
    return Z @ np.linalg.qr(np.random.randn(n_components, n_components))[0]
""",
    "whiten": """
def whiten(X):
    H = X - X.mean(axis=0)
    mu, V = np.linalg.eigh(H @ H.T)
    return -np.sqrt(len(X)) * V[:, mu > 1e-12 * mu.max()] + 7
""",
    "mds": """
def classical_mds(distances, n_components):
    n = len(distances)
    H = torch.eye(n, dtype=torch.float64) - 1 / n
    B = -0.5 * H @ torch.as_tensor(distances) ** 2 @ H
    mu, Q = torch.linalg.eigh((B + B.T) / 2)
    Z = (Q * mu.clamp(min=0).sqrt()).flip(1)[:, :n_components]
    return -(Z - Z.mean(dim=0))
""",
    "accuracy": """
def accuracy(share, seed):
    from sklearn.neighbors import NearestCentroid
    U = np.asarray(smoothest(with_wrong_pairs(share, seed), 2).detach()
                   if hasattr(smoothest(np.ones((4, 4)), 2), "detach")
                   else smoothest(with_wrong_pairs(share, seed), 2))
    return torch.tensor(NearestCentroid().fit(U, digit).score(U, digit))
""",
    "experiment": """
plt.plot([0, 0.4], [1, 0.7])
plt.show()
""",
    "breakdown": "breakdown = np.float32(0.4)",
}

USUAL = {"breakdown": OTHER["breakdown"]}

SMOOTHEST = """
def smoothest(G, n_components):
    L = np.diag(G.sum(axis=1)) - G
    return np.linalg.eigh(L)[1][:, {}]
"""
FACTOR = """
def psd_factor(G, n_components):
    mu, Q = np.linalg.eigh(G)
    best = np.argsort({})[::-1][:n_components]
    return Q[:, best] * {}
"""
WHITEN = """
def whiten(X):
    H = X - X.mean(axis=0)
    s, V = np.linalg.eigh(H.T @ H / {})
    keep = s > {} * s.max()
    return H @ V[:, keep] / np.sqrt(s[keep]{})
"""
MDS = """
def classical_mds(distances, n_components):
    H = np.eye(len(distances)) - 1 / len(distances)
    mu, Q = np.linalg.eigh({} * H @ distances**{} @ H)
    mu, Q = mu[::-1][:n_components], Q[:, ::-1][:, :n_components]
    return Q * np.sqrt({})
"""

WRONG = {
    "constants": {
        # each pair counts in one direction only
        "energy": (
            "def energy(Z, G):\n"
            "    Z = Z - Z.mean(axis=0)\n"
            "    return np.trace(Z.T @ (np.diag(G.sum(axis=1)) - G) @ Z)",
            ["test-energy"],
        ),
        # the constant vector is not projected out
        "smoothest": (
            SMOOTHEST.format(":n_components"),
            ["test-smoothest-ones", "test-smoothest-trace", "test-smoothest-parts"],
        ),
        # no square root
        "psd-factor": (
            FACTOR.format("mu", "np.maximum(mu[best], 0)"),
            ["test-factor-positive", "test-factor-indefinite"],
        ),
        # 1 / (N - 1)
        "whiten": (WHITEN.format("(len(X) - 1)", "1e-12", ""), ["test-whiten-covariance"]),
        # distances not squared
        "mds": (
            MDS.format("-0.5", "1", "np.maximum(mu, 0)"),
            ["test-mds-euclidean", "test-mds-curved"],
        ),
        # a pair that is listed again replaces its weight
        "graph-of-pairs": (
            "def graph_of_pairs(pairs, weights, n_samples):\n"
            "    G = np.zeros((n_samples, n_samples))\n"
            "    for (i, j), w in zip(pairs, weights):\n"
            "        G[i, j] = G[j, i] = w\n"
            "    return G",
            ["test-pairs-repeated"],
        ),
        # not the smallest share, but the one before
        "breakdown": ("breakdown = 0.3", ["test-breakdown"]),
    },
    "indices": {
        # the mean is not removed, so digits cancel
        "energy": (
            "def energy(Z, G):\n"
            "    return 2 * np.trace(Z.T @ (np.diag(G.sum(axis=1)) - G) @ Z)",
            ["test-energy-shift"],
        ),
        # off by one: skips the smoothest direction, and has too few columns for K = N - 1
        "smoothest": (
            SMOOTHEST.format("2:n_components + 2"),
            ["test-smoothest-frame", "test-smoothest-trace", "test-smoothest-parts"],
        ),
        # largest in absolute value
        "psd-factor": (
            FACTOR.format("abs(mu)", "np.sqrt(abs(mu[best]))"),
            ["test-factor-indefinite"],
        ),
        # a ridge in place of the rank
        "whiten": (WHITEN.format("len(X)", "-1", " + 1e-9"), ["test-whiten-rank"]),
        # the sign of B
        "mds": (
            MDS.format("0.5", "2", "np.maximum(mu, 0)"),
            ["test-mds-euclidean", "test-mds-curved"],
        ),
        # each pair in one direction only
        "graph-of-pairs": (
            "def graph_of_pairs(pairs, weights, n_samples):\n"
            "    G = np.zeros((n_samples, n_samples))\n"
            "    np.add.at(G, (pairs[:, 0], pairs[:, 1]), weights)\n"
            "    return G",
            ["test-pairs-once", "test-pairs-repeated"],
        ),
        # measures nothing
        "accuracy": ("def accuracy(share, seed):\n    return 1 / 3 + share", ["test-accuracy"]),
    },
    "carelessness": {
        # drops the first eigenvector, which is not constant if the graph has several parts
        "smoothest": (SMOOTHEST.format("1:n_components + 1"), ["test-smoothest-parts"]),
        # one column too many
        "psd-factor": (
            "def psd_factor(G, n_components):\n"
            "    mu, Q = np.linalg.eigh(G)\n"
            "    best = slice(max(len(G) - n_components - 1, 0), None)\n"
            "    return Q[:, best] * np.sqrt(np.maximum(mu[best], 0))",
            ["test-factor-positive", "test-factor-indefinite"],
        ),
        # negative eigenvalues under the square root
        "mds": (MDS.format("-0.5", "2", "mu + 1e-15"), ["test-mds-curved"]),
        # whitens without centring
        "whiten": (
            "def whiten(X):\n"
            "    U, s, _ = np.linalg.svd(X, full_matrices=False)\n"
            "    return np.sqrt(len(X)) * U[:, s > 1e-8 * s[0]]",
            ["test-whiten-covariance", "test-whiten-rank"],
        ),
    },
    "harm": {
        # does not parse
        "graph-of-pairs": (
            "def graph_of_pairs(pairs, weights n_samples):",
            ["test-pairs-once", "test-pairs-repeated"],
        ),
        # never ends
        "energy": (
            "import time\n\n"
            "def energy(Z, G):\n"
            "    while abs(Z.mean()) > 100:\n"
            "        time.sleep(0.1)\n"
            "    return 2 * np.trace(Z.T @ (np.diag(G.sum(axis=1)) - G) @ Z)",
            ["test-energy-shift"],
        ),
        # asks for more memory than there is
        "psd-factor": (
            "def psd_factor(G, n_components):\n    return np.ones((10**5, 10**5))",
            ["test-factor-positive", "test-factor-indefinite"],
        ),
        # columns of length N instead of 1
        "smoothest": (
            "def smoothest(G, n_components):\n"
            "    L = np.diag(G.sum(axis=1)) - G + 1e3\n"
            "    return len(G) ** 0.5 * np.linalg.eigh(L)[1][:, :n_components]",
            ["test-smoothest-frame"],
        ),
        # raises
        "whiten": (
            "def whiten(X):\n    return 1 / 0",
            ["test-whiten-covariance", "test-whiten-rank"],
        ),
    },
}

# Cells that the student of `harm` deletes without loss, answers that are lost with their
# cells, and tests that are tampered with in vain.
DELETED = ["test-mds-curved", "tools", "cut-bound"]
LOST = {"accuracy": ["test-accuracy"]}
TAMPERED = ["test-whiten-rank", "test-factor-positive", "setup"]
