"""Where the cluster is, and credentials that stay secret."""

import functools
import hashlib
import hmac
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from os_deploy import InputError
from os_deploy.cluster import Cluster, ClusterError, Done
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


def hashed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def expected_signature(method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
    """AWS Signature Version 4, computed anew from a request as it arrived; the secret is `secret`.

    Source: docs.aws.amazon.com, "Create a signed AWS API request".
    """
    credential, signed, _ = (part.partition("=")[2] for part in headers["authorization"].split(" ", 1)[1].split(", "))
    scope = credential.split("/", 1)[1]
    day, region, service, _ = scope.split("/")
    path, _, query = target.partition("?")
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    canonical = [
        method,
        quote(path, safe="/~"),
        "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs),
        *(f"{name}:{headers[name].strip()}" for name in signed.split(";")),
        "",
        signed,
        hashlib.sha256(body).hexdigest(),
    ]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = functools.reduce(hashed, [day, region, service, "aws4_request"], b"AWS4secret")
    return hashed(key, "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])).hex()


class Verifying(BaseHTTPRequestHandler):
    """Answers 200 to a request that AWS would take, and 403 to others."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        right = headers["authorization"].endswith(expected_signature(self.command, self.path, headers, body))
        self.send_response(200 if right else 403)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = answer  # noqa: N815 (http.server asks for these names)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def verifier() -> Iterator[str]:
    """The URL of a server on loopback that verifies signatures."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Verifying)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("service", ["es", "aoss"])
def test_requests_for_aws_carry_a_signature_that_can_be_verified(
    monkeypatch: pytest.MonkeyPatch, verifier: str, service: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    region = {"OPENSEARCH_AWS_REGION": "ap-northeast-2", "OPENSEARCH_AWS_SERVICE": service}
    cluster = Cluster(connection_from({"OPENSEARCH_URL": verifier, **region}))
    cluster.get("/", Done)
    cluster.post("/docs-v1/_bulk?filter_path=errors,items.*._id", Done, body='{"index":{"_id":"문서#0"}}\n'.encode())
    cluster.post("/docs-v1/_search?search_pipeline=docs-rrf", Done, body={"query": {"match": {"text": "검색"}}})
    cluster.put("/_search/pipeline/docs-rrf", body={})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(ClusterError, match="not allowed"):
        Cluster(connection_from({"OPENSEARCH_URL": verifier, **region})).get("/", Done)
    cluster.close()
