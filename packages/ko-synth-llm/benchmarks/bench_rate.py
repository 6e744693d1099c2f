"""Rates against a local server of fixed latency, and out of the cache, as shares of the ideal rate.

Run: `python benchmarks/bench_rate.py [--seconds 20] [--check | --record]`; it needs the extra `openai`. Each cold
rate is the best of two runs.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from figures import add_options, settle
from ko_synth_llm import Cache, Connection, OpenAIBackend, Options, load_task, run
from ko_synth_llm.new_task import write_new_task
from quick_server import server

LOADS = ((64, 0.2), (512, 2.0))
"""(requests at once, seconds of each)."""
N_HITS = 50_000


def rate(folder: Path, url: str, *, n: int, concurrency: int, cache: Cache) -> tuple[float, float]:
    """(results a second, microseconds of processor time each) for n records of their own text each."""
    task = load_task(folder)
    backend = OpenAIBackend(Connection(model="tiny", base_url=url, concurrency=concurrency))
    tickets = ({"id": f"t{number}", "text": f"문의 {number}: 앱이 자꾸 꺼져요."} for number in range(n))
    started, used = time.perf_counter(), time.process_time()
    n_done = sum(1 for _ in run(task, tickets, backend, cache=cache, options=Options(concurrency=concurrency)))
    assert n_done == n
    return n / (time.perf_counter() - started), 1e6 * (time.process_time() - used) / n


def cold(folder: Path, *, concurrency: int, latency_s: float, seconds: float) -> dict[str, float]:
    """The best of two runs against the server, each with a cache of its own."""
    ideal = concurrency / latency_s
    n = max(2, round(seconds / latency_s)) * concurrency
    found = []
    for number in (1, 2):
        with server(latency_s) as url, Cache(folder.parent / f"{concurrency}-{number}.sqlite") as cache:
            found.append(rate(folder, url, n=n, concurrency=concurrency, cache=cache))
    per_s, used_us = max(found)
    name = f"cold_{concurrency}_at_{latency_s:g}_s"
    return {f"{name}_per_s": per_s, f"{name}_share_of_ideal": per_s / ideal, f"{name}_cpu_us": used_us}


def hits(folder: Path) -> dict[str, float]:
    """Out of the cache, the best of three after a run that fills it."""
    with server(0.0) as url, Cache(folder.parent / "hits.sqlite") as cache:
        rate(folder, url, n=N_HITS, concurrency=64, cache=cache)
        found = [rate(folder, url, n=N_HITS, concurrency=64, cache=cache) for _ in range(3)]
    return {"hits_per_s": max(found)[0], "hits_cpu_us": min(used_us for _, used_us in found)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0, help="How long each cold run should take.")
    add_options(parser)
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "tickets"
        write_new_task(folder)
        for concurrency, latency_s in LOADS:
            figures |= cold(folder, concurrency=concurrency, latency_s=latency_s, seconds=options.seconds)
        figures |= hits(folder)
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shares = [key for key in figures if key.endswith("share_of_ideal")]
    settle("rate", figures, ratios=shares, options=options)


if __name__ == "__main__":
    main()
