"""Serves chapters 2, 4 and 8: majorisation, and rotations that reach a given diagonal."""

import torch

from spectral_ssl._validation import as_tensor, check_weight


def majorizes(eigenvalues, diagonal, *, atol=None):
    r"""Whether :math:`d \prec \lambda`: could ``diagonal`` belong to these ``eigenvalues``?

    With both in descending order, :math:`d_1 + \dots + d_m \le \lambda_1 + \dots + \lambda_m`
    for every :math:`m < K`, and equality for :math:`m = K`. By the theorems of Schur and Horn
    this holds if and only if a symmetric matrix has this diagonal and these eigenvalues.

    Parameters
    ----------
    eigenvalues, diagonal : Tensors of shape (K,)
        Real numbers in any order.
    atol : float, optional
        How far a sum may miss; by default the rounding of :math:`K` summands in the coarser
        of the two dtypes.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If the arguments are not finite vectors of the same length, or ``atol`` is negative.

    References
    ----------
    Schur (1923); Horn (1954); Marshall, Olkin & Arnold (2011).
    """
    values, targets, rounding = _check_spectra(eigenvalues, diagonal)
    atol = rounding if atol is None else check_weight(atol, "atol")
    slack = _slack(values, targets)
    return slack.min().item() >= -atol and slack[-1].item() <= atol


def rotation_with_diagonal(eigenvalues, diagonal):
    r"""Orthogonal :math:`Q` with :math:`\mathrm{diag}(Q^\top \mathrm{diag}(\lambda)\, Q) = d`.

    Horn's theorem, by :math:`K - 1` rotations in coordinate planes: the largest entry of
    :math:`d` lies between two neighbouring eigenvalues, a rotation of these two produces it
    on the diagonal, and what is left of the two is an eigenvalue of a smaller problem of the
    same kind.

    Parameters
    ----------
    eigenvalues, diagonal : Tensors of shape (K,)
        In any order; ``diagonal`` must be majorised by ``eigenvalues``.

    Returns
    -------
    Tensor of shape (K, K)
        Computed in float64 and returned in the dtype of ``eigenvalues``, on its device. Many
        orthogonal matrices do; this is one of them.

    Raises
    ------
    ValueError
        If the arguments are not finite vectors of the same length, or ``diagonal`` is not
        majorised by ``eigenvalues``.

    References
    ----------
    Horn (1954); Schur (1923) for the converse.
    """
    values, targets, rounding = _check_spectra(eigenvalues, diagonal)
    slack = _slack(values, targets)
    if abs(slack[-1].item()) > rounding:
        raise ValueError(
            f"diagonal has the sum {targets.sum().item():.6g} and eigenvalues "
            f"{values.sum().item():.6g}; a rotation keeps the trace, so make the sums equal"
        )
    if slack.min().item() < -rounding:
        m = int(slack.argmin()) + 1
        raise ValueError(
            f"diagonal is not majorised by eigenvalues: its {m} largest entries exceed the "
            f"{m} largest eigenvalues by {-slack.min().item():.3g} in sum; move them towards "
            "the mean"
        )
    Q = torch.eye(len(values), dtype=torch.float64)
    column_of = torch.empty(len(values), dtype=torch.int64)
    free = values.argsort(descending=True).tolist()
    for entry in targets.argsort(descending=True).tolist():
        column_of[entry] = _produce(targets[entry], Q, values, free)
    return Q[:, column_of].to(as_tensor(eigenvalues))


def _produce(target, Q, values, free):
    """Rotate two columns of ``Q`` so that one gets the Rayleigh quotient ``target``.

    ``free`` lists the columns still in use, by descending ``values``; it loses that column.
    """
    if len(free) == 1:
        return free.pop()
    above = sum(values[column] >= target for column in free[:-1])
    j = max(int(above) - 1, 0)
    upper, lower = free[j], free[j + 1]
    spread = values[upper] - values[lower]
    share = ((target - values[lower]) / spread).clamp(0, 1) if spread > 0 else spread + 1
    cosine, sine = share.sqrt(), (1 - share).sqrt()
    first, second = Q[:, upper].clone(), Q[:, lower].clone()
    Q[:, upper] = cosine * first + sine * second
    Q[:, lower] = cosine * second - sine * first
    values[lower] += values[upper] - target
    free.remove(upper)
    return upper


def _slack(values, targets):
    """How far the sums of the m largest targets stay below those of the values."""
    descending = [vector.sort(descending=True).values for vector in (values, targets)]
    return descending[0].cumsum(0) - descending[1].cumsum(0)


def _check_spectra(eigenvalues, diagonal):
    """Both as float64 vectors on the CPU, and the rounding of their sums."""
    vectors = {"eigenvalues": eigenvalues, "diagonal": diagonal}
    vectors = {name: as_tensor(vector, name) for name, vector in vectors.items()}
    for name, vector in vectors.items():
        if vector.ndim != 1 or not len(vector):
            raise ValueError(
                f"{name} must be a vector of at least one number, got shape "
                f"{tuple(vector.shape)}; flatten it"
            )
        if not torch.isfinite(vector).all():
            raise ValueError(f"{name} contains NaN or infinity; remove those entries")
    values, targets = vectors.values()
    if len(values) != len(targets):
        raise ValueError(
            f"eigenvalues has {len(values)} entries and diagonal {len(targets)}; give as many "
            "of one as of the other"
        )
    size = max(abs(vector).max().item() for vector in (values, targets))
    precision = max(torch.finfo(vector.dtype).eps for vector in (values, targets))
    values, targets = (vector.detach().to("cpu", torch.float64) for vector in (values, targets))
    return values.clone(), targets, 10 * len(values) * precision * size
