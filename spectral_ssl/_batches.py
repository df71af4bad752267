"""Serves training: mini-batches of two random views, with checkpoints."""

import os
from pathlib import Path

import torch

from spectral_ssl._optimize import checked_loss, progress_bar
from spectral_ssl._validation import check_integer, check_weight


def train_on_views(
    loss, network, sources, view, steps, batch_size, learning_rate, weight_decay, generator,
    checkpoint, checkpoint_every, progress,
):
    """Train ``network`` in place; returns the loss of every step."""
    check_integer(steps, "steps")
    check_integer(checkpoint_every, "checkpoint_every")
    check_integer(
        batch_size, "batch_size", at_most=len(sources), reason=f"there are {len(sources)} sources"
    )
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=check_weight(learning_rate, "learning_rate", positive=True),
        weight_decay=check_weight(weight_decay, "weight_decay"),
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    history, order = [], torch.empty(0, dtype=torch.int64)
    if checkpoint is not None and Path(checkpoint).exists():
        history, order = _load(checkpoint, parts, generator, steps)
    network.train()
    with progress_bar("AdamW", steps, progress) as bar:
        bar.update(len(history))
        while len(history) < steps:
            if len(order) < batch_size:  # a new epoch; the rest of the old one is dropped
                order = torch.randperm(
                    len(sources), generator=generator, device=generator.device
                ).cpu()
            batch, order = sources[order[:batch_size].to(sources.device)], order[batch_size:]
            optimizer.zero_grad()
            Za, Zb = (network(view(batch, generator=generator)) for _ in range(2))
            value = checked_loss(loss(Za, Zb))
            value.backward()
            optimizer.step()
            schedule.step()
            history.append(value.item())
            bar.update()
            if checkpoint is not None and len(history) % checkpoint_every == 0:
                _save(checkpoint, parts, generator, history, order)
    return history


def _save(path, parts, generator, history, order):
    """Write everything that the next step depends on; a crash leaves the old file whole."""
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"generator": generator.get_state(), "history": history, "order": order}
    state["torch"] = torch.get_rng_state()  # of dropout and the like
    unfinished = f"{path}.new"
    torch.save(state, unfinished)
    os.replace(unfinished, path)


def _load(path, parts, generator, steps):
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["schedule"]["T_max"] != steps:
        raise ValueError(
            f"checkpoint {path} is of a run of {state['schedule']['T_max']} steps, not {steps}; "
            "ask for as many, or give another path"
        )
    for name, part in parts.items():
        part.load_state_dict(state[name])
    generator.set_state(state["generator"])
    torch.set_rng_state(state["torch"])
    return state["history"], state["order"]
