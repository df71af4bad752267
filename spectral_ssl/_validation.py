"""Serves every chapter: the checks at the library's door, each an error that says what to do."""

import numpy as np
import scipy.sparse
import torch
from torch.utils.weak import WeakTensorKeyDictionary

from spectral_ssl.blocks import BlockGraph

_checked_relations = WeakTensorKeyDictionary()
_checked_similarities = WeakTensorKeyDictionary()


def as_tensor(values, name="X"):
    """Return ``values`` as a floating-point tensor; integers and numpy input become float64."""
    if scipy.sparse.issparse(values):
        return _from_scipy(values)
    try:
        tensor = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name} must be a tensor or an array of numbers, got {type(values).__name__}"
        ) from error
    if tensor.is_complex():
        raise ValueError(f"{name} is complex; pass its real and imaginary parts as columns")
    return tensor if tensor.is_floating_point() else tensor.to(torch.float64)


def _from_scipy(matrix):
    coo = matrix.tocoo()
    return sparse_matrix(np.stack(coo.coords), coo.data.astype(np.float64), coo.shape)


def to_scipy(A):
    """A sparse tensor as a matrix of scipy's in compressed rows, with short indices."""
    A = A.detach().coalesce().cpu()
    index = torch.int32 if max(len(A), A.values().numel()) < 2**31 else torch.int64
    rows, columns = A.indices().to(index)
    starts = torch.zeros(len(A) + 1, dtype=index)
    starts[1:] = torch.bincount(rows, minlength=len(A)).cumsum(0)
    parts = (A.values().numpy(), columns.numpy(), starts.numpy())
    return scipy.sparse.csr_array(parts, shape=tuple(A.shape))


def sparse_matrix(indices, values, shape):
    """A coalesced sparse COO tensor (repeated entries are added up)."""
    return torch.sparse_coo_tensor(
        torch.as_tensor(indices), torch.as_tensor(values), shape, check_invariants=True
    ).coalesce()


def check_samples(X, name="X", *, min_samples=2):
    """A finite matrix with one sample a row."""
    X = as_tensor(X, name)
    if X.ndim != 2 or X.layout != torch.strided:
        raise ValueError(
            f"{name} must be a dense matrix with one sample a row, got shape {tuple(X.shape)} "
            f"and layout {X.layout}; reshape or densify it"
        )
    if X.shape[0] < min_samples or X.shape[1] < 1:
        raise ValueError(
            f"{name} has shape {tuple(X.shape)}; give at least {min_samples} samples and 1 column"
        )
    # One pass; the extremes are NaN where an entry is.
    if not torch.isfinite(torch.stack(X.aminmax())).all():
        raise ValueError(f"{name} contains NaN or infinity; remove or impute those entries")
    return X


def check_relation(G, n_samples=None, name="G"):
    """A symmetric, non-negative, finite relation matrix in which every sample has a positive.

    The outcome is remembered for a tensor until it is changed in place, so that a loss
    called in a training loop pays for the check once.
    """
    G = _square_matrix(G, n_samples, name)
    if not isinstance(G, BlockGraph) and _checked_relations.get(G) != G._version:
        _check_relation_entries(G, name)
        _checked_relations[G] = G._version
    return G


def check_similarity(G, n_samples=None, name="G"):
    """A symmetric, finite matrix with entries of either sign; remembered like relations."""
    G = _square_matrix(G, n_samples, name)
    if isinstance(G, BlockGraph):
        return G
    if G._version not in (_checked_relations.get(G), _checked_similarities.get(G)):
        _check_similarity_entries(G, name)
        _checked_similarities[G] = G._version
    return G


def _square_matrix(G, n_samples, name):
    """A square matrix, dense or coalesced COO, or relations in blocks."""
    G = G if isinstance(G, BlockGraph) else as_tensor(G, name)
    if len(G.shape) != 2 or G.shape[0] != G.shape[1]:
        raise ValueError(f"{name} must be a square (N, N) matrix, got shape {tuple(G.shape)}")
    if n_samples is not None and G.shape[0] != n_samples:
        raise ValueError(
            f"{name} relates {G.shape[0]} samples but there are {n_samples}; "
            f"give one row and one column of {name} a sample"
        )
    if not isinstance(G, BlockGraph) and G.layout not in (torch.strided, torch.sparse_coo):
        G = G.to_sparse_coo()
    return G.coalesce() if G.is_sparse else G


def _check_similarity_entries(G, name):
    if G.shape[0] < 2:
        raise ValueError(f"{name} relates {G.shape[0]} sample; give at least 2 samples")
    if not torch.isfinite(entries(G)).all():
        raise ValueError(f"{name} contains NaN or infinity; remove those relations")
    _check_symmetry(G, name)


def _check_relation_entries(G, name):
    values = entries(G)
    if (values < 0).any():
        raise ValueError(
            f"{name} has negative entries (smallest {values.min().item():.3g}); "
            "relations are weights of attraction, so set negative ones to 0"
        )
    _check_similarity_entries(G, name)
    isolated = (row_sums(G) <= 0).nonzero().flatten().tolist()
    if isolated:
        raise ValueError(
            f"{name} leaves {len(isolated)} sample(s) without any relation (first: sample "
            f"{isolated[0]}); drop isolated samples or give them a positive"
        )


def _check_symmetry(A, name, rtol=None):
    rtol = 100 * torch.finfo(A.dtype).eps if rtol is None else rtol
    gap, size = _sparse_gap(A) if A.is_sparse else abs(A - A.T), abs(entries(A))
    if not gap.numel():
        return
    if gap.max() > rtol * size.max():
        raise ValueError(
            f"{name} is not symmetric (largest difference {gap.max().item():.3g}); "
            f"pass ({name} + {name}.T) / 2"
        )


def _sparse_gap(A):
    """Entries of ``|A - A.T|`` of a coalesced matrix, where either has an entry."""
    rows, columns = A.indices()
    order = columns.to(torch.int32).argsort(stable=True)  # rows ascend within each column
    if torch.equal(rows, columns[order]) and torch.equal(columns, rows[order]):
        return abs(A.values() - A.values()[order])
    return abs((A - A.T).coalesce().values())


def check_symmetric(A, name, rtol=None):
    """A finite, dense, symmetric matrix, exactly symmetrised and in float64."""
    A = check_samples(A, name)
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"{name} must be a square (N, N) matrix, got shape {tuple(A.shape)}")
    _check_symmetry(A, name, rtol)
    A = A.double()
    return (A + A.T) / 2


def check_distances(distances, name="distances"):
    """A symmetric, non-negative matrix of distances with a zero diagonal, in float64.

    ``torch.cdist`` takes roots of rounded squares, so small distances carry an error of the size
    of the root of the precision.
    """
    rounding = 100 * torch.finfo(as_tensor(distances, name).dtype).eps ** 0.5
    symmetric = check_symmetric(distances, name, rounding)
    if (symmetric < 0).any():
        raise ValueError(
            f"{name} has negative entries (smallest {symmetric.min().item():.3g}); "
            "pass distances, not similarities"
        )
    if symmetric.diagonal().max() > rounding * symmetric.max():
        raise ValueError(
            f"{name} is not zero on the diagonal; pass distances, not similarities, and set "
            "the distance of every sample to itself to 0"
        )
    return symmetric.fill_diagonal_(0)


def check_pairs(Xa, Xb, names=("Xa", "Xb")):
    """Two finite matrices whose rows are the two views of the same samples."""
    Xa, Xb = check_samples(Xa, names[0]), check_samples(Xb, names[1])
    if len(Xa) != len(Xb):
        raise ValueError(
            f"{names[0]} has {len(Xa)} rows and {names[1]} has {len(Xb)}; "
            "row i of both must be the two views of sample i"
        )
    return Xa, Xb


def check_views(Za, Zb, names=("Za", "Zb")):
    """Two finite matrices of the same shape, the two views of the same samples."""
    Za, Zb = check_pairs(Za, Zb, names)
    if Za.shape[1] != Zb.shape[1]:
        raise ValueError(
            f"{names[0]} has {Za.shape[1]} columns and {names[1]} has {Zb.shape[1]}; embed both "
            "views with as many dimensions"
        )
    return Za, Zb


def check_labels(labels, n_samples=None):
    """Class index of every sample and size of every class, as int64 tensors."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) < 2:
        raise ValueError(
            f"labels must be a one-dimensional sequence of at least 2 labels, got shape "
            f"{labels.shape}"
        )
    if n_samples is not None and len(labels) != n_samples:
        raise ValueError(f"labels names {len(labels)} samples but there are {n_samples}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("labels contains NaN or infinity; every sample needs a class")
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return torch.as_tensor(classes), torch.as_tensor(counts)


def entries(G):
    """The entries of a matrix, of a sparse one those that it stores."""
    return G.values() if G.is_sparse else G


def squared_norm(G):
    """Squared Frobenius norm of a dense or sparse matrix, or of relations in blocks."""
    return G.squared_norm() if isinstance(G, BlockGraph) else (entries(G) ** 2).sum()


def diagonal(G):
    """The diagonal of a dense or coalesced sparse matrix as a dense vector."""
    if not G.is_sparse:
        return G.diagonal()
    rows, columns = G.indices()
    own = rows == columns
    return G.values().new_zeros(len(G)).index_add(0, rows[own], G.values()[own])


def row_sums(G):
    """Row sums of a dense or sparse matrix as a dense vector."""
    if not G.is_sparse:
        return G.sum(dim=1)
    return G.values().new_zeros(len(G)).index_add(0, G.indices()[0], G.values())


def check_integer(value, name, *, at_most=None, reason=""):
    """An integer of at least 1, and of at most ``at_most`` for the reason given."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if value < 1 or (at_most is not None and value > at_most):
        choice = "give at least 1" if at_most is None else f"choose between 1 and {at_most}"
        because = f"{reason}, so " if reason else ""
        raise ValueError(f"{name}={value} is out of range: {because}{choice}")
    return int(value)


def check_weight(value, name, *, positive=False):
    """A finite number that is non-negative, or positive where asked."""
    value = float(value)
    if not np.isfinite(value) or value < 0 or (positive and value == 0):
        kind = "positive" if positive else "non-negative"
        raise ValueError(f"{name} must be a finite {kind} number, got {value}")
    return value


def check_choice(value, name, choices):
    """One of a few words."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value
