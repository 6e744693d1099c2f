"""The records that go into a task: JSON objects with a stable id and the place they came from.

Tasks take any JSON Lines file, so records stay plain objects here; what a prompt needs of them, its task says.
"""

import gzip
import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec

from ._files import InputError

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One JSON object and where it was read."""

    fields: JsonObject
    where: str
    """`path:line`, or `record 3` for one that came from memory."""


def corpus_of(path: Path) -> Path:
    """The file that is read where a folder with a corpus.jsonl may be given."""
    return path / "corpus.jsonl" if path.is_dir() else path


def read_records(path: Path) -> Iterator[Record]:
    """Yields the objects of a JSON Lines file (plain, .gz, or a BEIR folder's corpus.jsonl) in order, as a stream."""
    path = corpus_of(path)
    decoder = msgspec.json.Decoder(dict[str, object])
    with _lines(path) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield Record(fields=_decode(decoder, line, f"{path}:{number}"), where=f"{path}:{number}")
        except (OSError, EOFError) as error:
            raise InputError(f"{path}: cannot be read to its end: {error}") from error


def read_record(path: Path) -> Record:
    """Reads a file that holds one JSON object, or the first of JSON Lines in a file or a BEIR folder."""
    path = corpus_of(path)
    try:
        return Record(fields=msgspec.json.decode(path.read_bytes(), type=dict[str, object]), where=str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        for record in read_records(path):
            return record
    raise InputError(f"{path}: holds no record")


def text_sha256(texts: Sequence[str]) -> str:
    r"""The hexadecimal sha256 of texts in NFC, joined by line ends: what a recorded reply is an answer to.

    >>> text_sha256(["색인", "index"]) == hashlib.sha256("색인\nindex".encode()).hexdigest()
    True
    """
    return hashlib.sha256(unicodedata.normalize("NFC", "\n".join(texts)).encode()).hexdigest()


def _lines(path: Path) -> IO[bytes]:
    try:
        return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _decode(decoder: msgspec.json.Decoder[dict[str, object]], line: bytes, where: str) -> dict[str, object]:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: is not a JSON object: {error}") from error
