"""Where the cluster is, and credentials that stay secret."""

from pathlib import Path

import pytest
from os_deploy import InputError
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection, Credentials, connection_from


def test_an_option_wins_over_the_environment_and_both_over_the_default() -> None:
    assert connection_from({}).url == "http://127.0.0.1:9200"
    assert connection_from({"OPENSEARCH_URL": "https://a:1/"}).url == "https://a:1"
    assert connection_from({"OPENSEARCH_URL": "https://a:1"}, url="https://b:2").url == "https://b:2"


def test_a_password_appears_in_no_representation() -> None:
    connection = connection_from({"OPENSEARCH_USER": "me", "OPENSEARCH_PASSWORD": "geheim"})
    assert "geheim" not in repr(connection) + repr(connection.credentials)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match="found credentials in 'https://") as caught:
        connection_from({"OPENSEARCH_URL": "https://me:geheim@host:9200"})
    assert "geheim" not in str(caught.value)


def test_a_credentials_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"user":"me","password":"geheim"}')
    path.chmod(0o644)
    with pytest.raises(InputError, match="found mode 644, wanted 600"):
        connection_from({"OPENSEARCH_CREDENTIALS_FILE": str(path)})
    path.chmod(0o600)
    found = connection_from({"OPENSEARCH_CREDENTIALS_FILE": str(path)})
    assert found.credentials == Credentials(user="me", password="geheim")


@pytest.mark.parametrize(
    "environment",
    [{"OPENSEARCH_USER": "me"}, {"OPENSEARCH_URL": "localhost:9200"}, {"OPENSEARCH_CA_FILE": "/no/such/file"}],
)
def test_half_a_login_a_url_without_scheme_and_a_missing_authority_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"OpenSearch URL|OPENSEARCH_USER|OPENSEARCH_CA_FILE"):
        connection_from(environment)


def test_an_authority_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(InputError, match="found no certificate authority"):
        Cluster(Connection(url="https://localhost:1", ca_file=tmp_path / "ca.pem"))


def test_requests_for_aws_are_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    cluster = Cluster(
        connection_from({"OPENSEARCH_URL": "https://search:443", "OPENSEARCH_AWS_REGION": "ap-northeast-2"})
    )
    signer = cluster._client.transport.get_connection().http_auth
    headers = signer("GET", "https://search:443/_search", {}, None)
    assert "AKID" in headers["Authorization"]
    assert "ap-northeast-2/es/aws4_request" in headers["Authorization"]
