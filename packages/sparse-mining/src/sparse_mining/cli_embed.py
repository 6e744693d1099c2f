"""The command `embed`, whose options come in groups: whose vectors, how they are made, what is made of them.

Kept to reading options: what they mean is in `embedding`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from sparse_mining._options import grouped
from sparse_mining.options import Dimensions, Passages, Seed, log

Folder = Annotated[Path, typer.Option("-o", "--output", help="Folder for arrays, ids, encoder and clusters")]
Prefix = Annotated[str, typer.Option(help="Before each such text, for --method model; auto: by the model's name")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Queries that are embedded beside the passages."""

    pairs: Annotated[list[Path] | None, typer.Option(help="Pairs whose queries are embedded too; repeat for more")] = (
        None
    )
    queries: Annotated[
        list[Path] | None, typer.Option(help="queries.jsonl embedded too, after those of pairs; repeat for more")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How vectors are made."""

    method: Annotated[
        Literal["svd", "model", "npy"],
        typer.Option(help="svd: TF-IDF over kiwi's terms, reduced; model: --model; npy: --document-vectors"),
    ] = "svd"
    dimensions: Dimensions = 128
    model: Annotated[str, typer.Option(help="A sentence-transformers model: its folder, or its name on the hub")] = ""
    query_prefix: Prefix = "auto"
    document_prefix: Prefix = "auto"
    document_vectors: Annotated[Path | None, typer.Option(help=".npy with a row for each passage, in order")] = None
    query_vectors: Annotated[Path | None, typer.Option(help=".npy with a row for each query, by first mention")] = None
    normalise: Annotated[bool, typer.Option(help="Bring vectors of a model, or given ones, to length 1")] = True
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that a model encodes at once")] = 32
    shard: Annotated[int, typer.Option(min=1, help="Texts a model encodes between two points of resumption")] = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is made of the vectors, and kept meanwhile."""

    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None
    index: Annotated[Path | None, typer.Option(help="Where a FAISS index of the passages goes")] = None
    index_kind: Annotated[
        Literal["auto", "flat", "hnsw", "ivf"], typer.Option(help="Of --index; auto: by the number of passages")
    ] = "auto"
    clusters: Annotated[int, typer.Option(min=0, help="K-means clusters; 0: chosen by silhouette")] = 0


@grouped
def embed(passages: Passages, output: Folder, asked: Asked, making: Making, keeping: Keeping, seed: Seed = 42) -> None:
    """Makes dense vectors of passages and queries, with clusters and a FAISS index."""
    from sparse_mining import embedding

    inputs = embedding.Inputs(
        passages=passages,
        pairs=asked.pairs or [],
        queries=asked.queries or [],
        document_vectors=making.document_vectors,
        query_vectors=making.query_vectors,
    )
    places = embedding.Places(
        folder=output, work=keeping.work or output.with_name(f".{output.name}.work"), index=keeping.index
    )
    plan = embedding.Plan(
        method=making.method,
        dimensions=making.dimensions,
        model=making.model,
        query_prefix=making.query_prefix,
        document_prefix=making.document_prefix,
        normalise=making.normalise,
        batch_size=making.batch_size,
        shard=making.shard,
        n_clusters=keeping.clusters,
        index_kind=keeping.index_kind,
        seed=seed,
    )
    log(embedding.embed(inputs, places, plan))
