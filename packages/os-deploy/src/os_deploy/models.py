"""Models on the server: registered in chunks, compared by hash, deployed, and found again when they are there already.

A model is known by the sha256 of its zip, so a second deployment of the same export uploads nothing, and an upload that
was cut off goes on with the chunks that are missing.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from os_deploy._files import InputError, read_json, write_json
from os_deploy.bundles import Bundle
from os_deploy.cluster import Cluster, ClusterError, Done

CHUNK_BYTES = 10_000_000
"""The size that ML Commons expects of every chunk but the last."""

WHOLE = ("REGISTERED", "DEPLOYED", "PARTIALLY_DEPLOYED", "UNDEPLOYED", "DEPLOY_FAILED", "DEPLOYING")
DEPLOY_TIMEOUT_S = 300.0

T = TypeVar("T")
Report = Callable[[str], None]
"""Takes one line of progress."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model on the server, as ML Commons describes it."""

    name: str
    model_state: str
    model_content_hash_value: str = ""
    algorithm: str = ""


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    state: str
    model_id: str = ""
    error: object = ""


class _Started(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str = ""
    model_id: str = ""


class _Hit(msgspec.Struct, frozen=True, kw_only=True):
    id: str = msgspec.field(name="_id")
    source: Model = msgspec.field(name="_source")


class _Hits(msgspec.Struct, frozen=True, kw_only=True):
    hits: list[_Hit]


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    hits: _Hits


class _Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload has come, as the work folder keeps it."""

    model_id: str
    n_chunks: int


def ensure_model(cluster: Cluster, bundle: Bundle, *, work: Path, report: Report) -> str:
    """The id of the bundle's model, deployed: one that is there with the same hash, or one uploaded now.

    work: a folder that outlives a failure, in which the chunks that arrived are counted.
    """
    config = bundle.config
    found = find_models(cluster, config.model_content_hash_value)
    whole = [model_id for model_id, model in found if model.model_state in WHOLE]
    if whole:
        report(f"{config.name}: there already as {whole[0]}")
        model_id = whole[0]
    else:
        model_id = found[0][0] if found else _register(cluster, bundle)
        _upload(cluster, model_id, bundle.zip_path, log=work / f"{bundle.zip_path.name}.upload.json", report=report)
    deploy_model(cluster, model_id, report=report)
    return model_id


def find_models(cluster: Cluster, content_hash: str) -> list[tuple[str, Model]]:
    """Ids and states of the models with that hash, whole or half uploaded, the oldest first."""
    query = {
        "query": {"term": {"model_content_hash_value": content_hash}},
        "size": 100,
        "sort": [{"created_time": {"order": "asc", "unmapped_type": "date"}}],
    }
    found = cluster.post("/_plugins/_ml/models/_search", _Found, body=query)
    return [(hit.id, hit.source) for hit in found.hits.hits]


def read_model(cluster: Cluster, model_id: str) -> Model:
    """The model as it is now."""
    return cluster.get(f"/_plugins/_ml/models/{model_id}", Model)


def deploy_model(cluster: Cluster, model_id: str, *, report: Report) -> None:
    """Loads the model on the nodes and returns when it answers."""
    model = read_model(cluster, model_id)
    if model.model_state == "DEPLOYED":
        return
    began = time.monotonic()
    started = cluster.post(f"/_plugins/_ml/models/{model_id}/_deploy", _Started)
    _wait_for_task(cluster, started.task_id, f"{model.name}: deploy")
    _wait_until_deployed(cluster, model_id)
    report(f"{model.name}: deployed in {time.monotonic() - began:.1f} s")


def remove_model(cluster: Cluster, model_id: str) -> None:
    """Unloads and deletes a model; one that is gone already is no error."""
    for method, path in (
        ("POST", f"/_plugins/_ml/models/{model_id}/_undeploy"),
        ("DELETE", f"/_plugins/_ml/models/{model_id}"),
    ):
        try:
            cluster.ask(method, path, Done)
        except ClusterError as error:
            if error.status != 404:
                raise


def _register(cluster: Cluster, bundle: Bundle) -> str:
    n_bytes = bundle.zip_path.stat().st_size
    body = {**msgspec.to_builtins(bundle.config), "total_chunks": -(-n_bytes // CHUNK_BYTES)}
    return cluster.post("/_plugins/_ml/models/_register_meta", _Started, body=body).model_id


def _upload(cluster: Cluster, model_id: str, path: Path, *, log: Path, report: Report) -> None:
    uploaded = read_json(log, _Uploaded) if log.is_file() else _Uploaded(model_id=model_id, n_chunks=0)
    there = uploaded.n_chunks if uploaded.model_id == model_id else 0
    n_chunks = -(-path.stat().st_size // CHUNK_BYTES)
    with path.open("rb") as data:
        # the last chunk is what makes ML Commons count the model as whole, so it always goes
        for number in range(min(there, n_chunks - 1), n_chunks):
            data.seek(number * CHUNK_BYTES)
            _upload_chunk(cluster, f"/_plugins/_ml/models/{model_id}/upload_chunk/{number}", data.read(CHUNK_BYTES))
            write_json(log, _Uploaded(model_id=model_id, n_chunks=number + 1))
            report(f"{path.name}: chunk {number + 1} of {n_chunks}")


def _upload_chunk(cluster: Cluster, path: str, chunk: bytes) -> None:
    retry(lambda: cluster.post(path, Done, body=chunk))


def _wait_for_task(cluster: Cluster, task_id: str, what: str) -> None:
    until = time.monotonic() + DEPLOY_TIMEOUT_S
    while True:
        task = retry(lambda: cluster.get(f"/_plugins/_ml/tasks/{task_id}", _Task))
        if task.state == "COMPLETED":
            return
        if task.state in ("FAILED", "COMPLETED_WITH_ERROR", "CANCELLED"):
            raise InputError(f"{cluster.url}: {what}: {task.state}: {task.error}")
        if time.monotonic() > until:
            raise InputError(f"{cluster.url}: {what}: still {task.state} after {DEPLOY_TIMEOUT_S:.0f} s")
        time.sleep(0.2)


def _wait_until_deployed(cluster: Cluster, model_id: str) -> None:
    """The task ends a moment before the model says so, and a model that says otherwise is deployed twice."""
    until = time.monotonic() + 30
    while (state := read_model(cluster, model_id).model_state) not in ("DEPLOYED", "PARTIALLY_DEPLOYED"):
        if time.monotonic() > until:
            raise InputError(f"{cluster.url}: model {model_id}: still {state} after its deploy task was completed")
        time.sleep(0.1)


def retry(act: Callable[[], T], *, waits_s: Iterable[float] = (0.5, 1, 2, 4, 8, 16)) -> T:
    """What `act` returns, asked again after each wait while the cluster is only busy, starting or not there."""
    for wait_s in waits_s:
        try:
            return act()
        except ClusterError as error:
            if not error.is_passing:
                raise
            time.sleep(wait_s)
    return act()
