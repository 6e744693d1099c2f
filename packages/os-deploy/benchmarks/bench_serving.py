"""What serving costs by size: makes corpora, deploys them exactly and with SEISMIC, benches both, prints a table.

    python bench_serving.py [--sizes 1000,10000,100000] [--check]

On the cluster of OPENSEARCH_URL, or on a server of its own (heap of 1 GB). The corpora are `make_corpus.py`'s: random
words by Zipf's law with 128 random dense dimensions, so that posting lists are as long as a language's; what SEISMIC
and two-phase search lose on them is a worst case, since there are no topics. `--check` only tries everything, on 300
passages.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from make_corpus import make
from os_deploy._files import read_json
from os_deploy.prove.bench import Bench, Measured
from os_deploy.server.process import start, stop
from os_deploy.server.spec import ServerSpec

PROGRAM = "from os_deploy.cli import main; main()"
DIMENSIONS = 128
MOST_FOR_SEISMIC = 20_000
"""Above this the clusters of random words take many minutes to build."""

CEILING = "seismic: {quantization_ceiling_ingest: 3.0, min_overlap: 0}"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of the cluster to measure."""
    if url := os.environ.get("OPENSEARCH_URL"):
        yield url
        return
    try:
        yield start(ServerSpec(port=9290, heap="1g", models=True), folder / "server").url
    finally:
        stop(folder / "server")


def os_deploy(url: str, folder: Path, *arguments: str) -> None:
    """Runs one command; its log goes to the terminal."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    subprocess.run(
        command, cwd=folder, env={**os.environ, "OPENSEARCH_URL": url}, check=True, stdout=subprocess.DEVNULL
    )


def bench(url: str, folder: Path, n_passages: int, n_queries: int, clients: str) -> Bench:
    """Deploys a corpus of that size, measures it and removes it."""
    make(folder, n_passages)
    chance = np.random.default_rng(42)
    for name, n_rows in (("documents", n_passages), ("queries", 500)):
        rows = chance.standard_normal((n_rows, DIMENSIONS), dtype=np.float32)
        np.save(folder / f"{name}.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
    common = "export: deploy\npassages: passages\nvectors: vectors.parquet\nquery: tokens\n"
    recipes = {f"exact-{n_passages}": "dense: documents.npy\n"}
    if n_passages <= MOST_FOR_SEISMIC:
        recipes[f"seismic-{n_passages}"] = f"field: sparse_vector\n{CEILING}\n"
    for name, more in recipes.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{common}{more}", encoding="utf-8")
        os_deploy(url, folder, "deploy", f"{name}.yaml")
    options = ["--queries", "queries.jsonl", "--dense-queries", "queries.npy", "--export", "deploy", "-o", "bench.json"]
    os_deploy(url, folder, "bench", *recipes, *options, "--n-queries", str(n_queries), "--clients", clients)
    for name in recipes:
        os_deploy(url, folder, "remove", name, "--yes")
    return read_json(folder / "bench.json", Bench)


def lines(found: Bench) -> Iterator[str]:
    """One row of the table a deployment and kind of query, for one client."""
    worth = {(q.name, q.mode): q.overlap for q in found.quality}
    for size in found.indices:
        rows = [r for r in found.rows if r.name == size.name and r.concurrency == 1]
        for mode in dict.fromkeys(row.mode for row in rows):
            cold, warm = (next(r for r in rows if r.mode == mode and r.warm == state) for state in (False, True))
            share = worth[size.name, mode]
            kept = "" if share is None else f"{share:.1%}"
            best = "**" if found.recommended == f"{size.name} {mode}" else ""
            yield f"| {size.n_passages:,} | {best}{mode}{best} | {_times(cold)} | {_times(warm)} | {kept} |"


def _times(row: Measured) -> str:
    return f"{row.p50_ms:.1f} / {row.p99_ms:.1f}"


def sizes(found: Bench) -> Iterator[str]:
    """One row of the table of sizes a deployment."""
    for i in found.indices:
        rate = f"{i.n_passages / i.ingest_s:,.0f}" if i.ingest_s else ""
        per_passage = f"{i.n_bytes / i.n_passages / 1000:.1f}"
        yield f"| {i.n_passages:,} | {i.field} | {i.n_bytes / 1e6:.1f} | {per_passage} | {rate} | {i.merge_s:.1f} |"


def main() -> None:
    """Prints both tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--clients", default="1")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    wanted = [300] if options.check else [int(size) for size in options.sizes.split(",")]
    found = []
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as url:
        for n_passages in wanted:
            folder = Path(name) / str(n_passages)
            found.append(bench(url, folder, n_passages, 5 if options.check else 500, options.clients))
    print("| passages | query | cold p50 / p99 ms | warm p50 / p99 ms | of the exact top 10 |\n|---|---|---|---|---|")
    print("\n".join(line for each in found for line in lines(each)))
    print("\n| passages | field | MB | KB a passage | sent a second | merge s |\n|---|---|---|---|---|---|")
    print("\n".join(line for each in found for line in sizes(each)))


if __name__ == "__main__":
    main()
