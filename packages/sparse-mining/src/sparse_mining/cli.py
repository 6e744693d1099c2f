"""The command line: `sparse-mining embed | search | fuse | mine`.

A command's options are its parameters, so these functions are wider than the house allows elsewhere.
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output, exit_on_error
from sparse_mining.bm25 import Settings, Variant
from sparse_mining.fusion import How
from sparse_mining.groups import Scale

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False)

Passages = Annotated[Path, typer.Argument(metavar="PASSAGES", help="BEIR folder holding corpus.jsonl, or that file")]
Out = Annotated[Path, typer.Option("-o", "--output", help="Where the result goes")]
Seed = Annotated[int, typer.Option(help="Of everything random")]
Dimensions = Annotated[int, typer.Option(min=1, help="Of dense vectors made here")]


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)


@app.command()
def search(
    passages: Passages,
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="BEIR queries.jsonl")],
    output: Out,
    with_: Annotated[str, typer.Option("--with", help="bm25:ANALYSER, dense:svd, dense:FOLDER or sparse:VECTORS")],
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100,
    variant: Annotated[Variant, typer.Option(help="Of BM25")] = "lucene",
    k1: Annotated[float, typer.Option(help="Of BM25")] = 1.2,
    b: Annotated[float, typer.Option(help="Of BM25")] = 0.75,
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for dense:svd")] = None,
    dimensions: Dimensions = 128,
    query_vectors: Annotated[Path | None, typer.Option(help="Sparse vectors of the queries")] = None,
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for queries as tokens times IDF")] = None,
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json (or its folder) of --query-idf")] = None,
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: from --with")] = "",
    timing: Annotated[Path | None, typer.Option(help="Where milliseconds per query go, as JSON")] = None,
    seed: Seed = 42,
) -> None:
    """Searches passages for queries and writes a TREC run."""
    from sparse_mining import searching
    from sparse_mining._files import write_json
    from sparse_mining.passages import read_collection, read_queries
    from sparse_mining.runs import write_run
    from sparse_mining.searchers import Choices, searcher

    started = time.time()
    collection = read_collection(passages)
    asked = read_queries(queries)
    choices = Choices(
        settings=Settings(variant=variant, k1=k1, b=b),
        dimensions=dimensions,
        embeddings=embeddings,
        query_vectors=query_vectors,
        query_idf=query_idf,
        query_tokenizer=query_tokenizer,
        seed=seed,
    )
    system = tag or _tag(with_)
    found = searching.search(asked, searcher(with_, collection, choices), collection=collection, k=k, system=system)
    n_lines = write_run(output, found.run, tag=system)
    if timing is not None:
        write_json(timing, found.timing)
    Manifest(
        package="sparse-mining",
        package_version=_version(),
        parameters={"with": with_, "k": k, "variant": variant, "k1": k1, "b": b, "dimensions": dimensions},
        seed=seed,
        inputs=[collection.path, queries, *(p for p in (query_vectors, query_idf, query_tokenizer) if p is not None)],
        outputs=[Output(path=output, format="run", n_records=n_lines)],
        counts={"n_queries": len(asked), "n_documents": len(collection)},
        started=started,
    ).write()
    _log(f"{output}: {n_lines} documents for {len(asked)} queries, {found.timing.query_ms:.3f} ms a query")


@app.command()
def fuse(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="TREC runs, two or more")],
    output: Out,
    how: Annotated[How, typer.Option(help="Reciprocal ranks, or scores by min-max or z-score")] = "rrf",
    weights: Annotated[str, typer.Option(help="One number a run, with commas; empty: equal")] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100,
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: the way of fusing")] = "",
) -> None:
    """Fuses runs into one."""
    from sparse_mining import fusion
    from sparse_mining.runs import read_run, write_run

    started = time.time()
    if len(runs) < 2:
        raise InputError(f"fuse wants two runs or more, found {len(runs)}")
    shares = _weights(weights, len(runs))
    fused = fusion.fuse([read_run(run) for run in runs], how, weights=shares, k=k)
    n_lines = write_run(output, fused, tag=tag or how)
    Manifest(
        package="sparse-mining",
        package_version=_version(),
        parameters={"how": how, "weights": shares, "k": k},
        inputs=runs,
        outputs=[Output(path=output, format="run", n_records=n_lines)],
        counts={"n_queries": len(fused)},
        started=started,
    ).write()


@app.command()
def embed(
    passages: Passages,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for arrays, ids, encoder and clusters")],
    pairs: Annotated[
        list[Path] | None, typer.Option(help="Pairs whose queries are embedded too; repeat for more")
    ] = None,
    method: Annotated[str, typer.Option(help="How: svd (TF-IDF over kiwi's terms, reduced)")] = "svd",
    dimensions: Dimensions = 128,
    index: Annotated[Path | None, typer.Option(help="Where a FAISS index of the passages goes")] = None,
    clusters: Annotated[int, typer.Option(min=0, help="K-means clusters; 0: chosen by silhouette")] = 0,
    seed: Seed = 42,
) -> None:
    """Makes dense vectors of passages and queries, with clusters and a FAISS index."""
    from sparse_mining import embedding
    from sparse_mining.pairs import read_pairs
    from sparse_mining.passages import read_collection

    started = time.time()
    if method != "svd":
        raise InputError(f"--method {method!r} is not known: wanted svd")
    collection = read_collection(passages)
    found = read_pairs(pairs or [], collection)
    made = embedding.embed(collection, found, dimensions=dimensions, n_clusters=clusters, seed=seed)
    embedding.write(made, output, index=index)
    outputs = [Output(path=output, format="embeddings", n_records=len(collection))]
    if index is not None:
        outputs.append(Output(path=index, format="faiss_index", n_records=len(collection)))
    n_dimensions = made.encoder.header.dimensions
    Manifest(
        package="sparse-mining",
        package_version=_version(),
        parameters={"method": method, "dimensions": dimensions, "clusters": clusters},
        seed=seed,
        inputs=[collection.path, *(pairs or [])],
        outputs=outputs,
        counts={"n_documents": len(collection), "n_queries": len(made.query_ids), "n_dimensions": n_dimensions},
        started=started,
    ).write()
    if n_dimensions < dimensions:
        _log(f"{n_dimensions} dimensions, not {dimensions}: the passages allow no more")
    _log(f"{output}: {len(collection)} passages, {len(made.query_ids)} queries, {made.clusters.n_clusters} clusters")


@app.command()
def mine(
    passages: Passages,
    pairs: Annotated[list[Path], typer.Argument(metavar="PAIRS...", help="Files of pairs")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for train.jsonl, val.jsonl, metadata.json")],
    hard: Annotated[int, typer.Option(min=0, help="Hard negatives per query")] = 7,
    easy: Annotated[int, typer.Option(min=0, help="Random negatives per query")] = 3,
    miners: Annotated[
        str, typer.Option(help="bm25[:ANALYSER], dense, sparse:VECTORS; NAME=N sets a quota")
    ] = "bm25,dense",
    scores: Annotated[Scale, typer.Option(help="graded: 10 > hard > easy; raw: the first miner's")] = "graded",
    window: Annotated[str, typer.Option(help="Ranks hard negatives are sought in, FIRST:LAST")] = "1:100",
    relative_margin: Annotated[
        float, typer.Option(help="A negative scores at most (1 - this) of its positive; -1: off")
    ] = 0.05,
    absolute_margin: Annotated[
        float, typer.Option(help="A negative scores this much below its positive; -1: off")
    ] = -1.0,
    duplicates: Annotated[Path | None, typer.Option(help="duplicate_clusters.jsonl")] = None,
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for the dense miner")] = None,
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for a sparse miner")] = None,
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json, for a sparse miner")] = None,
    exclude_queries: Annotated[list[Path] | None, typer.Option(help="Evaluation queries that must not be used")] = None,
    max_synthetic_ratio: Annotated[float, typer.Option(min=0, help="Generated pairs per real one in train")] = 1.0,
    val_kinds: Annotated[str, typer.Option(help="Kinds in val")] = "title,first_sentence,heading,question",
    val_share: Annotated[float, typer.Option(min=0, max=0.9, help="Of documents, where pairs have no split")] = 0.1,
    dimensions: Dimensions = 128,
    seed: Seed = 42,
) -> None:
    """Mines training groups: a positive, hard negatives of several searchers, easy ones at random."""
    from sparse_mining import training
    from sparse_mining.mining import Plan, quotas
    from sparse_mining.negatives import Margin
    from sparse_mining.searchers import Choices
    from sparse_mining.splits import Rules, val_kinds_of

    names = [name.strip() for name in miners.split(",") if name.strip()]
    first_rank, last_rank = _window(window)
    margin = Margin(
        relative=relative_margin if relative_margin >= 0 else None,
        absolute=absolute_margin if absolute_margin >= 0 else None,
    )
    rules = Rules(
        val_share=val_share, val_kinds=val_kinds_of(val_kinds), max_synthetic_ratio=max_synthetic_ratio, seed=seed
    )
    plan = Plan(
        quotas=quotas(names, hard),
        n_easy=easy,
        first_rank=first_rank,
        last_rank=last_rank,
        margin=margin,
        scale=scores,
        seed=seed,
    )
    choices = Choices(
        settings=Settings(),
        dimensions=dimensions,
        embeddings=embeddings,
        query_idf=query_idf,
        query_tokenizer=query_tokenizer,
        seed=seed,
    )
    inputs = training.Inputs(
        passages=passages, pairs=pairs, duplicates=duplicates, excluded_queries=exclude_queries or []
    )
    summary = training.make_groups(inputs, output, plan=plan, rules=rules, choices=choices)
    _log(summary)


def _weights(text: str, n_runs: int) -> list[float]:
    if not text:
        return [1 / n_runs] * n_runs
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--weights {text!r}: wanted numbers with commas between") from error
    if len(weights) != n_runs:
        raise InputError(f"--weights {text!r}: {len(weights)} weights for {n_runs} runs")
    return weights


def _window(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    if not first.isdecimal() or not last.isdecimal() or not 1 <= int(first) <= int(last):
        raise InputError(f"--window {text!r}: wanted FIRST:LAST with 1 <= FIRST <= LAST, such as 10:100")
    return int(first), int(last)


def _tag(with_: str) -> str:
    """A run's name: the first two parts of `--with`, without paths."""
    kind, _, rest = with_.partition(":")
    return "-".join(part for part in (kind, Path(rest.partition(":")[0]).stem) if part)


def _version() -> str:
    from importlib.metadata import version

    return version("sparse-mining")


def _log(text: str) -> None:
    print(text, file=sys.stderr)
