"""What the benchmarks share: ours and the peer's in turns, their ratio, results.json and `--check`.

`python benchmarks/bench_X.py` prints its figures as JSON and, with `--record`, keeps them in results.json;
`--check` fails where a ratio is 20 % below the one kept there.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
ALLOWED_LOSS = 0.2
"""Share of a kept ratio that a later run may lose."""


def in_turns(forms: Mapping[str, Callable[[], object]], *, rounds: int = 3) -> dict[str, dict[str, float]]:
    """The best wall and processor seconds of each form; they run in turns, so that other load meets all alike."""
    best = {name: {"seconds": float("inf"), "cpu_seconds": float("inf")} for name in forms}
    for form in forms.values():
        form()
    for _ in range(rounds):
        for name, form in forms.items():
            began, cpu = time.perf_counter(), time.process_time()
            form()
            taken = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
            best[name] = {k: min(v, taken[k]) for k, v in best[name].items()}
    return {name: {k: round(v, 6) for k, v in found.items()} for name, found in best.items()}


def machine() -> dict[str, object]:
    """What the figures hold for."""
    import torch

    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((n.partition(":")[2].strip() for n in lines if n.startswith("model name")), platform.machine())


def report(name: str, shape: Mapping[str, object], figures: Mapping[str, object], ratios: Mapping[str, float]) -> None:
    """Prints a benchmark's figures, then keeps or checks them as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on a ratio 20 %% below results.json")
    parser.add_argument("--record", action="store_true", help="keep these figures in results.json")
    asked = parser.parse_args()
    found = {"shape": dict(shape), "machine": machine(), "figures": dict(figures), "ratios": dict(ratios)}
    print(json.dumps({name: found}, indent=2))
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    if asked.record:
        RESULTS.write_text(json.dumps(kept | {name: found}, indent=2) + "\n", encoding="utf-8")
    if asked.check:
        lost = losses(ratios, kept.get(name, {}).get("ratios", {}))
        if lost:
            sys.exit(f"{name}: slower than results.json allows: " + "; ".join(lost))


def losses(found: Mapping[str, float], kept: Mapping[str, float]) -> list[str]:
    """The kept ratios that a run does not reach, in words.

    >>> losses({"a": 1.5, "b": 2.0}, {"a": 2.0, "b": 2.0})
    ['a is 1.5, was 2.0']
    """
    return [f"{k} is {found.get(k)}, was {v}" for k, v in kept.items() if found.get(k, 0.0) < (1 - ALLOWED_LOSS) * v]
