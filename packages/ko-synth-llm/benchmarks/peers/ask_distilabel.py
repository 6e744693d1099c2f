"""distilabel's equivalent of a run: one `TextGeneration` step over tickets; prints records a second.

Run by bench_peers.py, in an environment of its own: `ask_distilabel.py URL N_RECORDS FOLDER`.
"""

import logging
import sys
import time

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

CONCURRENCY = 64


def main() -> None:
    url, n_records, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    logging.disable(logging.INFO)
    started = time.perf_counter()
    data = [{"instruction": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records)]
    with Pipeline(name="tickets", cache_dir=folder) as pipeline:
        load = LoadDataFromDicts(data=data, batch_size=CONCURRENCY)
        model = OpenAILLM(model="tiny", base_url=url, api_key="none", generation_kwargs={"max_new_tokens": 256})
        load >> TextGeneration(llm=model, input_batch_size=CONCURRENCY)
    rows = pipeline.run(use_cache=True)["default"]["train"]
    n_answered = sum(answer is not None for answer in rows["generation"])
    assert n_answered == n_records, n_answered
    print(f"rate {n_records / (time.perf_counter() - started):.1f}", flush=True)


if __name__ == "__main__":  # its steps are processes, which read this file again
    main()
