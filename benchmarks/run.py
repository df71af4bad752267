"""The library beside its peers: time and memory, as ratios within one process.

    python benchmarks/run.py [CASE ...] [--long] [--quick] [--output FILE]

Each size of each case runs in processes of its own. In one of them the libraries take turns; in
one more for each library, the memory of a single call is taken.
Results of the cases and sizes that did not run are kept.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
import torch
from cases import OURS, all_cases, cases_of
from tqdm import tqdm

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "lightly", "pytorch-metric-learning",
            "cca-zoo", "faiss-cpu", "pyamg")  # fmt: skip
# Turns at most; seconds that they may take; seconds of a call that is repeated for its memory.
TURNS, BUDGET, PATIENCE = 9, 10.0, 60.0


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def take_turns(case, size, turns=TURNS):
    """Seconds of each turn of each library, and how their results differ.

    The first turn warms up and is not counted, but for a library so slow that it has no other.
    """
    setup, sides = timed(lambda: case.sides(size))
    first = {name: timed(call) for name, call in sides.items()}
    quick = [name for name, (seconds, _) in first.items() if seconds < BUDGET]
    seconds = {name: [] if name in quick else [first[name][0]] for name in sides}
    spent = sum(first[name][0] for name in quick)
    for _ in range(int(np.clip(BUDGET / max(spent, 1e-9), min(turns, 3), turns))):
        for name in quick:
            seconds[name].append(timed(sides[name])[0])
    results = {name: result for name, (_, result) in first.items()}
    record = {
        "seconds": seconds,
        "difference": {
            name: float(case.difference(results[OURS], result))
            for name, result in results.items()
            if name != OURS
        },
    }
    if case.residual:
        residual = case.residual(*size)
        record["residual"] = {name: residual(result) for name, result in results.items()}
    if case.setup:
        record["setup"] = {"what": case.setup, "seconds": setup}
    return record


def peak_memory(case, size, name):
    """Megabytes of the process at its peak in one call, and how many of them the call added.

    None where the system does not tell.
    """
    status, forget_peak = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not forget_peak.exists():
        return None

    def megabytes(key):
        return int(re.search(rf"^{key}:\s+(\d+) kB$", status.read_text(), re.M)[1]) / 1024

    case.sides(case.quick)[name]()
    call = case.sides(size)[name]
    forget_peak.write_text("5")
    before = megabytes("VmRSS")
    call()
    return {"peak": megabytes("VmHWM"), "added": megabytes("VmHWM") - before}


def measure(module, name, size, side):
    case = cases_of(module)[name]
    return peak_memory(case, size, side) if side else take_turns(case, size)


def in_a_process(*arguments):
    """What `measure` returns of these arguments in a fresh process.

    Its allocator gives memory back at once, so that a call cannot reuse what others left.
    """
    command = [sys.executable, __file__, "--measure", json.dumps(arguments)]
    environment = os.environ | ({"MALLOC_MMAP_THRESHOLD_": "65536"} if arguments[-1] else {})
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(run.stdout)


def record_of(case, size):
    job = case.module, case.name, size
    record = {"size": list(size)} | in_a_process(*job, None)
    record["memory"] = {
        side: in_a_process(*job, side) if median(seconds) < PATIENCE else None
        for side, seconds in record["seconds"].items()
    }
    return record


def is_installed(package):
    return any(True for _ in metadata.distributions(name=package))


def machine():
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory": round(memory),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES if is_installed(name)},
    }


def main(names, *, long=False, quick=False, output=RESULTS):
    cases = all_cases()
    unknown = sorted(set(names) - set(cases))
    if unknown:
        sys.exit(f"There is no case {unknown[0]}; choose from {', '.join(cases)}.")
    chosen = [cases[name] for name in names or cases]
    jobs = [
        (case, size)
        for case in chosen
        for size in ([case.quick] if quick else case.sizes + (case.long if long else []))
    ]
    known = json.loads(output.read_text())["cases"] if output.exists() else {}
    kept = {(name, *one["size"]): one for name in known for one in known[name]["records"]}
    here = machine()
    for case, size in (progress := tqdm(jobs, desc="benchmarks")):
        progress.set_postfix_str(f"{case.name}, {' x '.join(map(str, size))}")
        kept[case.name, *size] = record_of(case, size) | {"machine": here}
        found = {
            name: {
                "axes": one.axes,
                "records": [kept[key] for key in sorted(kept) if key[0] == name],
            }
            for name, one in cases.items()
            if any(key[0] == name for key in kept)
        }
        output.write_text(json.dumps({"cases": found}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="CASE")
    parser.add_argument("--long", action="store_true", help="also the sizes that take minutes")
    parser.add_argument("--quick", action="store_true", help="only a tiny size of each case")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(*json.loads(given.measure))))
    else:
        main(given.names, long=given.long, quick=given.quick, output=given.output)
