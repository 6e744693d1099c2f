"""Mining: 100,000 queries over 100,000 passages by BM25, 7 hard negatives each; time and peak memory of the command.

Run: `python benchmarks/bench_mining.py [--check | --record]`. Passages are synthetic words parted by spaces, so that
analysing them is splitting. What is checked is memory, which is the same on any machine; time is only recorded.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import Texts, synthetic
from figures import add_options, settle

ALLOWED_MB = 3072


def write(texts: Texts, folder: Path) -> None:
    """A corpus of one passage a document, and a pair for each query with the passage it was drawn from."""
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as lines:
        for row, terms in enumerate(texts.documents()):
            lines.write(json.dumps({"_id": f"d{row}#0", "text": " ".join(f"t{t}" for t in terms)}) + "\n")
    with (folder / "pairs.jsonl").open("w", encoding="utf-8") as lines:
        for number, (row, terms) in enumerate(zip(texts.sources, texts.queries, strict=True)):
            query = " ".join(f"t{t}" for t in terms)
            pair = {"query_id": f"q{number}", "query": query, "doc_id": f"d{row}#0", "kind": "heading"}
            lines.write(json.dumps(pair) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100_000)
    add_options(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(synthetic(given.documents, given.queries), folder)
        mine = ["mine", str(folder), str(folder / "pairs.jsonl"), "-o", str(folder / "out"), "--miners", "bm25:words"]
        program = "from sparse_mining import cli; cli.main()"
        started = time.perf_counter()
        command = [sys.executable, "-c", program, *mine, "--hard", "7", "--easy", "0", "--threads", "2"]
        subprocess.run(command, check=True)
        taken = time.perf_counter() - started
        n_groups = sum(1 for side in ("train", "val") for _ in (folder / "out" / f"{side}.jsonl").open("rb"))
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {"seconds": taken, "peak_mb": peak_mb, "n_groups": n_groups, "allowed_mb_over_peak": ALLOWED_MB / peak_mb}
    title = f"mining {given.queries} x {given.documents}"
    settle(title, figures, ratios=["allowed_mb_over_peak"], options=given)


if __name__ == "__main__":
    main()
