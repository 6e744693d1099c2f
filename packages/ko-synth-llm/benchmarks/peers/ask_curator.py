"""Bespoke curator's equivalent of a run: one `curator.LLM` over tickets; prints records a second.

Run by bench_peers.py, in an environment of its own: `ask_curator.py URL N_RECORDS FOLDER`.
"""

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

# litellm, which curator needs, brings the token table that tiktoken would fetch.
litellm = Path(str(find_spec("litellm").origin)).parent
os.environ["TIKTOKEN_CACHE_DIR"] = str(litellm / "litellm_core_utils/tokenizers")
os.environ |= {"CURATOR_DISABLE_RICH_DISPLAY": "1", "TELEMETRY_ENABLED": "false", "OPENAI_API_KEY": "none"}
from bespokelabs import curator  # noqa: E402  # it reads these variables when it is imported

CONCURRENCY = 64


class Tickets(curator.LLM):
    """Asks about one ticket a record."""

    def prompt(self, record: dict[str, str]) -> str:
        return record["text"]

    def parse(self, record: dict[str, str], response: str) -> dict[str, str]:
        return {"id": record["id"], "answer": response}


def main() -> None:
    url, n_records, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    started = time.perf_counter()
    data = [{"id": f"t{n}", "text": f"문의 {n}: 앱이 자꾸 꺼져요."} for n in range(n_records)]
    limits = {"max_requests_per_minute": 10_000_000, "max_tokens_per_minute": 10_000_000_000}
    model = Tickets(
        model_name="tiny",
        backend="openai",
        backend_params={"base_url": url, "max_concurrent_requests": CONCURRENCY, **limits},
        generation_params={"max_tokens": 256},
    )
    rows = model(data, working_dir=folder).dataset
    assert len(rows) == n_records, len(rows)
    print(f"rate {n_records / (time.perf_counter() - started):.1f}", flush=True)


if __name__ == "__main__":
    main()
