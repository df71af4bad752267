"""Serves training: mini-batches of two random views, with checkpoints, over all processes."""

import os
from pathlib import Path

import torch

from spectral_ssl import distributed
from spectral_ssl._optimize import checked_loss, progress_bar
from spectral_ssl._validation import check_integer, check_weight


def train_on_views(
    loss, network, sources, view, steps, batch_size, learning_rate, weight_decay, generator,
    checkpoint, checkpoint_every, progress,
):
    """Train ``network`` in place; returns the loss of every step."""
    options = (steps, batch_size, learning_rate, weight_decay, checkpoint_every, checkpoint is None)
    distributed.check_same(
        network=network, sources=sources, generator=generator.get_state(), options=options
    )
    check_integer(steps, "steps")
    check_integer(checkpoint_every, "checkpoint_every")
    check_integer(
        batch_size, "batch_size", at_most=len(sources), reason=f"there are {len(sources)} sources"
    )
    if batch_size < distributed.world_size():
        raise ValueError(
            f"batch_size={batch_size} is out of range: there are {distributed.world_size()} "
            "processes, so choose at least as many"
        )
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=check_weight(learning_rate, "learning_rate", positive=True),
        weight_decay=check_weight(weight_decay, "weight_decay"),
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    history, order = [], torch.empty(0, dtype=torch.int64)
    state = None if checkpoint is None else _read(checkpoint)
    if state is not None:
        history, order = _restore(state, checkpoint, parts, generator, steps)
    network.train()
    with progress_bar("AdamW", steps, progress and distributed.rank() == 0) as bar:
        bar.update(len(history))
        while len(history) < steps:
            if len(order) < batch_size:  # a new epoch; the rest of the old one is dropped
                order = torch.randperm(
                    len(sources), generator=generator, device=generator.device
                ).cpu()
            batch, order = sources[order[:batch_size].to(sources.device)], order[batch_size:]
            optimizer.zero_grad()
            Za, Zb = (_embed(network, view(batch, generator=generator)) for _ in range(2))
            value = checked_loss(loss(Za, Zb))
            value.backward()
            distributed.average_gradients(network)
            optimizer.step()
            schedule.step()
            history.append(value.item())
            bar.update()
            if checkpoint is not None and len(history) % checkpoint_every == 0:
                _save(checkpoint, parts, generator, history, order)
    _share_buffers(network)
    return history


def embed_sources(network, sources):
    """Embed the sources in evaluation mode."""
    network.eval()
    with torch.no_grad():
        return _embed(network, sources)


def _embed(network, batch):
    """Embed the own rows, and gather those of all processes."""
    return distributed.gather(network(batch[distributed.shard(len(batch))]))


def _share_buffers(network):
    """Take the buffers of process 0, such as the running means of batch normalisation."""
    if distributed.world_size() > 1:
        for buffer in network.buffers():
            buffer.copy_(distributed.broadcast(buffer))


def _save(path, parts, generator, history, order):
    """Write everything that the next step depends on; a crash leaves the old file whole."""
    _share_buffers(parts["network"])
    own, processes = _random_state(), range(distributed.world_size())
    random = [distributed.broadcast(own, process) for process in processes]
    if distributed.rank() > 0:
        return
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"generator": generator.get_state(), "history": history, "order": order}
    state["random"] = random  # of dropout and the like
    unfinished = f"{path}.new"
    torch.save(state, unfinished)
    os.replace(unfinished, path)


def _read(path):
    """What process 0 finds in the file, on every process; None if there is no file."""
    state = None
    if distributed.rank() == 0 and Path(path).exists():
        state = torch.load(path, map_location="cpu", weights_only=True)
    return distributed.broadcast(state)


def _restore(state, path, parts, generator, steps):
    if state["schedule"]["T_max"] != steps:
        raise ValueError(
            f"checkpoint {path} is of a run of {state['schedule']['T_max']} steps, not {steps}; "
            "ask for as many, or give another path"
        )
    for name, part in parts.items():
        part.load_state_dict(state[name])
    generator.set_state(state["generator"])
    if distributed.rank() < len(state["random"]):
        _set_random_state(state["random"][distributed.rank()])
    return state["history"], state["order"]


def _random_state():
    """Of the generators that networks draw from, on the CPU and on the current GPU."""
    gpu = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *gpu]


def _set_random_state(states):
    torch.set_rng_state(states[0])
    if len(states) > 1 and torch.cuda.is_available():
        torch.cuda.set_rng_state(states[1])
