"""What the tests let every process do: python distributed_worker.py TASK FOLDER [STEP]."""

import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from spectral_ssl import distributed, pair_losses, training

LOSSES = ("barlow_twins", "nt_xent", "spectral_contrastive", "vicreg")
STEPS, EVERY = 30, 4
EXIT_CODE = 3
TIMEOUT = 8


def gaussian(*shape, seed=0, device="cpu"):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(device)


def network(*extra, seed=0):
    torch.manual_seed(seed)
    linear = torch.nn.Linear(5, 16), torch.nn.Linear(16, 3)
    return torch.nn.Sequential(linear[0], *extra, torch.nn.Tanh(), linear[1]).double()


def noisy(batch, generator):
    noise = torch.randn(
        batch.shape, generator=generator, dtype=batch.dtype, device=batch.device
    )
    return batch + 0.1 * noise


def flat_gradient(*modules):
    return torch.cat([p.grad.flatten() for module in modules for p in module.parameters()]).cpu()


def gradient(loss, device, n=10, whole=True, ddp=False, head=None):
    """Of a loss of two views of n rows, shared out among the processes."""
    model, own = network().to(device), distributed.shard(n)
    views = torch.cat([gaussian(n, 5, seed=seed, device=device)[own] for seed in (1, 2)])
    embed = DistributedDataParallel(model) if ddp else model
    pair = embed(views).tensor_split(2)
    if whole:
        pair = map(distributed.gather, pair)
    if head is not None:
        pair = map(head, pair)
    loss(*pair).backward()
    modules = [model] if head is None else [model, head]
    for module in [] if ddp else modules:
        distributed.average_gradients(module)
    return flat_gradient(*modules)


def gradients(device, **options):
    return {name: gradient(getattr(pair_losses, name), device, **options) for name in LOSSES}


def lacking(device):
    """Mean gradients of a parameter that only process 0 has one of, and of one that none has."""
    module = torch.nn.Module()
    module.one = torch.nn.Parameter(torch.zeros(2, device=device))
    module.none = torch.nn.Parameter(torch.zeros(2, device=device))
    if distributed.rank() == 0:
        module.one.grad = torch.full_like(module.one, 12.0)
    distributed.average_gradients(module)
    return [module.one.grad.tolist(), module.none.grad]


def count_all_reduces(device):
    calls, original = [], dist.all_reduce
    dist.all_reduce = lambda *a, **o: calls.append(1) or original(*a, **o)
    gradient(pair_losses.vicreg, device)
    dist.all_reduce = original
    return len(calls)


class Rows:
    """Statistics that merge: the rows seen, whose order shows."""

    def __init__(self, rows, count):
        self.rows, self.count = rows, count

    def merge(self, other):
        return Rows(torch.cat([self.rows, other.rows]), self.count + other.count)

    def state_dict(self):
        return {"rows": self.rows, "count": self.count}

    @classmethod
    def from_state_dict(cls, state):
        return cls(state["rows"], state["count"])


def merged(device):
    rows = gaussian(10, 2, device=device)[distributed.shard(10)]
    whole = distributed.merge(Rows(rows, len(rows)))
    return [whole.rows.cpu(), whole.count, whole.rows.device.type]


def fit(model, device, loss=pair_losses.vicreg, seed=1, **options):
    sources = gaussian(23, 5, device=device)
    generator = torch.Generator(device).manual_seed(seed)
    options = {"steps": STEPS, "batch_size": 10, "generator": generator, **options}
    done = training.fit_views(loss, model.to(device), sources, noisy, **options)
    state = [value.double().flatten().cpu() for value in model.state_dict().values()]
    return {
        "history": torch.tensor(done.history, dtype=torch.float64),
        "embedding": done.embedding.cpu(),
        "state": torch.cat(state),
        "gradient_norm": torch.tensor(done.gradient_norm, dtype=torch.float64),
    }


def fit_random(device, checkpoint, **options):
    """Train a network that draws random numbers and has running statistics."""
    model = network(torch.nn.BatchNorm1d(16), torch.nn.Dropout(0.1))
    torch.manual_seed(distributed.rank())
    return fit(model, device, checkpoint=checkpoint, checkpoint_every=EVERY, **options)


def refusals(device):
    """The messages of bad input, by the function that refuses it."""
    me, ones = distributed.rank(), torch.ones(2, 2, device=device)
    calls = {
        "shard": lambda: distributed.shard(0),
        "gather": lambda: distributed.gather("rows"),
        "gather shapes": lambda: distributed.gather(torch.ones(2, 2 + me, device=device)),
        "gather dtypes": lambda: distributed.gather(ones if me else ones.double()),
        "average_gradients": lambda: distributed.average_gradients(ones),
        "broadcast": lambda: distributed.broadcast(ones, distributed.world_size()),
        "merge": lambda: distributed.merge([]),
        "check_same": lambda: distributed.check_same(ones=ones, rank=me, rows=ones + me),
        "fit network": lambda: fit(network(seed=me), device),
        "fit generator": lambda: fit(network(), device, seed=me),
        "fit options": lambda: fit(network(), device, steps=5 + me),
        "fit batch": lambda: fit(network(), device, batch_size=1),
    }
    return {name: refusal(call) for name, call in calls.items()}


def refusal(call):
    try:
        call()
    except ValueError as error:
        return str(error)
    return None


def numbers(device, folder):
    """All that one process can do as well."""
    head = torch.nn.Linear(3, 3).double().to(device)
    head.load_state_dict({"weight": gaussian(3, 3, seed=5), "bias": gaussian(3, seed=6)})
    return {
        "gradients": gradients(device),
        "few": gradients(device, n=3),
        "head": gradient(pair_losses.vicreg, device, head=head),
        "labels": distributed.gather(torch.arange(10, device=device)[distributed.shard(10)]).cpu(),
        "merged": merged(device),
        "fit": fit(network(), device, checkpoint=folder / "fit.pt", checkpoint_every=20),
    }


def together(device, folder):
    """What only several processes can do."""
    me, n = distributed.rank(), distributed.world_size()
    return {
        "place": [me, n, distributed.shard(10), distributed.shard(2)],
        "ddp": gradients(device, ddp=True),
        "parts": gradients(device, whole=False),
        "lacking": lacking(device),
        "all_reduces": count_all_reduces(device),
        "broadcast": distributed.broadcast({"rank": torch.tensor([me])}, n - 1)["rank"].tolist(),
        "refusals": refusals(device),
        "random": fit_random(device, folder / "whole.pt") if n == 2 else None,
    }


def dying(step):
    """VICReg's loss, in one step of which process 1 dies."""
    calls = iter(range(STEPS))

    def loss(Za, Zb):
        if next(calls) == step and distributed.rank() == 1:
            os._exit(EXIT_CODE)
        return pair_losses.vicreg(Za, Zb)

    return loss


def wait_for_nothing():
    with distributed.process_group(device="cpu", timeout=TIMEOUT) as device:
        if distributed.rank() == 1:
            time.sleep(600)
        distributed.gather(torch.ones(2, device=device))


def main(task, folder, step=None):
    with distributed.process_group(device="cuda" if task == "gpu" else "cpu") as device:
        if task == "train":
            results = fit_random(device, folder / "run.pt", loss=dying(step))
        else:
            results = numbers(device, folder)
        if task in ("cpu", "wait"):
            results |= together(device, folder)
        torch.save(results, folder / f"{distributed.rank()}.pt")
    if task == "wait":
        wait_for_nothing()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
