"""What `import ko_synth_llm` takes, the best of nine processes, beside the interpreter's own start.

Run: `python benchmarks/bench_import.py [--check | --record]`.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

from figures import add_options, settle

ROUNDS = 9
IMPORT = "import time; t = time.perf_counter(); import ko_synth_llm; print(time.perf_counter() - t)"


def main() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args()
    imported, bare = best(import_s), best(bare_start_s)
    figures = {"import_ms": 1000 * imported, "bare_start_ms": 1000 * bare, "bare_start_over_import": bare / imported}
    settle("import", figures, ratios=["bare_start_over_import"], options=options)


def best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(ROUNDS))


def import_s() -> float:
    """Seconds that the import takes by the process's own clock, without its start."""
    return float(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout)


def bare_start_s() -> float:
    """Seconds from starting an interpreter that does nothing to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
