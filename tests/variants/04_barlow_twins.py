"""Answers to assignment 4 as students might give them, and what each must lose.

`OTHER` answers every question rightly in another way. `WRONG` has one student a line of
thought, with at most one mistake a function, and the tests that fail because of it.
`USUAL` stands in for answers that these students need and do not give.
"""

OTHER = {
    "correlation": """
def correlation(Za, Zb):
    Z, W = torch.as_tensor(np.vstack([Za, Zb])), torch.as_tensor(np.vstack([Zb, Za]))
    flat = (Z - Z.mean(0)).std(0, correction=0) <= 1e-12 * Z.abs().amax(0)
    Z, W = ((A - A.mean(0)) / A.std(0, correction=0) for A in (Z, W))
    C = Z.T @ W / len(Z)
    C[flat], C[:, flat] = 0, 0
    return C.requires_grad_()
""",
    # differences of the members instead of products
    "canonical": """
def canonical(Xa, Xb):
    X = torch.as_tensor(np.vstack([Xa, Xb]))
    X = X - X.mean(dim=0)
    s, V = torch.linalg.eigh(X.T @ X)
    W = V[:, s > 1e-12 * s[-1]] / s[s > 1e-12 * s[-1]].sqrt()
    apart = (X[:len(Xa)] - X[len(Xa):]) @ W
    return 1 - torch.linalg.svdvals(apart.T @ apart).flip(0)
""",
    # turns all pairs of columns until the diagonal is even
    "whitened": """
def whitened(M, n_components, redundancy):
    rho, Y = torch.linalg.eigh(-torch.as_tensor(M))
    M, T = torch.as_tensor(M), Y[:, :n_components]
    for _ in range(60 if redundancy < 1 else 0):
        for i in range(n_components):
            for j in range(i):
                u, v = T[:, i].clone(), T[:, j].clone()
                a, b, c = u @ M @ u, v @ M @ v, u @ M @ v
                t = torch.atan2(b - a, 2 * c) / 2
                T[:, i], T[:, j] = t.cos() * u + t.sin() * v, t.cos() * v - t.sin() * u
    return T
""",
    "value-and-gradient": """
def value_and_gradient(T, M, redundancy):
    T = torch.tensor(T, requires_grad=True)
    U = T / T.norm(dim=0)
    C = U.T @ torch.as_tensor(M) @ U
    eye = torch.eye(len(C), dtype=C.dtype)
    value = ((eye - C) ** 2 * (redundancy + (1 - redundancy) * eye)).sum()
    value.backward()
    return value, T.grad
""",
    "effective-rank": """
def effective_rank(Z):
    from scipy.stats import entropy
    H = Z - Z.mean(axis=0)
    return torch.tensor(np.exp(entropy(np.linalg.svd(H)[1])))
""",
    "directions": """
def directions(n_columns, redundancy, seed):
    T = train(n_columns, redundancy, seed)
    s = np.linalg.eigvalsh(T @ T.T)
    return torch.tensor((s > 0.0025 * s[-1]).sum())
""",
    "experiment": """
plt.plot([0.003, 0.02], [4, 8])
plt.show()
""",
    "least-weight": "least_weight = {8: np.float32(0.002), 32: torch.tensor(0.0006)}",
}

USUAL = {"least-weight": OTHER["least-weight"]}

CORRELATION = """
def correlation(Za, Zb):
    rows = np.concatenate([Za, Zb])
    {}
    std = rows.std(axis=0)
    scale = np.maximum(std, 1e-12)
    cross = (Za / scale).T @ (Zb / scale) / len(Za)
    {}
    return cross
"""
CONSTANT = "cross[:, std < 1e-14] = cross[std < 1e-14] = 0"
CANONICAL = """
def canonical(Xa, Xb):
    n, rows = len(Xa), np.concatenate([Xa, Xb])
    rows = rows - rows.mean(axis=0)
    _, s, Vt = np.linalg.svd({}, full_matrices=False)
    keep = s > 1e-6 * s[0]
    E = rows @ Vt[keep].T / s[keep]
    cross = E[:n].T @ E[n:]
    rho = np.linalg.eigvalsh(cross + cross.T)
    return {}
"""
WHITENED = """
def whitened(M, n_components, redundancy):
    return np.linalg.eigh({}M)[1][:, :n_components]
"""
VALUE = """
def value_and_gradient(T, M, redundancy):
    length = np.linalg.norm(T, axis=0)
    U = T / length
    C = U.T @ M @ U
    d = np.diag(C)
    B = redundancy * (C - {} * np.diag(d)) + np.diag(d - 1)
    value = ((1 - d) ** 2).sum() + redundancy * ((C**2).sum() - {} * (d**2).sum())
    slope = {} * M @ U @ B
    return value, {}
"""
PROJECTED = "(slope - U * (U * slope).sum(axis=0)) / length"
RANK = """
def effective_rank(Z):
    s = np.linalg.svd(Z{}, compute_uv=False){}
    p = s[s > 0] / s.sum()
    return np.exp(-(p * {}(p)).sum())
"""
DIRECTIONS = """
def directions(n_columns, redundancy, seed):
    s = np.linalg.svd(train(n_columns, redundancy, seed), compute_uv=False)
    return {}
"""

WRONG = {
    "constants": {
        # each view has its own mean
        "correlation": (
            CORRELATION.format(
                "Za, Zb = Za - Za.mean(axis=0), Zb - Zb.mean(axis=0)\n"
                "    rows = np.concatenate([Za, Zb])",
                f"cross = (cross + cross.T) / 2\n    {CONSTANT}",
            ),
            ["test-correlation-means"],
        ),
        # no signs
        "canonical": (
            CANONICAL.format("rows", "np.sort(abs(rho))[::-1]"),
            ["test-canonical-sign"],
        ),
        # canonical directions for every weight
        "whitened": (WHITENED.format("-"), ["test-whitened-small"]),
        # each column is paired with itself
        "value-and-gradient": (VALUE.format(0, 0, 4, PROJECTED), ["test-value"]),
        # not centred
        "effective-rank": (RANK.format("", "", "np.log"), ["test-erank-hard"]),
        # 5 % of the variance
        "directions": (
            DIRECTIONS.format("(s**2 > 0.05 * s[0] ** 2).sum()"),
            ["test-directions"],
        ),
        # a rule of thumb in place of a measurement
        "least-weight": ("least_weight = {8: 1 / 8, 32: 1 / 32}", ["test-least-weight"]),
    },
    "indices": {
        # one order only
        "correlation": (
            CORRELATION.format(
                "m = rows.mean(axis=0)\n    Za, Zb, rows = Za - m, Zb - m, rows - m", CONSTANT
            ),
            ["test-correlation"],
        ),
        # a ridge in place of the rank
        "canonical": (
            "def canonical(Xa, Xb):\n"
            "    rows = np.concatenate([Xa, Xb]) - (Xa + Xb).mean(axis=0) / 2\n"
            "    n, S = len(Xa), rows.T @ rows + 1e-9 * np.eye(rows.shape[1])\n"
            "    half = np.linalg.inv(np.linalg.cholesky(S))\n"
            "    cross = half @ rows[:n].T @ rows[n:] @ half.T\n"
            "    return np.linalg.eigvalsh(cross + cross.T)[::-1]",
            ["test-canonical-rank"],
        ),
        # an even diagonal for every weight
        "whitened": (
            OTHER["whitened"].replace("if redundancy < 1 else 0", ""),
            ["test-whitened-large"],
        ),
        # forgets that the length of a column moves too
        "value-and-gradient": (VALUE.format(1, 1, 4, "slope / length"), ["test-gradient-free"]),
        # variances in place of singular values
        "effective-rank": (RANK.format(" - Z.mean(axis=0)", " ** 2", "np.log"), ["test-erank"]),
        # counts rounding, too
        "directions": (
            "def directions(n_columns, redundancy, seed):\n"
            "    return np.linalg.matrix_rank(train(n_columns, redundancy, seed))",
            ["test-directions"],
        ),
    },
    "carelessness": {
        # divides by a deviation of zero
        "correlation": (
            CORRELATION.replace("np.maximum(std, 1e-12)", "std").format(
                "m = rows.mean(axis=0)\n    Za, Zb, rows = Za - m, Zb - m, rows - m",
                "cross = (cross + cross.T) / 2",
            ),
            ["test-correlation-constant"],
        ),
        # whitens by the first view
        "canonical": (
            CANONICAL.format("rows[:n]", "rho[::-1] / 2"),
            ["test-canonical", "test-canonical-rank"],
        ),
        # the wrong end of the spectrum
        "whitened": (WHITENED.format(""), ["test-whitened-large", "test-whitened-small"]),
        # half of the gradient
        "value-and-gradient": (
            VALUE.format(1, 1, 2, PROJECTED),
            ["test-gradient-unit", "test-gradient-free"],
        ),
        # bits, but the base of exp
        "effective-rank": (RANK.format(" - Z.mean(axis=0)", "", "np.log2"), ["test-erank"]),
    },
    "harm": {
        # does not parse
        "correlation": (
            "def correlation(Za Zb):",
            ["test-correlation", "test-correlation-means", "test-correlation-constant"],
        ),
        # never ends
        "canonical": (
            CANONICAL.format("rows", "rho[::-1] if n > 6 or Xa.shape[1] < 9 else forever()")
            + "\ndef forever():\n    import time\n\n    while True:\n        time.sleep(0.1)",
            ["test-canonical-rank"],
        ),
        # asks for more memory than there is
        "whitened": (
            "def whitened(M, n_components, redundancy):\n    return np.ones((10**5, 10**5))",
            ["test-whitened-frame", "test-whitened-large", "test-whitened-small"],
        ),
        # raises
        "value-and-gradient": (
            "def value_and_gradient(T, M, redundancy):\n    return 1 / 0",
            ["test-value", "test-gradient-unit", "test-gradient-free"],
        ),
    },
}

# Cells that the student of `harm` deletes without loss, answers that are lost with their
# cells, and tests that are tampered with in vain.
DELETED = ["test-erank", "tools", "invariance", "data"]
LOST = {"directions": ["test-directions"]}
TAMPERED = ["test-canonical-rank", "test-whitened-large", "setup"]
