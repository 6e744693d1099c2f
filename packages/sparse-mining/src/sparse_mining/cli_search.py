"""Commands that search: `index`, `search`, `fuse`.

A command's options are its parameters, so these functions are wider than the house allows elsewhere.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output
from sparse_mining.bm25 import Settings, Variant
from sparse_mining.fusion import How
from sparse_mining.options import PACKAGE, Dimensions, Out, Passages, Seed, log, package_version

VariantOption = Annotated[Variant, typer.Option(help="Of BM25: okapi and plus are rank_bm25's")]
K1 = Annotated[float, typer.Option(help="Of BM25: where term frequency saturates")]
B = Annotated[float, typer.Option(help="Of BM25: how much of a document's length is discounted")]


def index(
    passages: Passages,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the index")],
    words: Annotated[str, typer.Option("--analyser", help="kiwi, words, bigrams or wordpiece:TOKENIZER")] = "kiwi",
    variant: VariantOption = "lucene",
    k1: K1 = 1.2,
    b: B = 0.75,
) -> None:
    """Indexes passages for BM25, on disk, for `search --index`."""
    from sparse_mining import bm25, storage
    from sparse_mining.analysers import analyser
    from sparse_mining.passages import read_collection

    started = time.time()
    settings = Settings(variant=variant, k1=k1, b=b)
    found = analyser(words)
    collection = read_collection(passages)
    made = bm25.build(found.terms(collection.full_texts()), settings)
    storage.save(made, output, analysis=found.identity(), doc_ids=collection.ids())
    counts = {
        "n_documents": len(collection),
        "n_terms": made.postings.n_terms,
        "n_postings": len(made.postings.docs),
    }
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters={"analyser": words, "variant": variant, "k1": k1, "b": b},
        inputs=[collection.path],
        outputs=[Output(path=output, format="bm25_index", n_records=len(collection))],
        counts=counts,
        started=started,
    ).write()
    log(f"{output}: {counts}")


def search(
    passages: Passages,
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="BEIR queries.jsonl")],
    output: Out,
    with_: Annotated[str, typer.Option("--with", help="bm25:ANALYSER, dense:svd, dense:FOLDER or sparse:VECTORS")],
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100,
    variant: VariantOption = "lucene",
    k1: K1 = 1.2,
    b: B = 0.75,
    repeats: Annotated[bool, typer.Option(help="Count a query term as often as it stands there, in bm25")] = False,
    index: Annotated[Path | None, typer.Option(help="Folder that index wrote, for bm25")] = None,
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for dense:svd")] = None,
    dimensions: Dimensions = 128,
    query_vectors: Annotated[Path | None, typer.Option(help="Sparse vectors of the queries")] = None,
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for queries as tokens times IDF")] = None,
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json (or its folder) of --query-idf")] = None,
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: from --with")] = "",
    timing: Annotated[Path | None, typer.Option(help="Where milliseconds per query go, as JSON")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that search inverted lists")] = 1,
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
        repeats=repeats,
        index=index,
        threads=threads,
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
        package=PACKAGE,
        package_version=package_version(),
        parameters={
            "with": with_,
            "k": k,
            "variant": variant,
            "k1": k1,
            "b": b,
            "repeats": repeats,
            "dimensions": dimensions,
        },
        seed=seed,
        inputs=[collection.path, queries, *(p for p in (query_vectors, query_idf, query_tokenizer) if p is not None)],
        outputs=[Output(path=output, format="run", n_records=n_lines)],
        counts={"n_queries": len(asked), "n_documents": len(collection)},
        started=started,
    ).write()
    log(f"{output}: {n_lines} documents for {len(asked)} queries, {found.timing.query_ms:.3f} ms a query")


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
        package=PACKAGE,
        package_version=package_version(),
        parameters={"how": how, "weights": shares, "k": k},
        inputs=runs,
        outputs=[Output(path=output, format="run", n_records=n_lines)],
        counts={"n_queries": len(fused)},
        started=started,
    ).write()


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


def _tag(with_: str) -> str:
    """A run's name: the first two parts of `--with`, without paths."""
    kind, _, rest = with_.partition(":")
    return "-".join(part for part in (kind, Path(rest.partition(":")[0]).stem) if part)
