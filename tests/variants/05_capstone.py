"""Answers to assignment 5 as students might give them, and what each must lose.

`OTHER` answers every question rightly in another way. `WRONG` has one student a line of
thought, with at most one mistake a function, and the tests that fail because of it.
`USUAL` stands in for answers that these students need and do not give.
"""

OTHER = {
    "variances": """
def variances(mu, gamma, alpha, degree):
    import torch
    p = 1 - degree * gamma * (1 - torch.as_tensor(mu)) / alpha
    return torch.nn.functional.threshold(p, 1e-12, 0.0)
""",
    "share": """
def share(V, y):
    from sklearn.linear_model import LinearRegression
    m = np.linalg.matrix_rank(V - V.mean(axis=0), rtol=1e-8)
    left, n = 1 - LinearRegression().fit(V, y).score(V, y), len(y)
    return 1 - left * (n - 1) / (n - 1 - m)
""",
    # the intercept is a column that is not shrunk
    "probe": """
def probe(Z, y, eta, Z_new):
    A = np.c_[np.ones(len(Z)), Z]
    shrink = np.diag(np.r_[0, np.full(Z.shape[1], len(y) * eta)] ** 0.5)
    b = np.linalg.lstsq(np.r_[A, shrink], np.r_[y, np.zeros(len(shrink))], rcond=None)[0]
    return b[0] + Z_new @ b[1:]
""",
    "difference": """
def difference(right_a, right_b):
    n = len(right_a)
    only_a, only_b = (right_a & ~right_b).sum(), (right_b & ~right_a).sum()
    square = (only_a + only_b) / n - ((only_a - only_b) / n) ** 2
    return (only_a - only_b) / n, (square / (n - 1)) ** 0.5
""",
    # predicts labels that were left out
    "choose": """
def choose(mu, V, labelled, y):
    fold, best = np.arange(len(y)) % 6, []
    for gamma in GAMMAS:
        Z = V[labelled] * variances(mu, gamma, 1.0, 1.0).sqrt().numpy()
        guess = np.zeros(len(y))
        for f in range(6):
            guess[fold == f] = probe(Z[fold != f], y[fold != f], ETA, Z[fold == f])
        best.append(((guess - y) ** 2).mean())
    return GAMMAS[np.argmin(best)]
""",
    # each row is judged by the candidate that is best on the others
    "honest": """
def honest(right):
    others = right.sum(axis=0) - right
    return right[np.arange(len(right)), others.argmax(axis=1)].mean()
""",
    "kept": """
left = [case.y[:, q] @ case.V[case.labelled, :2] / len(case.y) for q in range(4)]
kept = tuple(np.linalg.norm(row) > 0.5 for row in left)
""",
    "experiment": """
plt.plot([0.3, 1.2], [0.8, 0.5])
plt.show()
""",
}

USUAL = {}

VARIANCES = """
def variances(mu, gamma, alpha, degree):
    p = 1 - gamma * degree{} * (1 - mu)
    return {}
"""
SHARE = """
def share(V, y):
    H = {}
    h, m = y - y.mean(), np.linalg.matrix_rank(H, tol=1e-8 * np.linalg.norm(H, 2))
    left = h - H @ np.linalg.pinv(H, rcond=1e-8) @ h
    explained, chance = 1 - left @ left / (h @ h), m / {}
    return {}
"""
CENTRED = "V - V.mean(axis=0)"
CORRECTED = "(explained - chance) / (1 - chance)"
PROBE = """
def probe(Z, y, eta, Z_new):
    {}
    S = Z.T @ Z{} + eta * np.eye(Z.shape[1])
    return {}Z_new @ np.linalg.solve(S, Z.T @ y{})
"""
INTERCEPT = "m, c, y = Z.mean(axis=0), y.mean(), y - y.mean()\n    Z, Z_new = Z - m, Z_new - m"
CHOOSE = """
def choose(mu, V, labelled, y):
    agreed = share(V[labelled][:, mu > 0.3], y)
    return {}
"""

WRONG = {
    "constants": {
        # no positive part
        "variances": (VARIANCES.format(" / alpha", "p"), ["test-variances"]),
        # no chance level
        "share": (
            SHARE.format(CENTRED, "len(y)", "explained"),
            ["test-share-chance"],
        ),
        # shrinks the intercept
        "probe": (
            PROBE.format(
                "Z, Z_new = (np.c_[A, np.ones(len(A))] for A in (Z, Z_new))",
                " / len(y)", "", " / len(y)",
            ),
            ["test-probe-intercept"],
        ),
        # as if the methods had answered different questions
        "difference": (
            "def difference(right_a, right_b):\n"
            "    a, b = right_a.mean(), right_b.mean()\n"
            "    return a - b, ((a * (1 - a) + b * (1 - b)) / len(right_a)) ** 0.5",
            ["test-difference-paired"],
        ),
        # chooses on the labels of which the probe has learned
        "choose": (
            "def choose(mu, V, labelled, y):\n"
            "    right = []\n"
            "    for gamma in GAMMAS:\n"
            "        Z = V[labelled] * variances(mu, gamma, 1.0, 1.0) ** 0.5\n"
            "        right.append((np.sign(probe(Z, y, ETA, Z)) == y).mean())\n"
            "    return GAMMAS[np.argmax(right)]",
            ["test-choose-kept"],
        ),
        # the best of many, as it stands
        "honest": (
            "def honest(right):\n    return right.mean(axis=0).max()",
            ["test-honest-guess"],
        ),
        # agreement of everything with everything
        "kept": ("kept = [True] * 4", ["test-kept"]),
    },
    "indices": {
        # alpha has no say
        "variances": (
            VARIANCES.format("", "np.where(p < 1e-12, 0, p)"),
            ["test-variances-units"],
        ),
        # m / n
        "share": (SHARE.format(CENTRED, "len(y)", CORRECTED), ["test-share-chance"]),
        # the sum of squares in place of the mean
        "probe": (PROBE.format(INTERCEPT, "", "c + ", ""), ["test-probe"]),
        # the sign
        "difference": (
            "def difference(right_a, right_b):\n"
            "    gap = right_b * 1.0 - right_a\n"
            "    return gap.mean(), gap.std() / len(gap) ** 0.5",
            ["test-difference"],
        ),
        # trusts the relations
        "choose": (CHOOSE.format("1.2"), ["test-choose-redrawn"]),
        # the mean candidate
        "honest": ("def honest(right):\n    return right.mean()", ["test-honest-good"]),
    },
    "carelessness": {
        # leaves rounding
        "variances": (
            VARIANCES.format(" / alpha", "np.maximum(p, 0)"),
            ["test-variances"],
        ),
        # no intercept
        "share": (SHARE.format("V", "(len(y) - 1)", CORRECTED), ["test-share"]),
        # no intercept
        "probe": (
            PROBE.format("pass", " / len(y)", "", " / len(y)"),
            ["test-probe-intercept"],
        ),
        # a deviation, not a standard error
        "difference": (
            "def difference(right_a, right_b):\n"
            "    gap = right_a * 1.0 - right_b\n"
            "    return gap.mean(), gap.std()",
            ["test-difference-paired"],
        ),
        # the wrong way round
        "choose": (
            CHOOSE.format("0.01 if agreed > 0.3 else 1.2"),
            ["test-choose-kept", "test-choose-redrawn"],
        ),
        # chooses on half of the rows, and reports on all
        "honest": (
            "def honest(right):\n"
            "    return right[:, right[::2].mean(axis=0).argmax()].mean()",
            ["test-honest-guess"],
        ),
    },
    "harm": {
        # does not parse
        "variances": (
            "def variances(mu gamma, alpha, degree):",
            ["test-variances", "test-variances-units"],
        ),
        # never ends
        "share": (
            "import time\n\n"
            "def share(V, y):\n"
            "    while np.ptp(V[:, -1]) == 0:\n"
            "        time.sleep(0.1)\n"
            + SHARE.format(CENTRED, "(len(y) - 1)", CORRECTED).partition(":\n")[2],
            ["test-share"],
        ),
        # raises
        "probe": (
            "def probe(Z, y, eta, Z_new):\n    return 1 / 0",
            ["test-probe", "test-probe-intercept"],
        ),
        # asks for more memory than there is
        "choose": (
            "def choose(mu, V, labelled, y):\n    return np.ones((10**5, 10**5)).mean()",
            ["test-choose-kept", "test-choose-redrawn"],
        ),
    },
}

# Cells that the student of `harm` deletes without loss, answers that are lost with their
# cells, and tests that are tampered with in vain.
DELETED = ["test-difference", "tools", "chance", "case"]
LOST = {"honest": ["test-honest-guess", "test-honest-good"]}
TAMPERED = ["test-choose-kept", "test-share", "setup"]
