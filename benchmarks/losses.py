"""Two-view losses beside lightly: time and memory of value and gradient, as ratios.

    python benchmarks/losses.py

Each case runs in a process of its own, so that peak memory is its own. Peer and library take
turns in it, and the ratio is that of the medians; in brackets, the middle half of the ratios of
single turns.
"""

import json
import platform
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from peers import lightly_losses
from tqdm import tqdm

from spectral_ssl import pair_losses

CASES = {  # loss: (library, lightly's class and options, sizes n x K)
    "NT-Xent": (pair_losses.nt_xent, "NTXentLoss", {"temperature": 0.5},
                [(256, 128), (1024, 128), (2048, 128)]),
    "VICReg": (pair_losses.vicreg, "VICRegLoss", {},
               [(256, 8192), (256, 2048), (1024, 2048), (2048, 512)]),
    "Barlow Twins": (pair_losses.barlow_twins, "BarlowTwinsLoss", {},
                     [(256, 8192), (256, 2048), (1024, 2048), (2048, 512)]),
}
REPETITIONS = 9


def batches(n, k):
    generator = torch.Generator().manual_seed(0)
    first, noise = (torch.randn(n, k, generator=generator) for _ in range(2))
    return [first.requires_grad_(), (first.detach() + 0.3 * noise).requires_grad_()]


def value_and_gradient(loss, views):
    return torch.autograd.grad(loss(*views), views)


def seconds(loss, views):
    start = time.perf_counter()
    value_and_gradient(loss, views)
    return time.perf_counter() - start


def peak_memory(loss, n, k):
    """Megabytes that one call adds to the process's peak."""
    value_and_gradient(loss, batches(16, 16))
    views, before = batches(n, k), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    value_and_gradient(loss, views)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure(what, case, n, k):
    ours, name, options, _ = CASES[case]
    peer = getattr(lightly_losses(), name)(**options)
    if what != "time":
        return peak_memory({"ours": ours, "peer": peer}[what], n, k)
    views = batches(n, k)
    value_and_gradient(ours, views), value_and_gradient(peer, views)
    turns = [(seconds(ours, views), seconds(peer, views)) for _ in range(REPETITIONS)]
    return np.array(turns).T.tolist()


def in_a_process(*arguments):
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    if lightly_losses() is None:
        sys.exit("The peer is missing: pip install --no-deps lightly")
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("loss           n x K         time, ms  lightly   times faster      memory, MB  lightly")
    jobs = [(case, n, k) for case in CASES for n, k in CASES[case][-1]]
    for case, n, k in tqdm(jobs, desc="losses", leave=False):
        ours, peer = np.array(in_a_process("time", case, n, k))
        low, high = np.quantile(peer / ours, [0.25, 0.75])
        memory = [in_a_process(which, case, n, k) for which in ("ours", "peer")]
        tqdm.write(
            f"{case:<14} {f'{n} x {k}':<13} {1e3 * np.median(ours):8.1f} {1e3 * np.median(peer):8.1f}"
            f"  {np.median(peer) / np.median(ours):6.2f} ({low:.2f} to {high:.2f})"
            f"  {memory[0]:9.0f} {memory[1]:8.0f}"
        )


if __name__ == "__main__":
    if sys.argv[1:]:
        what, case, *size = sys.argv[1:]
        print(json.dumps(measure(what, case, *map(int, size))))
    else:
        main()
