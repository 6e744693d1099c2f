"""TLS, users and rights, on a real server with the security plugin."""

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import free_port
from exports import write_recipe
from os_deploy import InputError
from os_deploy.cluster import Cluster, ClusterError, Done
from os_deploy.connection import Connection, Credentials, read_credentials
from os_deploy.deployment import Deployer
from os_deploy.recipe import read_recipe
from os_deploy.removal import plan_removal, remove
from os_deploy.roles import deployer_role, reader_role
from os_deploy.server.artifacts import NoRepositoryError
from os_deploy.server.process import RunningServer, start, stop
from os_deploy.server.spec import ServerSpec

pytestmark = pytest.mark.live

PASSWORD = "Geheim-1234-korpus"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("secure")
    spec = ServerSpec(port=free_port(), heap="512m", models=False, security=True, quick=True)
    try:
        running = start(spec, folder)
    except NoRepositoryError as error:
        pytest.skip(str(error))
    yield running
    stop(folder)


def connection(server: RunningServer, user: str = "admin", password: str = "") -> Connection:
    admin = read_credentials(Path(server.credentials_file))
    login = Credentials(user=user, password=password) if password else admin
    return Connection(url=server.url, ca_file=Path(server.ca_file), credentials=login)


def make_user(server: RunningServer, user: str, role: dict[str, object]) -> Connection:
    admin = Cluster(connection(server))
    admin.put(f"/_plugins/_security/api/roles/{user}", body=role)
    admin.put(f"/_plugins/_security/api/internalusers/{user}", body={"password": PASSWORD})
    admin.put(f"/_plugins/_security/api/rolesmapping/{user}", body={"users": [user]})
    return connection(server, user, PASSWORD)


def test_a_wrong_password_is_one_clear_message(server: RunningServer) -> None:
    with pytest.raises(ClusterError, match="user or password is wrong") as caught:
        Cluster(connection(server, password="no")).get("/", Done)
    assert "no" not in str(caught.value).split()


def test_an_unknown_authority_is_refused(server: RunningServer) -> None:
    with pytest.raises(ClusterError, match="the server's certificate is not trusted"):
        Cluster(Connection(url=server.url)).get("/", Done)


def test_a_fingerprint_stands_for_an_authority(server: RunningServer) -> None:
    host, port = server.url.removeprefix("https://").split(":")
    pem = ssl.get_server_certificate((host, int(port)))
    right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    login = read_credentials(Path(server.credentials_file))
    Cluster(Connection(url=server.url, fingerprint=right, credentials=login)).get("/", Done)
    with pytest.raises(ClusterError, match="the server's certificate is not trusted"):
        Cluster(Connection(url=server.url, fingerprint="0" * 64, credentials=login)).get("/", Done)


def test_the_documented_roles_are_enough_and_no_more(server: RunningServer, tmp_path: Path) -> None:
    deployer = Cluster(make_user(server, "deployer", deployer_role("docs")))
    recipe = read_recipe(write_recipe(tmp_path, "docs", more="query: tokens"))
    run = Deployer(cluster=deployer, recipe=recipe, work=tmp_path / "w", may_fix_settings=False, report=print).run
    assert run().n_sent == 40
    assert run().n_sent == 0
    with pytest.raises(ClusterError, match="not allowed"):
        deployer.put("/elsewhere")
    reader = Cluster(make_user(server, "reader", reader_role("docs")))
    assert reader.get("/docs/_search", dict[str, object])["timed_out"] is False
    with pytest.raises(ClusterError, match="not allowed"):
        reader.put("/docs/_doc/1", body={"text": "x"})
    remove(deployer, plan_removal(deployer, "docs"))
    with pytest.raises(InputError):
        reader.get("/docs/_search", Done)
