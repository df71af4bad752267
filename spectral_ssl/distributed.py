r"""Serves chapter 14: training and statistics over several processes, as ``torchrun`` starts them.

The losses of this library compare the rows of a batch with each other, so the mean of their
values on parts of a batch is not their value on the whole. Here every process embeds its rows,
:func:`gather` puts the rows of all in one matrix, and **every process computes the same loss of
it**. If process :math:`p` of :math:`P` embeds the rows :math:`Z_p(\theta)`, the gradient is

.. math::

    \frac{\partial \mathcal L}{\partial \theta}
    &= \sum_p \frac{\partial \mathcal L}{\partial Z_p} \frac{\partial Z_p}{\partial \theta} \\
    &= \frac1P \sum_p \Big( P \, \frac{\partial \mathcal L}{\partial Z_p} \Big)
       \frac{\partial Z_p}{\partial \theta} .

The bracket is what the backward pass of :func:`gather` returns, and the mean over the processes
is what :func:`average_gradients` and torch's ``DistributedDataParallel`` take. Parameters that
act after :func:`gather` have the same gradient on every process, which is its own mean.

Except for :func:`rank`, :func:`world_size` and :func:`shard`, every process has to call these
functions, in the same order. Without a process group there is one process.
"""

import os
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import reduce

import torch
import torch.distributed as dist

from spectral_ssl import _processes
from spectral_ssl._processes import broadcast, check_same, rank, world_size
from spectral_ssl._validation import check_choice, check_integer, check_weight

__all__ = [
    "average_gradients",
    "broadcast",
    "check_same",
    "gather",
    "merge",
    "process_group",
    "rank",
    "shard",
    "world_size",
]

# Seconds that a process waits before it reports a lost connection. In the meantime torchrun
# finds the process that died, and names that.
_GRACE = 5


@contextmanager
def process_group(*, device=None, timeout=600.0):
    """Join the processes that ``torchrun`` started, for the length of a ``with`` block.

    Processes on GPUs communicate by NCCL, others by gloo. ``torchrun`` shows an error in the
    block. In a program that it did not start, or in another such block, nothing is joined.

    Parameters
    ----------
    device : {"cpu", "cuda"}, optional
        By default "cuda" where there is a GPU.
    timeout : float
        Seconds after which a process gives up waiting for another.

    Yields
    ------
    torch.device
        The device of this process.

    Raises
    ------
    ValueError
        If there are fewer GPUs than processes on this machine, or an argument is out of range.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    check_choice(kind, "device", ("cpu", "cuda"))
    timeout = timedelta(seconds=check_weight(timeout, "timeout", positive=True))
    if "RANK" not in os.environ or _processes.has_group():
        yield torch.device(kind)
        return
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    handler = get_error_handler()
    handler.initialize()
    try:
        own = _own_device(kind)
        dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=timeout)
        yield own
        dist.destroy_process_group()
    except Exception as error:
        if isinstance(error, RuntimeError) and world_size() > 1:
            time.sleep(_GRACE)
        handler.record_exception(error)
        raise


def _own_device(kind):
    if kind == "cpu":
        return torch.device("cpu")
    local, n_gpus = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if local >= n_gpus:
        raise ValueError(
            f"process {local} has no GPU of its own, as this machine has {n_gpus}; start one "
            'process a GPU, or call process_group(device="cpu")'
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def shard(n):
    """The rows of this process among ``n``, in the order of the processes.

    Parameters
    ----------
    n : int
        Number of rows, at least 1. The shares differ by at most one, the first are the larger.

    Returns
    -------
    slice

    Raises
    ------
    ValueError
        If ``n`` is not a positive integer.
    """
    share, larger = divmod(check_integer(n, "n"), world_size())
    return slice(*(p * share + min(p, larger) for p in (rank(), rank() + 1)))


def gather(Z):
    """The rows of all processes in one tensor, in the order of the processes.

    The backward pass returns this process's rows of the gradient times the number of processes.
    So gradients *averaged* over the processes are those of one process with all rows, provided
    that every process computes the same loss of the result.

    Parameters
    ----------
    Z : Tensor of shape (n_p, ...)
        The rows of this process, of which there may be none.

    Returns
    -------
    Tensor of shape (n_1 + ... + n_P, ...)
        On every process the same; with one process ``Z`` itself.

    Raises
    ------
    ValueError
        If ``Z`` is not a tensor of rows or not on the GPU where the processes communicate by
        NCCL, or if the rows of the processes differ in shape or dtype.
    """
    if not isinstance(Z, torch.Tensor) or Z.ndim < 1:
        raise ValueError(f"Z must be a tensor with one sample a row, got {Z!r}")
    if world_size() == 1:
        return Z
    if _processes.device().type == "cuda" and not Z.is_cuda:
        raise ValueError(f"Z is on the {Z.device}; move it to the device of process_group()")
    kind = (tuple(Z.shape[1:]), Z.dtype)
    own = torch.tensor([len(Z), _processes.checksum(kind)], device=Z.device)
    sizes, kinds = _processes.all_rows(own).T.tolist()
    if len(set(kinds)) > 1:
        raise ValueError(
            f"rows differ between processes; on process {rank()} a row is {kind[0]}, {kind[1]}"
        )
    return _Gather.apply(Z, sizes)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, Z, sizes):
        start = sum(sizes[: rank()])
        ctx.own = slice(start, start + len(Z))
        padded = Z.new_zeros(max(sizes), *Z.shape[1:])
        padded[: len(Z)] = Z
        everything = _processes.all_rows(padded)
        return torch.cat([rows[:size] for rows, size in zip(everything, sizes)])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return world_size() * gradient[ctx.own], None


def average_gradients(module):
    """Replace the gradient of every parameter by its mean over the processes.

    Not needed with torch's ``DistributedDataParallel``, which does it during the backward pass.
    Here one all-reduce serves all parameters of a dtype. A gradient that some processes lack
    counts as 0 there, and one that all lack stays ``None``.

    Parameters
    ----------
    module : torch.nn.Module
        With the same parameters on every process; see :func:`check_same`.

    Raises
    ------
    ValueError
        If ``module`` is not a module.
    """
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    kinds = {}
    for p in module.parameters():
        if p.requires_grad:
            kinds.setdefault((p.dtype, p.device), []).append(p)
    if world_size() == 1:
        return
    for parameters in kinds.values():
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        present = parameters[0].new_tensor([p.grad is not None for p in parameters])
        mean = torch.cat([present, *(g.flatten() for g in gradients)]) / world_size()
        dist.all_reduce(mean)
        present, *means = mean.split([len(parameters), *(p.numel() for p in parameters)])
        for p, gradient, value, known in zip(parameters, gradients, means, present.tolist()):
            if known:
                p.grad = gradient.detach().copy_(value.view_as(p))


def merge(statistics):
    """The statistics of all processes' data, merged in the order of the processes.

    Parameters
    ----------
    statistics : object
        What this process gathered from its data. It has methods ``merge(other)``, which returns
        the statistics of both, and ``state_dict()``, and its class has ``from_state_dict``.

    Returns
    -------
    object
        On every process the same; with one process ``statistics`` itself.

    Raises
    ------
    ValueError
        If ``statistics`` lacks one of these methods.
    """
    for name in ("merge", "state_dict", "from_state_dict"):
        if not callable(getattr(statistics, name, None)):
            raise ValueError(f"statistics has no {name}(); got {type(statistics).__name__}")
    if world_size() == 1:
        return statistics
    own, read = statistics.state_dict(), type(statistics).from_state_dict
    parts = (read(broadcast(own, source)) for source in range(world_size()))
    return reduce(lambda merged, part: merged.merge(part), parts)
