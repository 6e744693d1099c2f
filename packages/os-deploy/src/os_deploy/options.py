"""Options that several commands share.

And what they stand for: a cluster, a deployment on it, a way to weigh queries.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from os_deploy._files import InputError

if TYPE_CHECKING:
    from os_deploy.cluster import Cluster
    from os_deploy.indices import Record
    from os_deploy.passages import Query
    from os_deploy.searching import Embeddings, Searcher, Weigh

Url = Annotated[str | None, typer.Option(help="The cluster; default: OPENSEARCH_URL, or http://127.0.0.1:9200.")]
Name = Annotated[str, typer.Argument(help="The deployment's name.")]
ModeName = Annotated[
    str,
    typer.Option(
        "--mode",
        help="bm25, sparse, two_phase, hybrid, rrf; with dense vectors dense, hybrid_dense, rrf_dense, rrf_all.",
    ),
]
DenseQueries = Annotated[
    Path | None,
    typer.Option(help="Dense vectors of the queries: a folder of `sparse-mining embed`, or a .npy in their order."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the deployment is asked."""

    export: Annotated[
        Path | None, typer.Option(help="The export folder, to weigh queries on this side; needed for query tokens.")
    ] = None
    url: Url = None


@contextmanager
def connect(url: str | None, *, n_connections: int = 4) -> "Iterator[Cluster]":
    """The cluster that the options and the environment name."""
    from os_deploy.cluster import Cluster
    from os_deploy.connection import connection_from

    cluster = Cluster(connection_from(os.environ, url=url), n_connections=n_connections)
    try:
        yield cluster
    finally:
        cluster.close()


def read_embeddings(dense_queries: Path | None, queries: "Sequence[Query]") -> "Embeddings | None":
    """The queries' dense vectors by text, where there are any."""
    from os_deploy.dense import query_vectors

    return query_vectors(dense_queries, [(q.query_id, q.text) for q in queries]) if dense_queries else None


def make_searcher(
    cluster: "Cluster", name: str | None, export: Path | None, *, embeddings: "Embeddings | None" = None
) -> "Searcher":
    """A searcher of the version that serves."""
    from os_deploy.bundles import read_bundles
    from os_deploy.searching import Searcher
    from os_deploy.versions import serving_version

    record = serving_version(cluster, name or only_name(cluster))
    keys = read_bundles(export)[0].tokenizer.keys if export else None
    weigh = weigher(cluster, record, export)
    return Searcher(cluster=cluster, record=record, weigh=weigh, keys=keys, embeddings=embeddings)


def weigher(cluster: "Cluster", record: "Record", export: Path | None) -> "Weigh | None":
    """How queries are weighed here: with the export's tokenizer, or else by asking the server's model."""
    from os_deploy.bundles import read_bundles, the_bundle
    from os_deploy.prove.parity import server_weigher
    from os_deploy.searching import local_weigher

    if export is not None and record.query != "encoder":
        bundle = the_bundle(read_bundles(export), "tokenizer", export)
        found = bundle.config.model_content_hash_value
        if record.tokenizer_sha256 != found:
            raise InputError(
                f"{bundle.zip_path}: found hash {found[:12]}, wanted {record.tokenizer_sha256[:12]} of {record.index}"
            )
        return local_weigher(bundle.tokenizer, bundle.idf)
    return server_weigher(cluster, record)


def only_name(cluster: "Cluster") -> str:
    """The name of the one deployment on the cluster; InputError where there are none or several."""
    from os_deploy.versions import all_records

    names = sorted({record.name for record in all_records(cluster)})
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise InputError(f"{cluster.url}: found deployments {found}, wanted one: name it with --name")
    return names[0]
