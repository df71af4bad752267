"""Serves training: L-BFGS run to convergence, with a progress bar."""

import warnings

import torch
from tqdm import tqdm

# Iterations between two looks at the gradient, and between two updates of the progress bar.
_ROUND = 50

# A loss that no longer decreases in float64 counts as converged up to this many tolerances.
_TOLERANCES_AT_ROUNDING = 1000


class ConvergenceWarning(UserWarning):
    """Training stopped at its iteration limit, before the gradient was small enough."""


def progress_bar(name, total, shown):
    """A bar that appears after two seconds and leaves nothing behind; TQDM_DISABLE=1 hides it."""
    hidden = {} if shown else {"disable": True}
    return tqdm(total=total, desc=name, leave=False, delay=2, **hidden)


def checked_loss(value):
    if value.ndim or not torch.isfinite(value):
        raise ValueError(
            f"loss must return one finite number, got {value.detach()}; check the loss, the "
            "data, and for a network the learning rate"
        )
    return value


def lbfgs(objective, start, tolerance, max_iterations, progress):
    """Minimise from ``start``; returns the minimiser, the losses, and the gradient's size."""
    parameters = start.requires_grad_()
    # Torch's L-BFGS skips curvature pairs below an absolute size. The entries of a mean
    # loss's gradient shrink with the number of rows, and scaling the loss up undoes that.
    scale = len(start)
    optimizer = torch.optim.LBFGS(
        [parameters],
        max_iter=min(_ROUND, max_iterations),
        max_eval=20 * _ROUND,
        history_size=20,
        tolerance_grad=tolerance * scale,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    history = []

    def closure():
        optimizer.zero_grad()
        value = checked_loss(objective(parameters))
        (scale * value).backward()
        history.append(value.item())
        return scale * value

    state, previous_loss = optimizer.state[parameters], float("inf")
    state["n_iter"] = 0
    with progress_bar("L-BFGS", max_iterations, progress) as bar:
        while True:
            optimizer.step(closure)
            closure()
            gradient_norm = abs(parameters.grad).max().item() / scale
            bar.set_postfix_str(f"gradient {gradient_norm:.1e}", refresh=False)
            bar.update(state["n_iter"] - bar.n)
            stalled = history[-1] >= previous_loss
            if gradient_norm <= tolerance or stalled or state["n_iter"] >= max_iterations:
                break
            previous_loss = history[-1]
    if gradient_norm > tolerance * (_TOLERANCES_AT_ROUNDING if stalled else 1):
        warnings.warn(
            f"training stopped after {state['n_iter']} iterations with a gradient of size "
            f"{gradient_norm:.1e}, above tolerance={tolerance:.1e}; raise max_iterations or "
            "tolerance (a loss with kinks, such as a hinge, does not reach a zero gradient)",
            ConvergenceWarning,
            stacklevel=3,
        )
    return parameters.detach(), history, gradient_norm
