"""Answers to assignment 3 as students might give them, and what each must lose.

See `01_toolbox.py` for the meaning of the names.
"""

OTHER = {
    "estimated-graph": """
import torch

def estimated_graph(S, tau, self_pairs):
    logits = torch.as_tensor(S) / tau
    if not self_pairs:
        logits = logits.masked_fill(torch.eye(len(S), dtype=torch.bool), -torch.inf)
    return torch.softmax(logits, dim=1).requires_grad_()
""",
    "temperature": """
from scipy.optimize import brentq

def temperature(similarities, perplexity):
    s = (similarities - similarities.mean()) / similarities.std()

    def excess(u):
        p = torch.softmax(torch.as_tensor(s) * np.exp(-u), dim=0)
        return float(torch.exp(torch.special.entr(p).sum())) - perplexity

    return torch.tensor(similarities.std() * np.exp(brentq(excess, -20, 20)))
""",
    "simclr": """
def simclr(Z, Gamma, tau):
    Z, Gamma = torch.as_tensor(Z), torch.as_tensor(Gamma)
    loss = 0
    for i in range(len(Z)):
        others = [j for j in range(len(Z)) if j != i]
        logits = Z[others] @ Z[i] / tau
        loss = loss - Gamma[i, others] @ torch.log_softmax(logits, dim=0)
    return loss / len(Z)
""",
    "gradient": """
def gradient(Z, Gamma, tau):
    Z = torch.as_tensor(Z).clone().requires_grad_()
    return torch.autograd.grad(simclr(Z, Gamma, tau), Z)[0]
""",
    "relations-of": """
def relations_of(distances):
    D = torch.as_tensor(distances) ** 2
    u = D.mean(dim=0) / 2
    G = u + u[:, None] - D / 2
    return G - G.min() + 0.001 * D.mean()
""",
    "linear-optimum": """
import scipy.linalg

def linear_optimum(X, G, n_components):
    s, V = np.linalg.eigh(X.T @ X)
    V, null = V[:, s > 1e-12 * s.max()], V[:, s <= 1e-12 * s.max()]
    C = V.T @ X.T @ X @ V
    mu, y = scipy.linalg.eigh(V.T @ X.T @ G @ X @ V, C)
    mu, y = mu[::-1][:n_components].clip(0), y[:, ::-1][:, :n_components]
    turn = np.linalg.qr(np.random.randn(n_components, n_components))[0]
    unseen = null @ np.random.randn(null.shape[1], n_components)
    return torch.as_tensor(V @ (y * mu**0.5) @ turn + unseen)
""",
    "without-diagonal": """
from scipy.optimize import minimize

def without_diagonal(G, n_components):
    n, mask = len(G), 1 - np.eye(len(G))
    size = (mask * G**2).sum()

    def loss(z):
        Z = z.reshape(n, n_components)
        R = mask * (G - Z @ Z.T)
        return (R**2).sum() / size, -4 * (R @ Z).ravel() / size

    Z = factor(G * mask, n_components) + 1e-3 * np.random.randn(n, n_components)
    options = {"maxiter": 5000, "maxfun": 10**5, "ftol": 1e-15, "gtol": 1e-9}
    best = minimize(loss, Z.ravel(), jac=True, method="L-BFGS-B", options=options).x
    return torch.as_tensor(best.reshape(n, n_components))
""",
    "overlap": """
def overlap(strength, seed, diagonal):
    from scipy.linalg import subspace_angles
    G = with_own_pixels(strength, seed)
    Z = torch.as_tensor(factor(G, 3)) if diagonal else without_diagonal(G, 3).clone()
    return torch.tensor(np.cos(subspace_angles(Z, factor(clean, 3))) ** 2).mean()
""",
    "experiment": """
plt.plot(strengths, [overlap(strength, 0, True) for strength in strengths])
plt.show()
""",
    "breakdown": "breakdown = np.int64(4)",
}

USUAL = {
    "breakdown": OTHER["breakdown"],
    "experiment": "plt.plot([0, 8], [1, 0.3])\nplt.show()",
}

ESTIMATE = """
def estimated_graph(S, tau, self_pairs):
    weights = np.exp((S - {}) / tau)
    if not self_pairs:
        np.fill_diagonal(weights, {})
    return weights / weights.sum(axis={}, keepdims=True)
"""
STABLE = "S.max(axis=1, keepdims=True)"
TEMPERATURE = """
def temperature(similarities, perplexity):
    s = similarities - similarities.max()
    low, high = {}
    for _ in range(200):
        tau = {}
        p = np.exp(s / tau)
        p = p / p.sum()
        entropy = -(p * np.log(np.maximum(p, 1e-300))).sum()
        if np.exp(entropy{}) < perplexity:
            low = tau
        else:
            high = tau
    return {}
"""
WIDE, MIDDLE = "1e-9 * np.ptp(s), 1e9 * np.ptp(s)", "np.sqrt(low * high)"
SIMCLR = """
def simclr(Z, Gamma, tau):
    S = Z @ Z.T / tau
    weights = np.exp(S){}
    logs = S - np.log(weights.sum(axis=1, keepdims=True))
    np.fill_diagonal(logs, 0)
    return {} * (Gamma * logs).sum() / {}
"""
ALONE = " * (1 - np.eye(len(Z)))"
GRADIENT = """
def gradient(Z, Gamma, tau):
    Gamma = Gamma - np.diag(np.diag(Gamma))
    P = np.exp(Z @ Z.T / tau) * {}
    P = P / P.sum(axis=1, keepdims=True)
    A = Gamma - {} * P
    return {} * ({}) @ Z / (len(Z) * tau)
"""
RELATIONS = """
def relations_of(distances):
    H = np.eye(len(distances)) - 1 / len(distances)
    B = {} * H @ distances**{} @ H
    return B {}
"""
LINEAR = """
def linear_optimum(X, G, n_components):
    X = X - {}
    E, s, Vt = np.linalg.svd(X, full_matrices=False)
    keep = s > {} * s[0]
    E, s, V = E[:, keep], s[keep], Vt[keep].T
    mu, y = np.linalg.eigh(E.T @ G @ E)
    mu, y = mu[::-1][{}], y[:, ::-1][:, {}]
    return V / s @ (y * {})
"""
FIRST, ROOT = ":n_components", "np.sqrt(np.maximum(mu, 0))"
WITHOUT = """
def without_diagonal(G, n_components):
    G = G.copy()
    {}
    Z = factor(G, n_components)
    for _ in range({}):
        np.fill_diagonal(G, {})
        Z = factor(G, n_components)
    return Z
"""
OVERLAP = """
def overlap(strength, seed, diagonal):
    G = with_own_pixels(strength, seed)
    Z = factor(G, 3) if {} else np.asarray(without_diagonal(G, 3))
    P, Q = (np.linalg.qr(A)[0] for A in (Z, factor(clean, 3)))
    return {}
"""
BOTH = {
    "estimate": ["test-estimate", "test-estimate-large"],
    "temperature": ["test-temperature", "test-temperature-units"],
    "gradient": ["test-gradient", "test-gradient-directed"],
    "linear": ["test-linear-loss", "test-linear-rank"],
    "diagonal": ["test-diagonal-exact", "test-diagonal-noise"],
}

WRONG = {
    "constants": {
        # columns sum to one
        "estimated-graph": (ESTIMATE.format(STABLE, "0", "0"), BOTH["estimate"]),
        # 2 to the entropy
        "temperature": (
            TEMPERATURE.format(WIDE, MIDDLE, " * np.log(2)", "tau"),
            BOTH["temperature"],
        ),
        # the mean over pairs
        "simclr": (SIMCLR.format(ALONE, "-1", "Gamma.sum()"), ["test-simclr"]),
        # half of the gradient
        "gradient": (
            GRADIENT.format("(1 - np.eye(len(Z)))", "Gamma.sum(axis=1)[:, None]", "-0.5", "A + A.T"),
            BOTH["gradient"],
        ),
        # distances not squared
        "relations-of": (
            RELATIONS.format("-0.5", "1", "+ np.abs(B).max() + 1"),
            ["test-relations-distances"],
        ),
        # no square root
        "linear-optimum": (
            LINEAR.format("0", "1e-6", FIRST, FIRST, "np.maximum(mu, 0)"),
            BOTH["linear"],
        ),
        # the diagonal is set to zero, once
        "without-diagonal": (
            WITHOUT.format("np.fill_diagonal(G, 0)", "0", "0"),
            BOTH["diagonal"],
        ),
        # cosines not squared
        "overlap": (
            OVERLAP.format("diagonal", "np.linalg.norm(P.T @ Q, 'nuc') / 3"),
            ["test-overlap"],
        ),
        # the step before
        "breakdown": ("breakdown = 2", ["test-breakdown"]),
    },
    "indices": {
        # a sample is its own candidate
        "estimated-graph": (
            ESTIMATE.format(STABLE, "np.diag(weights)", "1"),
            BOTH["estimate"],
        ),
        # the inverse temperature
        "temperature": (
            TEMPERATURE.format(WIDE, MIDDLE, "", "1 / tau"),
            BOTH["temperature"],
        ),
        # self-pairs in the denominator
        "simclr": (SIMCLR.format("", "-1", "len(Z)"), ["test-simclr"]),
        # the formula for symmetric relations
        "gradient": (
            GRADIENT.format(
                "(1 - np.eye(len(Z)))", "Gamma.sum(axis=1)[:, None]", "-2", "Gamma - (Gamma - A + (Gamma - A).T) / 2"
            ),
            ["test-gradient-directed"],
        ),
        # negative relations
        "relations-of": (
            RELATIONS.format("-0.5", "2", "+ 0.01 * np.abs(B).max()"),
            ["test-relations-degrees"],
        ),
        # off by one: the first direction is left out
        "linear-optimum": (
            LINEAR.format("0", "1e-6", "1:n_components + 1", "1:n_components + 1", ROOT),
            BOTH["linear"],
        ),
        # the same number on the whole diagonal
        "without-diagonal": (
            WITHOUT.format("np.fill_diagonal(G, 0)", "50", "(Z**2).sum() / len(Z)"),
            BOTH["diagonal"],
        ),
        # always without the diagonal
        "overlap": (
            OVERLAP.format("False", "((P.T @ Q) ** 2).sum() / 3"),
            ["test-overlap"],
        ),
    },
    "carelessness": {
        # overflows
        "estimated-graph": (ESTIMATE.format("0", "0", "1"), ["test-estimate-large"]),
        # a fixed range of temperatures
        "temperature": (
            TEMPERATURE.format("1e-4, 100", "(low + high) / 2", "", "tau"),
            ["test-temperature-units"],
        ),
        # the sign
        "gradient": (
            GRADIENT.format("(1 - np.eye(len(Z)))", "Gamma.sum(axis=1)[:, None]", "1", "A + A.T"),
            BOTH["gradient"],
        ),
        # distances kept, but no equal degrees
        "relations-of": (
            "def relations_of(distances):\n"
            "    squares = distances**2\n"
            "    return (squares.max() - squares) / 2",
            ["test-relations-degrees"],
        ),
        # centres the inputs
        "linear-optimum": (
            LINEAR.format("X.mean(axis=0)", "1e-6", FIRST, FIRST, ROOT),
            BOTH["linear"],
        ),
        # keeps the diagonal
        "without-diagonal": (WITHOUT.format("pass", "0", "0"), BOTH["diagonal"]),
    },
    "harm": {
        # does not parse
        "estimated-graph": ("def estimated_graph(S, tau self_pairs):", BOTH["estimate"]),
        # never ends
        "temperature": (
            "import time\n\n"
            "def temperature(similarities, perplexity):\n"
            "    while similarities.max() > 50:\n"
            "        time.sleep(0.1)\n"
            + TEMPERATURE.format(WIDE, MIDDLE, "", "tau").partition("perplexity):\n")[2],
            ["test-temperature-units"],
        ),
        # asks for more memory than there is
        "without-diagonal": (
            "def without_diagonal(G, n_components):\n    return np.ones((10**5, 10**5))",
            BOTH["diagonal"],
        ),
        # divides by the smallest singular value, which is zero
        "linear-optimum": (
            LINEAR.format("0", "-1", FIRST, FIRST, "np.sqrt(abs(mu))"),
            BOTH["linear"],
        ),
        # raises
        "gradient": ("def gradient(Z, Gamma, tau):\n    return 1 / 0", BOTH["gradient"]),
        # a NaN
        "overlap": (
            "def overlap(strength, seed, diagonal):\n    return float('nan')",
            ["test-overlap"],
        ),
    },
}

# Cells that the student of `harm` deletes without loss, answers that are lost with their
# cells, and tests that are tampered with in vain.
DELETED = ["test-gradient", "tools", "descent"]
LOST = {"relations-of": ["test-relations-distances", "test-relations-degrees"]}
TAMPERED = ["test-linear-rank", "test-estimate", "setup"]
