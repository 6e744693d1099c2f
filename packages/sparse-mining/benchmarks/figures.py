"""The figures of benchmarks: ours and the peer's taken in turns, kept in results.json, and checked against it.

Only ratios are checked, and what must hold exactly: times differ from machine to machine.

Vendored: the packages whose benchmarks are checked hold this very file, and `nox -s contracts` keeps the copies
identical (docs/adr/0002).
"""

import json
import os
import platform
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

RESULTS = Path(__file__).with_name("results.json")
TOLERATED = 0.8
"""Share of a recorded ratio below which `--check` fails."""


def in_turns(forms: Mapping[str, Callable[[], object]], *, rounds: int = 3) -> dict[str, dict[str, float]]:
    """The best wall and processor seconds of each form after one to warm up; turns let other load meet all alike.

    Processor seconds are those of the whole process: of one thread they say most on a busy machine, of several nothing.
    """
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


def add_options(parser: ArgumentParser) -> None:
    """What every benchmark can be told to do with its figures."""
    parser.add_argument("--check", action="store_true", help="Fail where a ratio is 20 %% below the recorded one.")
    parser.add_argument("--record", action="store_true", help="Write the figures to results.json.")


def settle(
    name: str,
    figures: Mapping[str, float],
    *,
    ratios: Iterable[str],
    options: Namespace,
    told: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Prints a benchmark's figures, and records or checks them as the options say.

    ratios: the figures that say the same on any machine, of which more is better; told: what else is to be kept, such
    as the shape of the work. A record that keeps its ratios apart from its figures is checked by those.
    """
    found = {"figures": {key: round(value, 3) for key, value in figures.items()}, **told}
    print(json.dumps({name: found}, indent=2), flush=True)
    held = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    if options.record:
        held[name] = {**found, "machine": machine()}
        RESULTS.write_text(json.dumps(dict(sorted(held.items())), indent=2) + "\n", encoding="utf-8")
    if options.check:
        record = held.get(name, {})
        low = losses(figures, record.get("ratios", record.get("figures", {})), ratios)
        if low:
            sys.exit(f"{name}: more than 20 % below what was recorded: {'; '.join(low)}")


def losses(found: Mapping[str, float], recorded: Mapping[str, float], ratios: Iterable[str]) -> list[str]:
    """The ratios that are far below the recorded ones, in words; one that was not recorded is not.

    >>> losses({"a": 1.5, "b": 2.0, "c": 0.1}, {"a": 2.0, "b": 2.1}, ["a", "b", "c"])
    ['a is 1.500, recorded 2.0']
    """
    return [
        f"{key} is {found[key]:.3f}, recorded {recorded[key]}"
        for key in ratios
        if key in found and key in recorded and found[key] < TOLERATED * recorded[key]
    ]


def machine() -> dict[str, object]:
    """What the figures hold for; the load is that of all processes in the last minute."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((n.partition(":")[2].strip() for n in lines if n.startswith("model name")), platform.machine())
