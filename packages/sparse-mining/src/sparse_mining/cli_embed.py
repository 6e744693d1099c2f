"""The command `embed`.

A command's options are its parameters, so this function is wider than the house allows elsewhere.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sparse_mining.options import Dimensions, Passages, Seed, log

Prefix = Annotated[str, typer.Option(help="Before each such text, for --method model; auto: by the model's name")]


def embed(
    passages: Passages,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for arrays, ids, encoder and clusters")],
    pairs: Annotated[
        list[Path] | None, typer.Option(help="Pairs whose queries are embedded too; repeat for more")
    ] = None,
    queries: Annotated[
        list[Path] | None, typer.Option(help="queries.jsonl embedded too, after those of pairs; repeat for more")
    ] = None,
    method: Annotated[
        Literal["svd", "model", "npy"],
        typer.Option(help="svd: TF-IDF over kiwi's terms, reduced; model: --model; npy: --document-vectors"),
    ] = "svd",
    dimensions: Dimensions = 128,
    model: Annotated[str, typer.Option(help="A sentence-transformers model: its folder, or its name on the hub")] = "",
    query_prefix: Prefix = "auto",
    document_prefix: Prefix = "auto",
    document_vectors: Annotated[Path | None, typer.Option(help=".npy with a row for each passage, in order")] = None,
    query_vectors: Annotated[Path | None, typer.Option(help=".npy with a row for each query, by first mention")] = None,
    normalise: Annotated[bool, typer.Option(help="Bring vectors of a model, or given ones, to length 1")] = True,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that a model encodes at once")] = 32,
    shard: Annotated[int, typer.Option(min=1, help="Texts a model encodes between two points of resumption")] = 2048,
    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None,
    index: Annotated[Path | None, typer.Option(help="Where a FAISS index of the passages goes")] = None,
    index_kind: Annotated[
        Literal["auto", "flat", "hnsw", "ivf"], typer.Option(help="Of --index; auto: by the number of passages")
    ] = "auto",
    clusters: Annotated[int, typer.Option(min=0, help="K-means clusters; 0: chosen by silhouette")] = 0,
    seed: Seed = 42,
) -> None:
    """Makes dense vectors of passages and queries, with clusters and a FAISS index."""
    from sparse_mining import embedding

    inputs = embedding.Inputs(
        passages=passages,
        pairs=pairs or [],
        queries=queries or [],
        document_vectors=document_vectors,
        query_vectors=query_vectors,
    )
    places = embedding.Places(folder=output, work=work or output.with_name(f".{output.name}.work"), index=index)
    plan = embedding.Plan(
        method=method,
        dimensions=dimensions,
        model=model,
        query_prefix=query_prefix,
        document_prefix=document_prefix,
        normalise=normalise,
        batch_size=batch_size,
        shard=shard,
        n_clusters=clusters,
        index_kind=index_kind,
        seed=seed,
    )
    log(embedding.embed(inputs, places, plan))
