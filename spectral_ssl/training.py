"""Serves every chapter: gradient training of embeddings, linear maps and networks."""

from dataclasses import dataclass, field

import torch

from spectral_ssl._batches import embed_sources, train_on_views
from spectral_ssl._optimize import ConvergenceWarning, checked_loss, lbfgs, progress_bar
from spectral_ssl._validation import check_integer, check_samples

__all__ = [
    "ConvergenceWarning",
    "Fit",
    "fit_embedding",
    "fit_linear",
    "fit_network",
    "fit_views",
]


@dataclass(frozen=True)
class Fit:
    """The outcome of gradient training.

    Attributes
    ----------
    embedding : Tensor of shape (N, K)
    loss : float
        Final value.
    history : list of float
        Loss at every evaluation, first to last.
    gradient_norm : float
        Largest absolute entry of the final gradient.
    weights : Tensor of shape (D, K) or None
        Linear weights, where they were trained.
    network : torch.nn.Module or None
        The trained network, where there is one.
    """

    embedding: torch.Tensor
    loss: float
    history: list[float] = field(repr=False)
    gradient_norm: float
    weights: torch.Tensor | None = None
    network: torch.nn.Module | None = None


def fit_embedding(
    loss,
    n_samples,
    n_components,
    *,
    initial=None,
    generator=None,
    tolerance=1e-9,
    max_iterations=5000,
    progress=True,
):
    """Minimise ``loss(Z)`` over free embeddings with L-BFGS, in float64.

    Parameters
    ----------
    loss : callable
        Maps a tensor of shape (N, K) to a scalar.
    n_samples, n_components : int
        The shape :math:`(N, K)` of the embedding.
    initial : Tensor of shape (N, K), optional
        Where to start; by default standard normal numbers.
    generator : torch.Generator, optional
        Source of the default start, on the device to train on; by default a new one on the
        CPU with seed 0.
    tolerance : float
        Stop when no entry of the gradient is larger, or when the loss no longer decreases.
    max_iterations : int
        Stop in any case after so many iterations.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If the shapes do not fit or the loss is not a finite scalar.

    Warns
    -----
    ConvergenceWarning
        If the gradient is still large at the end.
    """
    check_integer(n_samples, "n_samples")
    start = _start((n_samples, n_components), initial, generator)
    embedding, history, gradient_norm = lbfgs(loss, start, tolerance, max_iterations, progress)
    return Fit(embedding, history[-1], history, gradient_norm)


def fit_linear(
    loss,
    X,
    n_components,
    *,
    initial=None,
    generator=None,
    tolerance=1e-9,
    max_iterations=5000,
    progress=True,
):
    r"""Minimise ``loss(X @ W)`` over linear weights with L-BFGS, in float64.

    Parameters
    ----------
    loss : callable
        Maps a tensor of shape (N, K) to a scalar.
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    n_components : int
        Embedding dimension :math:`K`.
    initial : Tensor of shape (D, K), optional
        Where to start; by default standard normal numbers.
    generator, tolerance, max_iterations, progress
        As in :func:`fit_embedding`.

    Returns
    -------
    Fit
        With ``weights``.

    Raises
    ------
    ValueError
        If the shapes do not fit or the loss is not a finite scalar.
    """
    X = check_samples(X).double()
    start = _start((X.shape[1], n_components), initial, generator).to(X.device)
    weights, history, gradient_norm = lbfgs(
        lambda W: loss(X @ W), start, tolerance, max_iterations, progress
    )
    return Fit(X @ weights, history[-1], history, gradient_norm, weights=weights)


def fit_network(loss, network, X, *, steps=2000, learning_rate=1e-3, progress=True):
    """Minimise ``loss(network(X))`` with full-batch Adam and a cosine-decayed step size.

    The network is trained in place, in its own dtype and on its own device.

    Parameters
    ----------
    loss : callable
        Maps a tensor of shape (N, K) to a scalar.
    network : torch.nn.Module
        Maps a tensor of shape (N, D) to one of shape (N, K).
    X : Tensor of shape (N, D)
        Inputs, one sample a row.
    steps : int
        Number of optimiser steps.
    learning_rate : float
        Adam's initial step size.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Fit
        With ``network``.

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix or the loss is not a finite scalar.
    """
    first = next(network.parameters())
    X = check_samples(X).to(first)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    history = []
    bar = progress_bar("Adam", steps, progress)
    for _ in range(steps):
        optimizer.zero_grad()
        value = checked_loss(loss(network(X)))
        value.backward()
        history.append(value.item())
        optimizer.step()
        schedule.step()
        bar.update()
    bar.close()
    optimizer.zero_grad()
    embedding = network(X)
    value = checked_loss(loss(embedding))
    value.backward()
    history.append(value.item())
    gradient_norm = max(abs(p.grad).max().item() for p in network.parameters())
    return Fit(embedding.detach(), history[-1], history, gradient_norm, network=network)


def fit_views(
    loss,
    network,
    sources,
    view,
    *,
    steps=300,
    batch_size=256,
    learning_rate=1e-3,
    weight_decay=0.0,
    generator=None,
    checkpoint=None,
    checkpoint_every=100,
    progress=True,
):
    """Minimise ``loss(network(view_a), network(view_b))`` over mini-batches of random views.

    Every step draws a batch of sources without replacement within an epoch, two views of each,
    and takes a step of AdamW with a cosine-decayed step size. The network is trained in place,
    in its own dtype and on its own device, where ``sources`` must be too.

    Inside :func:`spectral_ssl.distributed.process_group` every process embeds its share of each
    batch, and all compute the loss of the whole batch and take the same step. The losses are
    those of one process up to rounding if the network treats every row by itself and draws no
    random numbers. The embedding may differ more where the loss does not see it, as Adam
    magnifies the rounding of gradients that should be 0. All processes draw all views, from
    generators in the same state. What uses torch's global generator draws on each process from
    its own: seed these alike where the loss draws, and by :func:`spectral_ssl.distributed.rank`
    where the network does, as dropout. Batch normalisation normalises a process's share by
    itself, and the running statistics are those of process 0; ``torch.nn.SyncBatchNorm`` takes
    all shares together, on GPUs.

    Parameters
    ----------
    loss : callable
        Maps two tensors of shape (B, K), row by row the two views of a source, to a scalar,
        such as :func:`spectral_ssl.pair_losses.vicreg`.
    network : torch.nn.Module
        Maps a batch of views to a tensor of shape (B, K).
    sources : Tensor of shape (n, ...)
        What views are taken of, such as images of shape (n, C, H, W).
    view : callable
        ``view(batch, generator=generator)`` returns a random view of each, such as
        :func:`spectral_ssl.views.random_view`.
    steps, batch_size : int
        Number of optimiser steps, and of sources in each.
    learning_rate, weight_decay : float
        AdamW's initial step size, and its decay.
    generator : torch.Generator, optional
        Source of batches and views, on the sources' device; by default a new one with seed 0.
    checkpoint : path, optional
        File that keeps the state of the run, read and written by process 0. If it exists, the
        run goes on from there and ends as if it had not been interrupted, on as many processes;
        on more or fewer the network draws other random numbers.
    checkpoint_every : int
        Steps between two writes of it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Fit
        With ``network``; ``embedding`` is ``network(sources)`` in evaluation mode, ``history``
        holds the loss of every step, and ``loss`` the last of them.

    Raises
    ------
    ValueError
        If an option is out of range, the loss is not a finite scalar, the checkpoint is of a run
        with another number of steps, or the processes start with different networks, sources,
        generators or options.
    """
    generator = generator or torch.Generator(sources.device).manual_seed(0)
    history = train_on_views(
        loss, network, sources, view, steps, batch_size, learning_rate, weight_decay, generator,
        checkpoint, checkpoint_every, progress,
    )
    gradients = [abs(p.grad).max().item() for p in network.parameters() if p.grad is not None]
    embedding = embed_sources(network, sources)
    return Fit(embedding, history[-1], history, max(gradients, default=0.0), network=network)


def _start(shape, initial, generator):
    check_integer(shape[1], "n_components")
    if initial is not None:
        initial = check_samples(initial, "initial", min_samples=1)
        if tuple(initial.shape) != shape:
            raise ValueError(f"initial must have shape {shape}, got {tuple(initial.shape)}")
        return initial.detach().double().clone()
    generator = generator or torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)
