"""Peak memory of a run as its records grow, with a backend that answers at once; prints one line for each count.

Run: `python benchmarks/bench_memory.py [--records 1000000]`. The process is one, so that each line holds those before.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from ko_synth_llm import Cache, Options, Reply, load_task, run
from ko_synth_llm.asking import Request
from ko_synth_llm.new_task import write_new_task

ANSWER = '{"label":"bug","reason":"오류를 알린다."}'


class Instant:
    """Replies at once."""

    model = "instant"
    revision = ""

    async def reply(self, _: Request, /) -> Reply:
        return Reply(text=ANSWER)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--check", action="store_true", help="Only try it.")
    options = parser.parse_args()
    n_records = 2000 if options.check else options.records
    with tempfile.TemporaryDirectory() as name:
        write_new_task(Path(name) / "tickets")
        task = load_task(Path(name) / "tickets")
        tickets = ({"id": f"t{n}", "text": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records))
        started = time.perf_counter()
        with Cache(Path(name) / "answers.sqlite") as cache:
            for n, _ in enumerate(run(task, tickets, Instant(), cache=cache, options=Options(concurrency=64)), start=1):
                if n in {1000, 10_000, 100_000, 300_000, 1_000_000, n_records}:
                    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    rate = n / (time.perf_counter() - started)
                    print(f"{n:>9} records  peak memory {megabytes:4.0f} MB  {rate:6.0f}/s", flush=True)


if __name__ == "__main__":
    main()
