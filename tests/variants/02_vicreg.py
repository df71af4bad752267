"""Answers to assignment 2 as students might give them, and what each must lose.

See `01_toolbox.py` for the meaning of the names.
"""

OTHER = {
    "vicreg": """
import torch

def vicreg(Z, G, alpha, beta, gamma):
    Z, G = torch.as_tensor(Z), torch.as_tensor(G)
    C = torch.cov(Z.T, correction=0).reshape(Z.shape[1], Z.shape[1])
    own, all_ = (1 - C.diagonal()).square().sum(), C.square().sum()
    energy = (G * torch.cdist(Z, Z, compute_mode="donot_use_mm_for_euclid_dist") ** 2).sum()
    covariances = all_ - C.diagonal().square().sum()
    return alpha * own + beta * covariances + gamma / len(Z) * energy
""",
    "gradient": """
def gradient(Z, G, alpha, beta, gamma):
    Z, G = torch.as_tensor(Z), torch.as_tensor(G)
    C = torch.cov(Z.T, correction=0).reshape(Z.shape[1], Z.shape[1])
    centred = Z - Z.mean(dim=0)
    own = alpha * centred * (C.diagonal() - 1)
    others = beta * centred @ (C - torch.diag(C.diagonal()))
    differences = (G[:, :, None] * (Z[:, None] - Z)).sum(dim=1)
    return (own + others + gamma * differences) * 4 / len(Z)
""",
    "variances": """
def variances(eigenvalues, alpha, beta, gamma):
    if alpha <= beta:
        return torch.as_tensor(1 - gamma * eigenvalues / alpha).clamp(min=0)
    K = len(eigenvalues)
    p = np.zeros(K)
    for m in range(K, 0, -1):
        # the first m basins are wet: a linear system
        A = beta * np.eye(m) + (alpha - beta) / K
        p[:m] = np.linalg.solve(A, alpha - gamma * eigenvalues[:m])
        p[m:] = 0
        if p[m - 1] > 0:
            return torch.as_tensor(p)
    return torch.zeros(K)
""",
    "equal-diagonal": """
def equal_diagonal(C):
    K, mean = len(C), np.trace(C) / len(C)
    if K == 1:
        return -np.ones((1, 1))
    values, vectors = np.linalg.eigh(C)
    low, high = vectors[:, 0], vectors[:, -1]
    # between the extreme eigenvectors lies a vector with the mean as its quotient
    share = (mean - values[0]) / max(values[-1] - values[0], 1e-300)
    share = min(max(share, 0), 1)
    first = np.sqrt(1 - share) * low + np.sqrt(share) * high
    rest = np.linalg.qr(np.c_[first, np.random.randn(K, K - 1)])[0][:, 1:]
    return np.c_[first, rest @ equal_diagonal(rest.T @ C @ rest)]
""",
    "optimum": """
def optimum(G, n_components, alpha, beta, gamma):
    n, K = len(G), n_components
    basis = np.linalg.qr(np.c_[np.ones(n), np.random.randn(n, n - 1)])[0][:, 1:]
    lam, V = np.linalg.eigh(basis.T @ (np.diag(G.sum(axis=1)) - G) @ basis)
    p = torch.as_tensor(variances(lam[:K], alpha, beta, gamma))
    Z = n ** 0.5 * torch.as_tensor(basis @ V[:, :K]) * p.sqrt()
    if alpha > beta:
        turn = np.asarray(equal_diagonal(np.diag(p.numpy())))
    elif alpha == beta:
        turn = np.linalg.qr(np.random.randn(K, K))[0]
    else:
        turn = np.eye(K)[np.random.permutation(K)]
    return (Z @ torch.as_tensor(turn)).requires_grad_() + 5
""",
    "linear-optimum": """
import scipy.linalg

def linear_optimum(X, G, n_components, gamma):
    C = np.cov(X.T, bias=True)
    s, P = scipy.linalg.eigh(C)
    P, null = P[:, s > 1e-12 * s.max()], P[:, s <= 1e-12 * s.max()]
    L = np.diag(G.sum(axis=1)) - G
    inner = P.T @ X.T @ L @ X @ P / len(X)
    lam, w = scipy.linalg.eigh((inner + inner.T) / 2, P.T @ C @ P)
    p = np.clip(1 - gamma * lam[:n_components], 0, None)
    turn = np.linalg.qr(np.random.randn(n_components, n_components))[0]
    unseen = null @ np.random.randn(null.shape[1], n_components)
    return torch.as_tensor(P @ w[:, :n_components] * np.sqrt(p) @ turn + unseen)
""",
    "class-graph": """
def class_graph(labels):
    _, number = np.unique(labels, return_inverse=True)
    one_hot = torch.nn.functional.one_hot(torch.as_tensor(number)).double()
    G = one_hot / one_hot.sum(dim=0) @ one_hot.T
    return G.fill_diagonal_(0).to_sparse()
""",
    "steps": """
def steps(gamma, seed):
    L = np.diag(neighbours.sum(axis=1)) - neighbours
    lam = np.linalg.eigvalsh(L)[1:4]
    target = (1 - np.clip(1 - gamma * lam, 0, None) ** 2).sum() + 1e-4
    Z = torch.as_tensor(start(seed))
    for count in range(10_000):
        if vicreg(Z, neighbours, 1.0, 1.0, gamma) <= target:
            return torch.tensor(count)
        Z = Z - 2.4 * gradient(Z, neighbours, 1.0, 1.0, gamma)
""",
    "experiment": """
plt.plot(gammas, [steps(gamma, 0) for gamma in gammas])
plt.show()
""",
    "fastest": "fastest = np.float64(6)",
}

USUAL = {
    "fastest": OTHER["fastest"],
    "experiment": "plt.plot([1, 11], [700, 500])\nplt.show()",
}

LOSS = """
def vicreg(Z, G, alpha, beta, gamma):
    Y = Z - {}
    C = Y.T @ Y / {}
    M = np.where(np.eye(len(C)), alpha, {})
    energy = {} * (G * ((Z[:, None] - Z) ** 2).sum(axis=2)).sum()
    return (M * (C - np.eye(len(C))) ** 2).sum() + gamma * energy / len(Z)
"""
GRADIENT = """
def gradient(Z, G, alpha, beta, gamma):
    Y = Z - {}
    M = Y.T @ Y / len(Y) - np.eye(Y.shape[1])
    M = M * np.where(np.eye(len(M)), alpha, {})
    return (4 * Y @ M + {} * gamma * (G.sum(axis=1)[:, None] * Z - G @ Z)) / {}
"""
LEVEL = """
def variances(eigenvalues, alpha, beta, gamma):
    floors, K = gamma * eigenvalues, len(eigenvalues)
    if alpha <= beta:
        return np.maximum(1 - floors / {}, 0)
    weight = beta * K / (alpha - beta)
    for m in range({}, 0, -1):
        level = (floors[:m].sum() + weight * alpha) / (weight + m)
        if level > floors[m - 1]:
            break
    return np.maximum(level - floors, 0) / {}
"""
OPTIMUM = """
def optimum(G, n_components, alpha, beta, gamma):
    n, K = len(G), n_components
    lam, U = np.linalg.eigh(np.diag(G.sum(axis=1)) - G + {})
    lam, U = lam[{}], U[:, {}]
    p = np.asarray(variances(lam, alpha, beta, gamma))
    Z = {} * U * np.sqrt(p)
    return Z @ equal_diagonal(np.diag(p)) if {} else Z
"""
LINEAR = """
def linear_optimum(X, G, n_components, gamma):
    H = X - {}
    s, P = np.linalg.eigh(H.T @ H / len(X) + {} * np.eye(X.shape[1]))
    keep = s > {} * s.max()
    white = P[:, keep] / np.sqrt(s[keep])
    L = np.diag(G.sum(axis=1)) - G
    lam, y = np.linalg.eigh(white.T @ X.T @ L @ X @ white{})
    lam, y = lam[:n_components], y[:, :n_components]
    return white @ y * np.sqrt(np.maximum(1 - gamma * lam, 0))
"""
STEPS = """
def steps(gamma, seed):
    target = vicreg(optimum(neighbours, 3, 1, 1, gamma), neighbours, 1, 1, gamma) + 1e-4
    Z, count = start(seed), 0
    while vicreg(Z, neighbours, 1, 1, gamma) > target and count < 5000:
        Z = Z - {} * gradient(Z, neighbours, 1, 1, gamma)
        count += 1
    return count
"""
CENTRED = "Z.mean(axis=0)"
ALL_OPTIMA = ["test-optimum-equal", "test-optimum-parts", "test-optimum-weights"]
DIAGONAL = ["test-diagonal-orthogonal", "test-diagonal-equal"]

WRONG = {
    "constants": {
        # 1 / (N - 1)
        "vicreg": (LOSS.format(CENTRED, "(len(Z) - 1)", "beta", "1"), ["test-loss-covariance"]),
        # half the energy
        "gradient": (
            GRADIENT.format(CENTRED, "beta", "2", "len(Z)"),
            ["test-gradient", "test-gradient-weights"],
        ),
        # the weight of the variance is forgotten
        "variances": (LEVEL.format("1", "K", "beta"), ["test-variances-filter"]),
        # columns of length 1
        "optimum": (OPTIMUM.format("1", ":K", ":K", "1", "alpha > beta"), ALL_OPTIMA),
        # the energy is not divided by N
        "linear-optimum": (
            LINEAR.format("X.mean(axis=0)", "0", "1e-12", ""),
            ["test-linear-loss", "test-linear-rank"],
        ),
        # every pair of a class with the weight 1
        "class-graph": (
            "def class_graph(labels):\n    return (labels[:, None] == labels) * 1.0",
            ["test-class-graph"],
        ),
        # the step is not multiplied by N
        "steps": (STEPS.format("0.02"), ["test-steps"]),
        # the largest weight
        "fastest": ("fastest = 11", ["test-fastest"]),
        # only the first entry is right
        "equal-diagonal": (
            "def equal_diagonal(C):\n"
            "    Q = np.eye(len(C))\n"
            "    if len(C) > 1:\n"
            "        Q[:2, :2] = np.array([[1, -1], [1, 1]]) / 2**0.5\n"
            "    return Q",
            ["test-diagonal-equal"],
        ),
    },
    "indices": {
        # each pair of samples once
        "vicreg": (LOSS.format(CENTRED, "len(Z)", "beta", "0.5"), ["test-loss-invariance"]),
        # one weight for all of C
        "gradient": (
            GRADIENT.format(CENTRED, "alpha", "4", "len(Z)"),
            ["test-gradient-weights"],
        ),
        # every basin counts as wet
        "variances": (
            LEVEL.format("alpha", "K", "beta").replace("if level > floors[m - 1]:", "if True:"),
            ["test-variances-level"],
        ),
        # the constant vector is not projected out
        "optimum": (OPTIMUM.format("0", ":K", ":K", "n ** 0.5", "alpha > beta"), ALL_OPTIMA),
        # off by one: the most invariant direction is left out
        "linear-optimum": (
            LINEAR.format("X.mean(axis=0)", "0", "1e-12", " / len(X)").replace(
                "lam, y = lam[:n_components], y[:, :n_components]",
                "lam, y = lam[-n_components:], y[:, -n_components:]",
            ),
            ["test-linear-loss"],
        ),
        # a shorter step
        "steps": (STEPS.format("2.0"), ["test-steps"]),
        # a permutation is no rotation to equal entries
        "equal-diagonal": (
            "def equal_diagonal(C):\n    return np.eye(len(C))[::-1]",
            ["test-diagonal-equal"],
        ),
    },
    "carelessness": {
        # the mean is not removed
        "vicreg": (LOSS.format("0", "len(Z)", "beta", "1"), ["test-loss-covariance"]),
        "gradient": (
            GRADIENT.format("0", "beta", "4", "len(Z)"),
            ["test-gradient", "test-gradient-weights"],
        ),
        # depths are not divided by beta
        "variances": (LEVEL.format("alpha", "K", "1"), ["test-variances-level"]),
        # drops the first eigenvector, which is not constant if the graph has several parts
        "optimum": (
            OPTIMUM.format("0", "1:K + 1", "1:K + 1", "n ** 0.5", "alpha > beta"),
            ["test-optimum-parts"],
        ),
        # a ridge in place of the rank
        "linear-optimum": (
            LINEAR.format("X.mean(axis=0)", "1e-9", "-1", " / len(X)"),
            ["test-linear-rank"],
        ),
        # as if all classes were of one size
        "class-graph": (
            "def class_graph(labels):\n"
            "    same = labels[:, None] == labels\n"
            "    return same * len(np.unique(labels)) / len(labels)",
            ["test-class-graph"],
        ),
        # equal entries, but no orthogonal matrix
        "equal-diagonal": (
            "def equal_diagonal(C):\n    return 0.0 * C",
            DIAGONAL,
        ),
    },
    "harm": {
        # does not parse
        "vicreg": (
            "def vicreg(Z, G alpha, beta, gamma):",
            ["test-loss-covariance", "test-loss-invariance"],
        ),
        # never ends
        "gradient": (
            "import time\n\n"
            "def gradient(Z, G, alpha, beta, gamma):\n"
            "    while alpha != beta:\n"
            "        time.sleep(0.1)\n"
            + GRADIENT.format(CENTRED, "beta", "4", "len(Z)").partition("gamma):\n")[2],
            ["test-gradient-weights"],
        ),
        # asks for more memory than there is
        "equal-diagonal": (
            "def equal_diagonal(C):\n    return np.ones((10**5, 10**5))",
            DIAGONAL,
        ),
        # one rotation for all weights
        "optimum": (
            OPTIMUM.format("2", ":K", ":K", "n ** 0.5", "False"),
            ["test-optimum-weights"],
        ),
        # raises
        "linear-optimum": (
            "def linear_optimum(X, G, n_components, gamma):\n    return 1 / 0",
            ["test-linear-loss", "test-linear-rank"],
        ),
        # a NaN
        "variances": (
            "def variances(eigenvalues, alpha, beta, gamma):\n"
            "    return eigenvalues * float('nan')",
            ["test-variances-filter", "test-variances-level"],
        ),
    },
}

# Cells that the student of `harm` deletes without loss, answers that are lost with their
# cells, and tests that are tampered with in vain.
DELETED = ["test-optimum-parts", "tools", "stationary"]
LOST = {"class-graph": ["test-class-graph"]}
TAMPERED = ["test-diagonal-equal", "test-loss-covariance", "setup"]
