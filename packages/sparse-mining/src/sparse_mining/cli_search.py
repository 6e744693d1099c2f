"""Commands that search: `index`, `search`, `fuse`.

A command's options are its parameters, so these functions are wider than the house allows elsewhere.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output
from sparse_mining.fusion import How
from sparse_mining.options import K1, PACKAGE, B, Dimensions, Out, Passages, Seed, VariantOption, log, package_version
from sparse_mining.settings import Settings
from sparse_mining.systems import fusions, systems

HowOption = Annotated[How, typer.Option(help="Reciprocal ranks, or scores by min-max or z-score")]


def index(
    passages: Passages,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the index")],
    words: Annotated[
        str, typer.Option("--analyser", help="kiwi, kiwi+compounds, words, bigrams or wordpiece:TOKENIZER")
    ] = "kiwi",
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
    output: Annotated[Path, typer.Option("-o", "--output", help="The run; a folder of them with NAME=SPEC")],
    with_: Annotated[
        list[str],
        typer.Option(
            "--with",
            metavar="SPEC",
            help="bm25:ANALYSER, rank_bm25:ANALYSER, dense:svd, dense:FOLDER or sparse:VECTORS; "
            "NAME=SPEC, repeated, for several",
        ),
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100,
    variant: VariantOption = "lucene",
    k1: K1 = 1.2,
    b: B = 0.75,
    repeats: Annotated[bool, typer.Option(help="Count a query term as often as it stands there, in bm25")] = False,
    index: Annotated[Path | None, typer.Option(help="Folder that index wrote, for bm25")] = None,
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for dense:svd")] = None,
    faiss: Annotated[Path | None, typer.Option(help="FAISS index that embed wrote, for dense; else exact")] = None,
    dimensions: Dimensions = 128,
    query_vectors: Annotated[Path | None, typer.Option(help="Sparse vectors of the queries")] = None,
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for queries as tokens times IDF")] = None,
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json (or its folder) of --query-idf")] = None,
    fuse: Annotated[list[str] | None, typer.Option(help="NAME=A+B: systems of --with fused; repeat for more")] = None,
    how: HowOption = "rrf",
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: from --with")] = "",
    timing: Annotated[
        Path | None, typer.Option(help="Where milliseconds per query go, as JSON; a folder with NAME=SPEC")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that search inverted lists")] = 1,
    seed: Seed = 42,
) -> None:
    """Searches passages for queries and writes a TREC run, or one for each of several systems and their fusions."""
    from sparse_mining.searchers import Choices
    from sparse_mining.searching import Request, write_runs

    asked = systems(with_, output, tag=tag, timing=timing)
    fused = fusions(fuse or [], output, searched=asked)
    choices = Choices(
        settings=Settings(variant=variant, k1=k1, b=b),
        repeats=repeats,
        index=index,
        threads=threads,
        dimensions=dimensions,
        embeddings=embeddings,
        faiss=faiss,
        query_vectors=query_vectors,
        query_idf=query_idf,
        query_tokenizer=query_tokenizer,
        seed=seed,
    )
    for line in write_runs(Request(passages=passages, queries=queries, k=k, choices=choices, how=how), asked, fused):
        log(line)


def fuse(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="TREC runs, two or more")],
    output: Out,
    how: HowOption = "rrf",
    weights: Annotated[str, typer.Option(help="One number a run, with commas; empty: equal")] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100,
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: the way of fusing")] = "",
) -> None:
    """Fuses runs into one."""
    from sparse_mining.searching import write_fused

    if len(runs) < 2:
        raise InputError(f"fuse wants two runs or more, found {len(runs)}")
    write_fused(runs, output, how=how, weights=_weights(weights, len(runs)), k=k, tag=tag or how)


def _weights(text: str, n_runs: int) -> list[float] | None:
    if not text:
        return None
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--weights {text!r}: wanted numbers with commas between") from error
    if len(weights) != n_runs:
        raise InputError(f"--weights {text!r}: {len(weights)} weights for {n_runs} runs")
    return weights
