"""Serves distributed training: how many processes there are, and what they tell each other."""

import io
import zlib

import torch
import torch.distributed as dist


def rank():
    """The number of this process, from 0; 0 without a process group.

    Returns
    -------
    int
    """
    return dist.get_rank() if has_group() else 0


def world_size():
    """The number of processes; 1 without a process group.

    Returns
    -------
    int
    """
    return dist.get_world_size() if has_group() else 1


def broadcast(value, source=0):
    """A value of one process on all of them.

    Parameters
    ----------
    value : object
        A tensor, number, string, or a list or dict of such; only that of ``source`` counts.
    source : int
        The process that sends its value.

    Returns
    -------
    object
        The value of ``source``, with tensors on the CPU or on each process's own GPU.

    Raises
    ------
    ValueError
        If there is no process ``source``.
    """
    if source not in range(world_size()):
        raise ValueError(
            f"source={source} is out of range: choose between 0 and {world_size() - 1}"
        )
    if world_size() == 1:
        return value
    content = io.BytesIO()
    if rank() == source:
        torch.save(value, content)
    sent = [content.getvalue()]
    dist.broadcast_object_list(sent, src=source)
    if rank() == source:
        return value
    return torch.load(io.BytesIO(sent[0]), map_location=_own_place, weights_only=True)


def _own_place(storage, place):
    return storage if place == "cpu" else storage.cuda()


def check_same(**values):
    """Make sure, by checksums, that all processes hold the same values.

    The values are tensors, modules, or anything that its ``repr`` describes, given under the
    same names on every process.

    Raises
    ------
    ValueError
        On every process, with the names of the values that are not the same on all.
    """
    if world_size() == 1:
        return
    own = torch.tensor([checksum(value) for value in values.values()], device=device())
    same = (all_rows(own) == own).all(dim=0).tolist()
    different = [name for name, equal in zip(values, same) if not equal]
    if different:
        raise ValueError(
            f"the processes differ in {', '.join(different)}; load and seed alike on all of them"
        )


def checksum(value):
    """32 bits that tell two tensors, modules or other values apart."""
    if isinstance(value, torch.nn.Module):
        trained = [name for name, p in value.named_parameters() if p.requires_grad]
        value = [trained, *((name, checksum(v)) for name, v in value.state_dict().items())]
    if not isinstance(value, torch.Tensor):
        return zlib.crc32(repr(value).encode())
    content = value.detach().cpu().contiguous()
    start = zlib.crc32(repr((content.dtype, content.shape)).encode())
    return zlib.crc32(content.reshape(-1).view(torch.uint8).numpy(), start)


def has_group():
    return dist.is_available() and dist.is_initialized()


def device():
    """Where the processes communicate."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


def all_rows(row):
    """A tensor of the same shape from every process, stacked."""
    rows = [torch.empty_like(row) for _ in range(world_size())]
    dist.all_gather(rows, row)
    return torch.stack(rows)
