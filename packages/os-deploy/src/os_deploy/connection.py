"""Where the cluster is and who we are to it.

Credentials come from the environment or from a file that only its owner reads, never from arguments, and appear in no
message, log or manifest.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from os_deploy._files import InputError, read_json

DEFAULT_URL = "http://127.0.0.1:9200"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A user and a password, as the credentials file holds them."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a cluster; certificates are always checked."""

    url: str
    credentials: Credentials | None = field(default=None, repr=False)
    ca_file: Path | None = None
    """The authority to trust; the system's where it is None."""
    fingerprint: str | None = None
    """sha256 of the server's certificate, instead of an authority."""
    aws_region: str | None = None
    """Signs requests for AWS (SigV4) in this region, with the credentials that AWS tools find."""
    aws_service: str = "es"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"OpenSearch URL: found {hide_password(self.url)!r}, wanted http(s)://host:port")
        if parts.username or parts.password:
            raise InputError(
                f"OpenSearch URL: found credentials in {hide_password(self.url)!r}: "
                f"set OPENSEARCH_USER and OPENSEARCH_PASSWORD, or OPENSEARCH_CREDENTIALS_FILE, instead"
            )


def hide_password(url: str) -> str:
    """The URL without who logs in.

    >>> hide_password("https://admin:secret@search:9200")
    'https://***@search:9200'
    """
    before, at, after = url.rpartition("@")
    return f"{before.partition('//')[0]}//***@{after}" if at else url


def connection_from(environment: Mapping[str, str], *, url: str | None = None) -> Connection:
    """The connection that OPENSEARCH_* variables describe; `url` wins over OPENSEARCH_URL."""
    ca_file = environment.get("OPENSEARCH_CA_FILE")
    if ca_file and not Path(ca_file).is_file():
        raise InputError(f"OPENSEARCH_CA_FILE: {ca_file}: no such file")
    return Connection(
        url=(url or environment.get("OPENSEARCH_URL") or DEFAULT_URL).rstrip("/"),
        credentials=_credentials_from(environment),
        ca_file=Path(ca_file) if ca_file else None,
        fingerprint=environment.get("OPENSEARCH_FINGERPRINT"),
        aws_region=environment.get("OPENSEARCH_AWS_REGION"),
        aws_service=environment.get("OPENSEARCH_AWS_SERVICE", "es"),
    )


def _credentials_from(environment: Mapping[str, str]) -> Credentials | None:
    if file := environment.get("OPENSEARCH_CREDENTIALS_FILE"):
        return read_credentials(Path(file))
    user, password = environment.get("OPENSEARCH_USER"), environment.get("OPENSEARCH_PASSWORD")
    if bool(user) != bool(password):
        raise InputError("OPENSEARCH_USER and OPENSEARCH_PASSWORD: found one of them, wanted both or neither")
    return Credentials(user=user, password=password) if user and password else None


def read_credentials(path: Path) -> Credentials:
    """Reads `{"user": ..., "password": ...}`; InputError where others than the owner may read the file."""
    credentials = read_json(path, Credentials)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InputError(f"{path}: found mode {mode:03o}, wanted 600: others can read it: chmod 600 {path}")
    return credentials
