"""Undoes deployments: indices, pipelines and models, after naming them.

A model or pipeline that another deployment still uses stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from os_deploy.cluster import Cluster, ClusterError
from os_deploy.indices import Record
from os_deploy.models import remove_model
from os_deploy.versions import all_records, read_versions, serving_indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What would be deleted."""

    indices: Sequence[str]
    ingest_pipelines: Sequence[str]
    search_pipelines: Sequence[str]
    models: Sequence[str]

    def lines(self) -> list[str]:
        """One line a thing."""
        kinds = {
            "index": self.indices,
            "ingest pipeline": self.ingest_pipelines,
            "search pipeline": self.search_pipelines,
            "model": self.models,
        }
        return [f"{kind} {name}" for kind, names in kinds.items() for name in names]


def plan_removal(cluster: Cluster, name: str) -> Removal:
    """Everything that deployments of that name made and that nothing else uses."""
    records = read_versions(cluster, name)
    pipelines = [f"{name}-{kind}" for kind in ("two-phase", "hybrid", "rrf")]
    there = [p for p in pipelines if cluster.exists(f"/_search/pipeline/{p}")]
    return _plan(cluster, records, search_pipelines=there)


def plan_prune(cluster: Cluster, records: Sequence[Record]) -> Removal:
    """These versions only, with the models that no other version uses."""
    return _plan(cluster, records, search_pipelines=[])


def _plan(cluster: Cluster, records: Sequence[Record], *, search_pipelines: Sequence[str]) -> Removal:
    going = {r.index for r in records}
    others = [r for r in all_records(cluster) if r.index not in going]
    used = {model for r in others for model in r.model_ids}
    models = {model for r in records for model in r.model_ids} - used
    return Removal(
        indices=sorted(going),
        ingest_pipelines=sorted(r.index for r in records if r.server_encodes),
        search_pipelines=search_pipelines,
        models=sorted(models),
    )


def remove(cluster: Cluster, removal: Removal) -> None:
    """Deletes what was named; what is gone already is no error, so that a cut-off removal can be run again."""
    paths = [
        *(f"/{index}" for index in removal.indices),
        *(f"/_ingest/pipeline/{name}" for name in removal.ingest_pipelines),
        *(f"/_search/pipeline/{name}" for name in removal.search_pipelines),
    ]
    for path in paths:
        try:
            cluster.delete(path)
        except ClusterError as error:
            if error.status != 404:
                raise
    for model_id in removal.models:
        remove_model(cluster, model_id)


class ServedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as `os-deploy versions` lists it."""

    version: int
    index: str
    n_passages: int
    complete: bool
    serves: bool


def list_versions(cluster: Cluster, name: str) -> list[ServedVersion]:
    """The versions that are there, the oldest first, and which of them serves."""
    serving = serving_indices(cluster, name)
    return [
        ServedVersion(
            version=r.version, index=r.index, n_passages=r.n_passages, complete=r.complete, serves=r.index in serving
        )
        for r in read_versions(cluster, name)
    ]
