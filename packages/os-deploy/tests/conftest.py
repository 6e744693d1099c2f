"""The real OpenSearch of the live tests: started once per run, or the one that OPENSEARCH_URL names."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection, connection_from
from os_deploy.removal import plan_removal, remove
from os_deploy.server.artifacts import NoRepositoryError
from os_deploy.server.process import start, stop
from os_deploy.server.spec import ServerSpec
from os_deploy.versions import all_records


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Where the server of this run answers."""
    if "OPENSEARCH_URL" in os.environ:
        yield connection_from(os.environ)
        return
    folder = tmp_path_factory.mktemp("server")
    try:
        server = start(ServerSpec(port=free_port(), heap="1g", quick=True), folder)
    except NoRepositoryError as error:
        pytest.skip(str(error))
    try:
        yield Connection(url=server.url)
    finally:
        stop(folder)


@pytest.fixture
def cluster(connection: Connection) -> Iterator[Cluster]:
    """A client of the server; what a test deploys is gone after it, but for models, which the next can use."""
    client = Cluster(connection)
    before = {record.index for record in all_records(client)}
    yield client
    for record in all_records(client):
        if record.index not in before:
            remove(client, replace(plan_removal(client, record.name), models=[]))
    client.close()
