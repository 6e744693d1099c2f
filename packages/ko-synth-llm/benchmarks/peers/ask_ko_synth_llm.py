"""Our run over tickets, to a file; prints records a second.

Run by bench_peers.py: `ask_ko_synth_llm.py URL N_RECORDS FOLDER`. A second run in the same folder finds the cache.
"""

import sys
import time
from pathlib import Path

import jinja2  # noqa: F401  # these two load when a task is read; peers load theirs when they are imported
import jsonschema_rs  # noqa: F401
from ko_synth_llm import Answered, Cache, Connection, OpenAIBackend, Options, load_task, run
from ko_synth_llm._files import write_jsonl
from ko_synth_llm.new_task import write_new_task

CONCURRENCY = 64


def main() -> None:
    url, n_records, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    started = time.perf_counter()
    if not (folder / "tickets").exists():
        write_new_task(folder / "tickets")
    data = [{"id": f"t{n}", "text": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records)]
    backend = OpenAIBackend(Connection(model="tiny", base_url=url, concurrency=CONCURRENCY))
    options = Options(concurrency=CONCURRENCY)
    with Cache(folder / "answers.sqlite") as cache:
        results = run(load_task(folder / "tickets"), data, backend, cache=cache, options=options)
        answers = (result.outcome for result in results if isinstance(result.outcome, Answered))
        n_answered = write_jsonl(folder / "answers.jsonl", answers)
    assert n_answered == n_records, n_answered
    print(f"rate {n_records / (time.perf_counter() - started):.1f}", flush=True)


if __name__ == "__main__":
    main()
