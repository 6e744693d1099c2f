"""What serving costs by size: makes corpora, deploys them exactly and with SEISMIC, benches both, prints tables.

    python bench_serving.py [--sizes 1000,10000,100000] [--clients 1,4,16] [--check]

On the cluster of OPENSEARCH_URL, or on a server of its own (heap of 1 GB). The corpora are `make_corpus.py`'s: random
words by Zipf's law with 128 random dense dimensions, so that posting lists are as long as a language's; what SEISMIC
and two-phase search lose on them is a worst case, since there are no topics. Each size's rows are printed and kept in
`results.json`, with the machine, as soon as they are known. `--check` only tries everything, on 300 passages, and keeps
nothing.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from make_corpus import make
from os_deploy._files import read_json, write_json
from os_deploy.cluster import Cluster
from os_deploy.connection import connection_from
from os_deploy.prove.bench import Bench, Measured
from os_deploy.server.process import start, stop
from os_deploy.server.spec import ServerSpec, runs_models_here

PROGRAM = "from os_deploy.cli import main; main()"
RESULTS = Path(__file__).with_name("results.json")
DIMENSIONS = 128
N_QUERIES = 500
MAX_S = 5
"""Seconds of one measurement: slow kinds of query are asked fewer times."""

MOST_FOR_SEISMIC = 20_000
"""Above this the clusters of random words take many minutes to build."""

SEISMIC = "field: sparse_vector\nseismic: {quantization_ceiling_ingest: 3.0, min_overlap: 0}\n"
PORT = 9290
HEAP = "1g"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of the cluster to measure."""
    if url := os.environ.get("OPENSEARCH_URL"):
        yield url
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the server is stopped, too
    try:
        yield start(ServerSpec(port=PORT, heap=HEAP), folder / "server").url
    finally:
        stop(folder / "server")


def os_deploy(url: str, folder: Path, *arguments: str) -> None:
    """Runs one command; its log goes to the terminal."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    environment = {**os.environ, "OPENSEARCH_URL": url}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def bench(url: str, folder: Path, n_passages: int, *, n_queries: int, clients: Sequence[int]) -> Bench:
    """Deploys a corpus of that size, measures it and removes it."""
    make(folder, n_passages)
    chance = np.random.default_rng(42)
    for name, n_rows in (("documents", n_passages), ("queries", 500)):
        rows = chance.standard_normal((n_rows, DIMENSIONS), dtype=np.float32)
        np.save(folder / f"{name}.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
    query = "tokenizer" if runs_models_here() else "tokens"
    common = f"export: deploy\npassages: passages\nvectors: vectors.parquet\nquery: {query}\n"
    recipes = {f"exact-{n_passages}": "dense: documents.npy\n"}
    if n_passages <= MOST_FOR_SEISMIC:
        recipes[f"seismic-{n_passages}"] = SEISMIC
    for name, more in recipes.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{common}{more}", encoding="utf-8")
        os_deploy(url, folder, "deploy", f"{name}.yaml")
    files = ["--queries", "queries.jsonl", "--dense-queries", "queries.npy", "--export", "deploy", "-o", "bench.json"]
    effort = ["--n-queries", str(n_queries), "--max-seconds", str(MAX_S), "--clients", ",".join(map(str, clients))]
    os_deploy(url, folder, "bench", *recipes, *files, *effort)
    for name in recipes:
        os_deploy(url, folder, "remove", name, "--yes")
    return read_json(folder / "bench.json", Bench)


def head(clients: Sequence[int]) -> str:
    """The first two rows of the table of times."""
    columns = ["passages", "field", "query", "cold", *(f"warm, {n} at once" for n in clients), "of the exact top 10"]
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def lines(found: Bench, clients: Sequence[int]) -> Iterator[str]:
    """One row of the table a deployment and kind of query: p50 / p99 in ms, and queries a second of many clients."""
    worth = {(q.name, q.mode): q.overlap for q in found.quality}
    for size in found.indices:
        rows = {(r.mode, r.concurrency, r.warm): r for r in found.rows if r.name == size.name}
        for mode in dict.fromkeys(mode for mode, _, _ in rows):
            times = [_times(rows[mode, 1, False]), *(_times(rows[mode, n, True]) for n in clients)]
            share = worth[size.name, mode]
            best = "**" if found.recommended == f"{size.name} {mode}" else ""
            kept = "" if share is None else f"{share:.1%}"
            yield f"| {size.n_passages:,} | {size.field} | {best}{mode}{best} | {' | '.join(times)} | {kept} |"


def _times(row: Measured) -> str:
    shown = f"{row.p50_ms:.1f} / {row.p99_ms:.1f}"
    return shown if row.concurrency == 1 else f"{shown}, {row.per_second:,.0f}/s"


def sizes(found: Bench) -> Iterator[str]:
    """One row of the table of sizes a deployment."""
    for i in found.indices:
        rate = f"{i.n_passages / i.ingest_s:,.0f}" if i.ingest_s else ""
        per_passage = f"{i.n_bytes / i.n_passages / 1000:.1f}"
        yield f"| {i.n_passages:,} | {i.field} | {i.n_bytes / 1e6:.1f} | {per_passage} | {rate} | {i.merge_s:.1f} |"


class _Version(msgspec.Struct, frozen=True):
    number: str


class _Root(msgspec.Struct, frozen=True):
    version: _Version


def machine(url: str) -> dict[str, object]:
    """What the figures came from."""
    cluster = Cluster(connection_from(os.environ, url=url))
    found = cluster.get("/", _Root).version.number
    cluster.close()
    heap = "" if "OPENSEARCH_URL" in os.environ else HEAP
    here = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
    return {**here, "opensearch": found, "heap": heap}


def keep(found: Bench, n_passages: int, *, seconds: float, made_on: dict[str, object]) -> None:
    """Writes one size's figures beside this file, in the place of earlier ones of that size."""
    held = read_json(RESULTS, dict[str, object]) if RESULTS.is_file() else {}
    figures = {"seconds": round(seconds, 1), **msgspec.to_builtins(found)}
    write_json(RESULTS, {**held, f"serving {n_passages}": {"figures": figures, "machine": made_on}})


def main() -> None:
    """Prints both tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    wanted = [] if options.check else [int(size) for size in options.sizes.split(",")]
    clients = [int(n) for n in options.clients.split(",")]
    sized: list[str] = []
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as url:
        made_on = machine(url)
        # also what makes Java compile all that the first size would otherwise wait for
        tried = bench(url, Path(name) / "300", 300, n_queries=5 if options.check else 200, clients=clients)
        print(head(clients), flush=True)
        if options.check:
            print("\n".join(lines(tried, clients)))
            sized += sizes(tried)
        for n_passages in wanted:
            began = time.monotonic()
            found = bench(url, Path(name) / str(n_passages), n_passages, n_queries=N_QUERIES, clients=clients)
            keep(found, n_passages, seconds=time.monotonic() - began, made_on=made_on)
            print("\n".join(lines(found, clients)), flush=True)
            sized += sizes(found)
    print("\n| passages | field | MB | KB a passage | sent a second | merge s |\n|---|---|---|---|---|---|")
    print("\n".join(sized))


if __name__ == "__main__":
    main()
