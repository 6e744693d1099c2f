"""The recorded figures of the benchmarks: kept in results.json with the machine they came from, and checked against it.

Only ratios are checked, and what must hold exactly: times differ from machine to machine.
"""

import json
import os
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"
TOLERATED = 0.8
"""Share of a recorded ratio below which `--check` fails."""


def add_options(parser: ArgumentParser) -> None:
    """What every benchmark can be told to do with its figures."""
    parser.add_argument("--check", action="store_true", help="Fail where a ratio is 20 % below the recorded one.")
    parser.add_argument("--record", action="store_true", help="Write the figures to results.json.")


def settle(name: str, figures: Mapping[str, float], ratios: Iterable[str], options: Namespace) -> None:
    """Prints a benchmark's figures, and records or checks them as the options say.

    ratios: the figures that say the same on any machine, of which more is better.
    """
    print(json.dumps({name: figures}, indent=2), flush=True)
    held = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    if options.record:
        machine = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        held[name] = {"figures": {key: round(value, 3) for key, value in figures.items()}, "machine": machine}
        RESULTS.write_text(json.dumps(dict(sorted(held.items())), indent=2) + "\n", encoding="utf-8")
    if options.check:
        recorded = held.get(name, {}).get("figures", {})
        low = [
            f"{key} is {figures[key]:.3f}, recorded {recorded[key]}" for key in ratios if is_low(figures, recorded, key)
        ]
        if low:
            sys.exit(f"{name}: more than 20 % below what was recorded: {'; '.join(low)}")


def is_low(figures: Mapping[str, float], recorded: Mapping[str, float], key: str) -> bool:
    """Whether a figure is far below the recorded one; one that was not recorded is not."""
    return key in figures and key in recorded and figures[key] < TOLERATED * recorded[key]
