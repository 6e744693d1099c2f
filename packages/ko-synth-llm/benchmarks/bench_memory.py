"""Peak memory of a run as its records grow, with a backend that answers at once; prints one line for each count.

Run: `python benchmarks/bench_memory.py [--records 1000000] [--check | --record]`. One process, so that each
count holds those before.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from figures import add_options, settle
from ko_synth_llm import Cache, Options, Reply, load_task, run
from ko_synth_llm.asking import Request
from ko_synth_llm.new_task import write_new_task

COUNTS = (10_000, 100_000, 1_000_000)
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
    add_options(parser)
    options = parser.parse_args()
    n_records = options.records
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        write_new_task(Path(name) / "tickets")
        task = load_task(Path(name) / "tickets")
        tickets = ({"id": f"t{n}", "text": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records))
        started = time.perf_counter()
        with Cache(Path(name) / "answers.sqlite") as cache:
            for n, _ in enumerate(run(task, tickets, Instant(), cache=cache, options=Options(concurrency=64)), start=1):
                if n in {*COUNTS, n_records}:
                    figures[f"peak_mb_at_{n}"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    figures[f"per_s_at_{n}"] = n / (time.perf_counter() - started)
    figures["peak_at_first_over_last"] = figures[f"peak_mb_at_{COUNTS[0]}"] / figures[f"peak_mb_at_{n_records}"]
    settle("memory", figures, ratios=["peak_at_first_over_last"], options=options)


if __name__ == "__main__":
    main()
