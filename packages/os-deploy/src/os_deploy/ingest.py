"""Sends passages in bulk: in order, in parallel, resumable, and counted at the end.

Every document carries its passage's id, so a batch that is sent twice changes nothing; what is certain to be there is a
prefix of the input, whose length is written down, so a killed run goes on from it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from os_deploy._files import InputError, read_json, write_json, write_jsonl
from os_deploy.cluster import Cluster, ClusterError, Done

BUSY = (429, 502, 503, 504)
PATIENCE_S = 120.0
"""How long one batch is tried again while the cluster is busy or away."""

IDS_AT_ONCE = 2000

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Document:
    """One document, ready to be sent."""

    doc_id: str
    source: bytes
    """JSON."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the cluster refused."""

    doc_id: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Documents that are sent together, and where in the input they end."""

    documents: Sequence[Document]
    end: int
    """Documents of the input up to and with this batch."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an index is filled."""

    index_uuid: str
    n_done: int


class _Reason(msgspec.Struct, frozen=True):
    reason: str | None = ""
    type: str = ""


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    id: str = msgspec.field(name="_id")
    status: int
    error: _Reason | None = None


class _BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    errors: bool
    items: list[dict[str, _Item]] = []


class _Count(msgspec.Struct, frozen=True):
    count: int


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    id: str = msgspec.field(name="_id")
    found: bool = False


class _Docs(msgspec.Struct, frozen=True):
    docs: list[_Held]


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """One filling of one index."""

    cluster: Cluster
    index: str
    work: Path
    """The folder of the progress file and of the list of failures."""
    workers: int
    batch_bytes: int
    report: Report
    patience_s: float = PATIENCE_S
    failures: list[Failure] = field(default_factory=list)

    def run(self, documents: Callable[[], Iterable[Document]], n_documents: int) -> int:
        """Sends all documents that are not there yet and verifies that all arrived; returns how many were sent.

        `documents` gives the input anew at each call, in the same order.
        """
        uuid = index_uuid(self.cluster, self.index)
        done = self._read_progress(uuid)
        if done:
            self.report(f"{self.index}: going on after {done} of {n_documents} passages")
        n_sent = self._send_all(islice(documents(), done, None), uuid=uuid, done=done, n_documents=n_documents)
        self._finish()
        n_sent += self._send_missing(documents, n_documents)
        return n_sent

    def _send_all(self, documents: Iterable[Document], *, uuid: str, done: int, n_documents: int) -> int:
        began, start = time.monotonic(), done
        waiting: deque[tuple[Batch, Future[list[Failure]]]] = deque()
        batches = make_batches(documents, start=done, batch_bytes=self.batch_bytes)
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for batch in batches:
                    waiting.append((batch, pool.submit(self._send, batch.documents)))
                    if len(waiting) > self.workers:
                        done = self._settle(waiting, uuid)
                        rate = (done - start) / (time.monotonic() - began)
                        self.report(f"{self.index}: {done} of {n_documents} passages, {rate:.0f} a second")
                while waiting:
                    done = self._settle(waiting, uuid)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        rate = (done - start) / max(time.monotonic() - began, 1e-9)
        self.report(f"{self.index}: {done} of {n_documents} passages, {rate:.0f} a second")
        return done - start

    def _settle(self, waiting: deque[tuple[Batch, Future[list[Failure]]]], uuid: str) -> int:
        """Waits for the oldest batch and notes that all up to it is there, unless some of it was refused."""
        batch, future = waiting.popleft()
        self.failures.extend(future.result())
        if not self.failures:
            write_json(self.work / "progress.json", Progress(index_uuid=uuid, n_done=batch.end))
        return batch.end

    def _send(self, documents: Sequence[Document]) -> list[Failure]:
        """Sends one batch until all of it is there or refused for good; returns what was refused."""
        refused: list[Failure] = []
        until = time.monotonic() + self.patience_s
        wait_s = 0.25
        while True:
            busy, failed = self._send_once(documents)
            refused += failed
            if not busy:
                return refused
            if time.monotonic() > until:
                raise InputError(
                    f"{self.cluster.url}: still refusing or away after {self.patience_s:.0f} s ({busy[0].reason}); "
                    f"nothing is lost: run the same command again to go on"
                )
            again = {failure.doc_id for failure in busy}
            documents = [d for d in documents if d.doc_id in again]
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, 8.0)

    def _send_once(self, documents: Sequence[Document]) -> tuple[list[Failure], list[Failure]]:
        """What is worth another try, and what is not."""
        path = (
            f"/{self.index}/_bulk?filter_path=errors,items.*._id,items.*.status,items.*.error.reason,items.*.error.type"
        )
        try:
            answer = self.cluster.ask("POST", path, _BulkAnswer, body=bulk_body(documents))
        except ClusterError as error:
            if not error.is_passing:
                raise
            return [Failure(doc_id=d.doc_id, status=error.status, reason=str(error)) for d in documents], []
        if not answer.errors:
            return [], []
        busy: list[Failure] = []
        failed: list[Failure] = []
        for item in (action for items in answer.items for action in items.values()):
            if item.error is None:
                continue
            failure = Failure(doc_id=item.id, status=item.status, reason=item.error.reason or item.error.type)
            _refuse_hopeless(failure, self.cluster.url)
            (busy if item.status in BUSY else failed).append(failure)
        return busy, failed

    def _finish(self) -> None:
        """Makes everything searchable; what was refused is listed in a file and ends the run."""
        if self.failures:
            listed = self.work / "failures.jsonl"
            write_jsonl(listed, self.failures)
            first = self.failures[0]
            raise InputError(
                f"{self.index}: {len(self.failures)} passages were refused, listed in {listed}; the first: "
                f"{first.doc_id!r} ({first.status}): {first.reason}"
            )
        self.cluster.post(f"/{self.index}/_refresh", Done)

    def _send_missing(self, documents: Callable[[], Iterable[Document]], n_documents: int) -> int:
        """Compares the count; where it is too low, finds the ids that are missing and sends those."""
        if count(self.cluster, self.index) == n_documents:
            return 0
        missing: list[Document] = []
        stream = iter(documents())
        while chunk := list(islice(stream, IDS_AT_ONCE)):
            held = held_ids(self.cluster, self.index, [d.doc_id for d in chunk])
            missing += [d for d in chunk if d.doc_id not in held]
        self.report(f"{self.index}: {len(missing)} passages are missing and sent again")
        for batch in make_batches(missing, start=0, batch_bytes=self.batch_bytes):
            self.failures.extend(self._send(batch.documents))
        self._finish()
        if (found := count(self.cluster, self.index)) != n_documents:
            raise InputError(
                f"{self.index}: found {found} documents, wanted {n_documents}: something else writes into it"
            )
        return len(missing)

    def _read_progress(self, uuid: str) -> int:
        path = self.work / "progress.json"
        if not path.is_file():
            return 0
        progress = read_json(path, Progress)
        return progress.n_done if progress.index_uuid == uuid else 0


def _refuse_hopeless(failure: Failure, url: str) -> None:
    """Raises InputError for a refusal that waiting does not cure and that will meet every document."""
    if "flood-stage" in failure.reason or "read-only" in failure.reason:
        raise InputError(
            f"{url}: the disk of a node is full ({failure.reason}): free space there, then run again to go on"
        )
    if "pipeline with id" in failure.reason:
        raise InputError(f"{url}: {failure.reason}: something deleted it: run again, which makes it anew")


def make_batches(documents: Iterable[Document], *, start: int, batch_bytes: int) -> Iterator[Batch]:
    """Cuts the input into batches of about `batch_bytes`, at least one document each, in order.

    >>> [(len(b.documents), b.end) for b in make_batches([Document("a", b"x" * 60)] * 3, start=5, batch_bytes=100)]
    [(1, 6), (1, 7), (1, 8)]
    """
    held: list[Document] = []
    n_bytes, end = 0, start
    for document in documents:
        if held and n_bytes + len(document.source) > batch_bytes:
            yield Batch(documents=held, end=end)
            held, n_bytes = [], 0
        held.append(document)
        n_bytes += len(document.source)
        end += 1
    if held:
        yield Batch(documents=held, end=end)


def bulk_body(documents: Iterable[Document]) -> bytes:
    """The documents as a body of `_bulk`.

    >>> bulk_body([Document("doc-1#0", b'{"text":"a"}')])
    b'{"index":{"_id":"doc-1#0"}}\\n{"text":"a"}\\n'
    """
    encode = msgspec.json.encode
    return b"".join(encode({"index": {"_id": d.doc_id}}) + b"\n" + d.source + b"\n" for d in documents)


def count(cluster: Cluster, index: str) -> int:
    """How many documents can be searched."""
    return cluster.get(f"/{index}/_count", _Count).count


def held_ids(cluster: Cluster, index: str, doc_ids: Sequence[str]) -> set[str]:
    """Those of `doc_ids` that the index holds."""
    answer = cluster.post(f"/{index}/_mget?_source=false", _Docs, body={"ids": list(doc_ids)})
    return {doc.id for doc in answer.docs if doc.found}


def index_uuid(cluster: Cluster, index: str) -> str:
    """What tells an index from a later one of the same name."""
    answer = cluster.get(f"/{index}/_settings/index.uuid?flat_settings=true", dict[str, dict[str, dict[str, str]]])
    return answer[index]["settings"]["index.uuid"]
