"""Rates against a local server in a process of its own, and out of the cache; prints one line for each.

Run: `python benchmarks/bench_rate.py [--seconds 10]`; it needs the extra `openai`.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ko_synth_llm import Cache, Connection, OpenAIBackend, Options, load_task, run
from ko_synth_llm.new_task import write_new_task

SERVER = Path(__file__).parents[1] / "tests/model_server.py"
LINE = "{name:44} {rate:9.0f}/s  {share:5.1%} of {ideal:.0f}/s  peak memory {megabytes:.0f} MB"


@contextmanager
def server(latency_s: float) -> Iterator[str]:
    """Starts the server and yields its address."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), "--latency", str(latency_s), "--tickets"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def rate(folder: Path, url: str, *, n: int, concurrency: int, cache: Cache) -> float:
    """Results a second for n records of their own text each."""
    task = load_task(folder)
    backend = OpenAIBackend(Connection(model="tiny", base_url=url, concurrency=concurrency))
    tickets = ({"id": f"t{number}", "text": f"문의 {number}: 앱이 자꾸 꺼져요."} for number in range(n))
    started = time.perf_counter()
    n_done = sum(1 for _ in run(task, tickets, backend, cache=cache, options=Options(concurrency=concurrency)))
    assert n_done == n
    return n / (time.perf_counter() - started)


def say(name: str, found: float, ideal: float) -> None:
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(LINE.format(name=name, rate=found, share=found / ideal, ideal=ideal, megabytes=megabytes), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0, help="How long each measurement should take.")
    parser.add_argument("--check", action="store_true", help="Only try it.")
    options = parser.parse_args()
    seconds = 0.2 if options.check else options.seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "tickets"
        write_new_task(folder)
        for concurrency, latency_s in ((64, 0.2), (512, 2.0)):
            ideal = concurrency / latency_s
            n = max(concurrency, int(ideal * seconds) // concurrency * concurrency)
            with server(latency_s) as url, Cache(Path(name) / f"{concurrency}.sqlite") as cache:
                found = rate(folder, url, n=n, concurrency=concurrency, cache=cache)
                say(f"cold, {concurrency} at once, {latency_s:g} s each, {n} records", found, ideal)
                hits = rate(folder, url, n=n, concurrency=concurrency, cache=cache)
                say(f"out of the cache, {n} records", hits, 5000)


if __name__ == "__main__":
    main()
