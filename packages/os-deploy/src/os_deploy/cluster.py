"""Requests to a cluster, with typed answers and errors that say what to do.

Everything else in this package speaks to OpenSearch through `Cluster`, so that no answer is trusted unread and no
library's error reaches a user.
"""

import ssl
from typing import TypeVar

import msgspec
from opensearchpy import OpenSearch
from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    ImproperlyConfigured,
    SSLError,
    TransportError,
)
from opensearchpy.exceptions import ConnectionError as WireError

from os_deploy._files import InputError
from os_deploy.connection import Connection

T = TypeVar("T")


class ClusterError(InputError):
    """The cluster refused a request, or could not be asked."""

    def __init__(self, message: str, *, status: int, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; 0 where there was no answer."""
        self.kind = kind
        """OpenSearch's name of the error, such as `resource_already_exists_exception`."""

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: no answer, too busy, or starting."""
        return self.status in (0, 429, 502, 503, 504)


class Done(msgspec.Struct, frozen=True):
    """An answer of which nothing is needed."""


class Cluster:
    """A cluster that can be asked; safe to use from several threads."""

    def __init__(self, connection: Connection, *, n_connections: int = 4, timeout_s: float = 60.0) -> None:
        self.url = connection.url
        self._timeout_s = timeout_s
        self._client = _connect(connection, n_connections=n_connections)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, kind: type[T]) -> T:
        """What GET answers."""
        return self.ask("GET", path, kind)

    def post(self, path: str, kind: type[T], *, body: object = None) -> T:
        """What POST answers."""
        return self.ask("POST", path, kind, body=body)

    def put(self, path: str, *, body: object = None) -> None:
        """Makes or changes something."""
        self.ask("PUT", path, Done, body=body)

    def delete(self, path: str) -> None:
        """Deletes something; that it is not there is an error."""
        self.ask("DELETE", path, Done)

    def exists(self, path: str) -> bool:
        """Whether GET finds something there."""
        try:
            self.ask("GET", path, Done)
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    def ask(self, method: str, path: str, kind: type[T], *, body: object = None, timeout_s: float | None = None) -> T:
        """One request, not repeated; `body` is JSON, or bytes that go as they are."""
        content = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        try:
            answer = self._client.transport.perform_request(
                method,
                path,
                body=content,
                params={"request_timeout": timeout_s or self._timeout_s},
                headers={"content-type": "application/json"},
            )
        except TransportError as error:
            raise _explain(error, f"{method} {path}", self.url) from error
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            message = f"{self.url}: {method} {path}: found an answer that is not understood: {error}"
            raise ClusterError(message, status=200) from error


def _connect(connection: Connection, *, n_connections: int) -> OpenSearch:
    secure = connection.url.startswith("https")
    if connection.fingerprint and secure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead, by urllib3
    elif secure:
        try:
            context = ssl.create_default_context(cafile=connection.ca_file)
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"{connection.ca_file}: found no certificate authority ({error}), wanted PEM") from error
    else:
        context = None
    login = connection.credentials
    try:
        return OpenSearch(
            [connection.url],
            ssl_assert_fingerprint=connection.fingerprint,
            http_auth=_aws(connection) or ((login.user, login.password) if login else None),
            ssl_context=context,
            max_retries=0,
            pool_maxsize=n_connections,
            http_compress=False,
        )
    except ImproperlyConfigured as error:
        raise InputError(f"{connection.url}: {error}") from error


def _aws(connection: Connection) -> object | None:
    if connection.aws_region is None:
        return None
    try:
        import boto3
    except ImportError as error:
        raise ImportError('signing for AWS needs an extra: pip install "os-deploy[aws]"') from error
    from opensearchpy import Urllib3AWSV4SignerAuth

    found = boto3.Session().get_credentials()
    if found is None:
        raise InputError("AWS: found no credentials, wanted what the aws command uses")
    return Urllib3AWSV4SignerAuth(found, connection.aws_region, connection.aws_service)


class _Cause(msgspec.Struct, frozen=True):
    type: str = ""
    reason: str | None = ""


class _Fault(msgspec.Struct, frozen=True):
    type: str = ""
    reason: str | None = ""
    root_cause: list[_Cause] = []
    caused_by: _Cause | None = None


def _explain(error: TransportError, what: str, url: str) -> ClusterError:
    """The error in one line: where, what the cluster said, and what to do where that is known."""
    if isinstance(error, SSLError):
        return ClusterError(
            f"{url}: the server's certificate is not trusted: set OPENSEARCH_CA_FILE to the authority that signed it, "
            f"or OPENSEARCH_FINGERPRINT to its sha256",
            status=-1,
        )
    if isinstance(error, ConnectionTimeout):
        return ClusterError(f"{url}: {what}: no answer in time", status=0)
    if isinstance(error, WireError):
        return ClusterError(
            f"{url}: cannot be reached: start it (`os-deploy server start`) or set OPENSEARCH_URL", status=0
        )
    status = error.status_code if isinstance(error.status_code, int) else 0
    if isinstance(error, AuthenticationException):
        advice = "set OPENSEARCH_USER and OPENSEARCH_PASSWORD, or OPENSEARCH_CREDENTIALS_FILE"
        return ClusterError(f"{url}: user or password is wrong or missing (401): {advice}", status=status)
    kind, reason = _reason(error.info, str(error.error))
    if isinstance(error, AuthorizationException) and kind != "cluster_block_exception":
        return ClusterError(f"{url}: {what}: this user is not allowed to (403): {reason}", status=status, kind=kind)
    return ClusterError(f"{url}: {what}: {status} {reason}", status=status, kind=kind)


def _reason(info: object, otherwise: str) -> tuple[str, str]:
    try:
        fault = msgspec.convert(info, dict[str, object]).get("error")
        cause = msgspec.convert(fault, _Fault)
    except (msgspec.ValidationError, AttributeError):
        return "", otherwise
    first = cause.root_cause[0] if cause.root_cause else _Cause(cause.type, cause.reason)
    deeper = f" ({cause.caused_by.reason})" if cause.caused_by and cause.caused_by.reason != first.reason else ""
    return first.type, f"{first.reason}{deeper}"
