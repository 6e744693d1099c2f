"""Valid answers kept in SQLite, so that none is paid for twice: across runs, kills, code edits and processes.

The key holds all that decides an answer and nothing of the code; failures are never kept.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from ._files import InputError
from .asking import Request
from .outcomes import Usage
from .recordings import RecordedReply

VERSION = 1
Value = str | int | float | bytes | None
BUSY_S = 60.0
"""How long to wait for another process's write."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A valid answer and what it took."""

    answer: msgspec.Raw
    """The answer as JSON; it followed the schema that is in its key."""
    usage: Usage
    finish_reason: str
    reasoning: str = ""


class CacheStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a cache holds of one task and model."""

    task: str
    task_version: str
    model: str
    n_answers: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """An answer to be kept, and what it answers."""

    key: str
    kept: Kept
    request: Request
    model: str
    task_version: str

    def row(self, created: float) -> tuple[Value, ...]:
        """A row of the table; created: seconds since the epoch."""
        request = self.request
        names = (request.task, self.task_version, self.model, request.record_id, request.text_sha256)
        return (self.key, *names, request.n, msgspec.json.encode(self.kept), created)


def cache_key(request: Request, *, model: str, revision: str) -> str:
    """The hexadecimal sha256 of model, revision, sampling, messages, schema and which answer of the record it is."""
    messages, schema = msgspec.Raw(request.conversation.json), msgspec.Raw(request.schema.json)
    parts = (VERSION, model, revision, request.sampling, messages, schema, request.n)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


class Cache:
    """Answers by key in one SQLite file (WAL), for several threads and processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._make_tables()
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"{path}: cannot be used as a cache: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def find(self, keys: Sequence[str]) -> dict[str, Kept]:
        """The answers there are for these keys."""
        if not keys:
            return {}
        marks = ",".join("?" * len(keys))
        rows = self._execute(f"SELECT key, kept FROM answers WHERE key IN ({marks})", list(keys))
        return {key: msgspec.json.decode(kept, type=Kept) for key, kept in rows}

    def is_empty(self) -> bool:
        return not self._execute("SELECT 1 FROM answers LIMIT 1")

    def keep(self, answers: Sequence[NewAnswer]) -> list[Kept]:
        """Keeps answers, all or none, and returns what the cache now holds of each: the first of a key stays.

        So an answer that another process had first is returned in place of the one given.
        """
        created = time.time()
        rows = [answer.row(created) for answer in answers]
        places = ",".join("?" * len(rows[0])) if rows else ""
        try:
            with self._lock, _transaction(self._db):
                before = self._db.total_changes
                self._db.executemany(f"INSERT INTO answers VALUES ({places}) ON CONFLICT DO NOTHING", rows)
                n_new = self._db.total_changes - before
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        if n_new == len(answers):
            return [answer.kept for answer in answers]
        held = self.find([answer.key for answer in answers])
        return [held.get(answer.key, answer.kept) for answer in answers]

    def adopt(self, path: Path) -> None:
        """Takes in the answers of another cache file; those that are here already stay."""
        Cache(path).close()  # makes sure that it is a cache of a version that is read here
        self._execute("ATTACH DATABASE ? AS other", [str(path)])
        try:
            self._execute("INSERT INTO answers SELECT * FROM other.answers WHERE true ON CONFLICT DO NOTHING")
        finally:
            self._execute("DETACH DATABASE other")

    def stats(self) -> list[CacheStats]:
        """Counts by task and model, sorted."""
        rows = self._execute(
            "SELECT task, task_version, model, COUNT(*), SUM(LENGTH(kept)) FROM answers "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        names = ("task", "task_version", "model", "n_answers", "n_bytes")
        return [msgspec.convert(dict(zip(names, row, strict=True)), CacheStats) for row in rows]

    def export(self) -> Iterator[RecordedReply]:
        """Every answer as a line of a recording, by task, id and number; holds the keys in memory."""
        keys = [row[0] for row in self._execute("SELECT key FROM answers ORDER BY task, record_id, n, created, key")]
        for key in keys:
            for row in self._execute("SELECT task, record_id, text_sha256, kept FROM answers WHERE key = ?", [key]):
                reply = bytes(msgspec.json.decode(row[3], type=Kept).answer).decode()
                yield RecordedReply(task=row[0], id=row[1], text_sha256=row[2], reply=reply)

    def prune(self, *, task: str | None = None, model: str | None = None, older_than_s: float = 0.0) -> int:
        """Removes the answers of a task, of a model, or older than that many seconds, and says how many."""
        rows = self._execute(
            "DELETE FROM answers WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR model = ?2) AND created <= ?3 "
            "RETURNING 1",
            [task, model, time.time() - older_than_s],
        )
        self._execute("VACUUM")
        return len(rows)

    def _make_tables(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise InputError(f"{self.path}: has version {version}, newer than {VERSION}, the newest read here")
        with _transaction(self._db):
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, task TEXT, task_version TEXT, model TEXT, "
                "record_id TEXT, text_sha256 TEXT, n INTEGER, kept BLOB, created REAL)"
            )
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _execute(self, statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> InputError:
        return InputError(f"{self.path}: the cache cannot be read or written: {error}")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
