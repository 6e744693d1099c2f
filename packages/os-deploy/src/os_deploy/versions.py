"""The versions of a deployment: one index each, and the alias that says which of them serves.

What is known of a version lies in its own mapping, so that any machine can roll back or remove what another deployed.
"""

import msgspec

from os_deploy._files import InputError
from os_deploy.cluster import Cluster, ClusterError, Done
from os_deploy.indices import Record, index_name, version_of


class _Meta(msgspec.Struct, frozen=True):
    os_deploy: Record | None = None


class _Mappings(msgspec.Struct, frozen=True):
    meta: _Meta = msgspec.field(name="_meta", default=_Meta())


class _Mapping(msgspec.Struct, frozen=True):
    mappings: _Mappings


def read_versions(cluster: Cluster, name: str) -> list[Record]:
    """The versions of a deployment that are there, the oldest first, unfinished ones too."""
    found = cluster.get(f"/{name}-v*/_mapping?allow_no_indices=true", dict[str, _Mapping])
    records = [m.mappings.meta.os_deploy for index, m in found.items() if version_of(name, index) is not None]
    return sorted((r for r in records if r is not None and r.name == name), key=lambda r: r.version)


def all_records(cluster: Cluster) -> list[Record]:
    """Every deployment's versions on the cluster; indices with a dot are the system's, and not asked."""
    found = cluster.get("/*,-.*/_mapping?allow_no_indices=true", dict[str, _Mapping])
    return [m.mappings.meta.os_deploy for m in found.values() if m.mappings.meta.os_deploy is not None]


def serving_indices(cluster: Cluster, name: str) -> list[str]:
    """The indices behind the alias: none before the first deployment."""
    try:
        return sorted(cluster.get(f"/_alias/{name}", dict[str, object]))
    except ClusterError as error:
        if error.status == 404:
            return []
        raise


def serving_version(cluster: Cluster, name: str) -> Record:
    """The version that serves; InputError where there is none."""
    serving = serving_indices(cluster, name)
    records = [r for r in read_versions(cluster, name) if r.index in serving]
    if len(records) != 1:
        raise InputError(
            f"{cluster.url}: found {len(records)} deployments that serve as {name!r}, wanted one: deploy it first"
        )
    return records[0]


def mark_complete(cluster: Cluster, record: Record) -> Record:
    """Notes in the index that it is filled and verified."""
    complete = msgspec.structs.replace(record, complete=True)
    body = {"_meta": {"os_deploy": msgspec.to_builtins(complete)}}
    cluster.put(f"/{record.index}/_mapping", body=body)
    return complete


def serve(cluster: Cluster, record: Record) -> list[str]:
    """Moves the alias to this version in one atomic call; returns the indices that served before."""
    before = [index for index in serving_indices(cluster, record.name) if index != record.index]
    actions: list[dict[str, object]] = [
        {"remove": {"index": index, "alias": record.name, "must_exist": True}} for index in before
    ]
    actions.append({"add": {"index": record.index, "alias": record.name}})
    cluster.post("/_aliases", Done, body={"actions": actions})
    return before


def roll_back(cluster: Cluster, name: str, *, to: int | None = None) -> Record:
    """Moves the alias to an earlier complete version, the newest before the one that serves unless one is named."""
    now = serving_version(cluster, name)
    complete = [r for r in read_versions(cluster, name) if r.complete]
    wanted = [r for r in complete if (r.version == to if to is not None else r.version < now.version)]
    if not wanted:
        there = ", ".join(str(r.version) for r in complete)
        which = f"version {to}" if to is not None else f"version before {now.version}"
        raise InputError(f"{cluster.url}: {name}: found no complete {which}, wanted one of: {there}")
    serve(cluster, wanted[-1])
    return wanted[-1]


def old_versions(cluster: Cluster, name: str, *, keep: int) -> list[Record]:
    """The versions that may go: neither serving nor among the `keep` newest complete ones that do not serve."""
    serving = serving_indices(cluster, name)
    idle = [r for r in read_versions(cluster, name) if r.index not in serving]
    complete = [r for r in idle if r.complete]
    kept = {r.version for r in complete[max(len(complete) - keep, 0) :]}
    return [r for r in idle if r.version not in kept]


def next_version(versions: list[Record], cluster: Cluster, name: str) -> int:
    """A number that no index of that name has had a record of, nor an index without record now."""
    number = max((r.version for r in versions), default=0) + 1
    while cluster.exists(f"/{index_name(name, number)}/_settings"):
        number += 1
    return number
