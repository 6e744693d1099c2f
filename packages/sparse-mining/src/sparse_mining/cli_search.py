"""Commands that search: `index`, `search`, `fuse`.

Kept to reading options: what they mean is in `searchers`, `searching`, `systems` and `fusion`.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output
from sparse_mining._options import grouped
from sparse_mining.fusion import How
from sparse_mining.options import (
    K1,
    PACKAGE,
    B,
    Dimensions,
    Out,
    Passages,
    Seed,
    VariantOption,
    log,
    package_version,
)
from sparse_mining.settings import Settings
from sparse_mining.systems import fusions, systems

if TYPE_CHECKING:
    from sparse_mining.searchers import Choices

Queries = Annotated[Path, typer.Argument(metavar="QUERIES", help="BEIR queries.jsonl")]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched with, and where its results go."""

    output: Annotated[Path, typer.Option("-o", "--output", help="The run; a folder of them with NAME=SPEC")]
    with_: Annotated[
        list[str],
        typer.Option(
            "--with",
            metavar="SPEC",
            help="bm25:ANALYSER, rank_bm25:ANALYSER, dense:svd, dense:FOLDER or sparse:VECTORS; "
            "NAME=SPEC, repeated, for several",
        ),
    ]
    k: Annotated[int, typer.Option("-k", min=1, help="Documents per query")] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """What the systems search with, by their kinds."""

    variant: VariantOption = "lucene"
    k1: K1 = 1.2
    b: B = 0.75
    repeats: Annotated[bool, typer.Option(help="Count a query term as often as it stands there, in bm25")] = False
    index: Annotated[Path | None, typer.Option(help="Folder that index wrote, for bm25")] = None
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for dense:svd")] = None
    faiss: Annotated[Path | None, typer.Option(help="FAISS index that embed wrote, for dense; else exact")] = None
    dimensions: Dimensions = 128
    query_vectors: Annotated[Path | None, typer.Option(help="Sparse vectors of the queries")] = None
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for queries as tokens times IDF")] = None
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json (or its folder) of --query-idf")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is made of the runs, and told beside them."""

    fuse: Annotated[list[str] | None, typer.Option(help="NAME=A+B: systems of --with fused; repeat for more")] = None
    how: HowOption = "rrf"
    tag: Annotated[str, typer.Option(help="Name of the run in its last column; empty: from --with")] = ""
    timing: Annotated[
        Path | None, typer.Option(help="Where milliseconds per query go, as JSON; a folder with NAME=SPEC")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How the search runs."""

    threads: Annotated[int, typer.Option(min=1, help="Threads that search inverted lists")] = 1
    seed: Seed = 42


@grouped
def search(
    passages: Passages, queries: Queries, wanted: Wanted, searching: Searching, telling: Telling, running: Running
) -> None:
    """Searches passages for queries and writes a TREC run, or one for each of several systems and their fusions."""
    from sparse_mining.searching import Request, write_runs

    asked = systems(wanted.with_, wanted.output, tag=telling.tag, timing=telling.timing)
    fused = fusions(telling.fuse or [], wanted.output, searched=asked)
    request = Request(
        passages=passages, queries=queries, k=wanted.k, choices=_choices(searching, running), how=telling.how
    )
    for line in write_runs(request, asked, fused):
        log(line)


def _choices(searching: Searching, running: Running) -> "Choices":
    from sparse_mining.searchers import Choices

    return Choices(
        settings=Settings(variant=searching.variant, k1=searching.k1, b=searching.b),
        repeats=searching.repeats,
        index=searching.index,
        threads=running.threads,
        dimensions=searching.dimensions,
        embeddings=searching.embeddings,
        faiss=searching.faiss,
        query_vectors=searching.query_vectors,
        query_idf=searching.query_idf,
        query_tokenizer=searching.query_tokenizer,
        seed=running.seed,
    )


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
