"""The rate of distilabel 1.5 on the server of bench_rate.py, cold and warm, to set beside ours; prints a line for each.

Run it in an environment of its own: `uv run --no-project --with "distilabel[openai]" --with setuptools --with requests
python benchmarks/peer_distilabel.py [--records 2000]`.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

SERVER = Path(__file__).parents[1] / "tests/model_server.py"
CONCURRENCY = 64


def rate(url: str, n_records: int, folder: Path) -> float:
    """Records a second of one pipeline of one step that asks for them in batches of 64."""
    data = [{"instruction": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records)]
    with Pipeline(name="tickets", cache_dir=folder) as pipeline:
        load = LoadDataFromDicts(data=data, batch_size=CONCURRENCY)
        model = OpenAILLM(model="tiny", base_url=url, api_key="none", generation_kwargs={"max_new_tokens": 256})
        load >> TextGeneration(llm=model, input_batch_size=CONCURRENCY)
    started = time.perf_counter()
    made = pipeline.run(use_cache=True)
    found = time.perf_counter() - started
    rows = made["default"]["train"]
    n_answered = sum(answer is not None for answer in rows["generation"])
    print(f"{n_answered} of {n_records} answered", file=sys.stderr)
    return n_records / found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.2)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    command = [sys.executable, str(SERVER), "--latency", str(options.latency), "--tickets"]
    with tempfile.TemporaryDirectory() as name:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            for kind in ("cold", "warm"):
                found = rate(url, options.records, Path(name))
                print(f"distilabel, {kind}, {options.records} records: {found:.0f}/s", flush=True)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
