"""The library beside its peers: time and memory, as ratios within one process.

    python benchmarks/run.py [CASE ...] [--long] [--quick] [--output FILE]

Each size of each case runs in processes of its own. In one of them the libraries take turns; in
one more for each library, a single call shows the memory that it adds to the process's peak.
Results of the cases and sizes that did not run are kept.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from cases import OURS, all_cases
from tqdm import tqdm

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "lightly", "pytorch-metric-learning",
            "cca-zoo", "faiss-cpu")  # fmt: skip
TURNS, BUDGET = 9, 6.0


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def take_turns(case, size, turns=TURNS):
    """Seconds of each turn of each library, and how their results differ."""
    sides = case.sides(size)
    first = {name: timed(call) for name, call in sides.items()}
    results = {name: result for name, (_, result) in first.items()}
    spent = sum(seconds for seconds, _ in first.values())
    if spent > BUDGET:  # a warm-up is then a small part of what it would spare
        rows = [[seconds for seconds, _ in first.values()]]
    else:
        count = int(np.clip(BUDGET / max(spent, 1e-9), 3, turns))
        rows = [[timed(call)[0] for call in sides.values()] for _ in range(count)]
    record = {
        "seconds": dict(zip(sides, np.array(rows).T.tolist())),
        "difference": {
            name: float(case.difference(results[OURS], result))
            for name, result in results.items()
            if name != OURS
        },
    }
    if case.residual:
        residual = case.residual(*size)
        record["residual"] = {name: residual(result) for name, result in results.items()}
    return record


def peak_memory(case, size, name):
    """Megabytes that one call adds to the process's peak."""
    case.sides(case.quick)[name]()
    call, before = case.sides(size)[name], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    call()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure(name, size, side):
    case = all_cases()[name]
    return peak_memory(case, size, side) if side else take_turns(case, size)


def in_a_process(*arguments):
    command = [sys.executable, __file__, "--measure", json.dumps(arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def record_of(name, size):
    record = {"size": list(size)} | in_a_process(name, size, None)
    record["memory"] = {side: in_a_process(name, size, side) for side in record["seconds"]}
    return record


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
        "packages": {name: metadata.version(name) for name in PACKAGES},
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
        kept[case.name, *size] = record_of(case.name, size) | {"machine": here}
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
