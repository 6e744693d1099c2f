"""The core: a task over a stream of records with a backend, results in the order of the input.

Memory is bounded by a window of records; a slow answer holds up the output, never the requests of the window.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from ._files import InputError
from .asker import Asked, Asker
from .asking import AskedItems, Asking, Request
from .backends import Backend
from .budget import Budget, Spending
from .cache import Cache, Kept, cache_key
from .ids import SeenIds
from .outcomes import Answered, Rejected, Result
from .prompts import UnaskableError
from .records import Record
from .tasks import Task

N_LOOKED_UP = 256
"""Records that are looked up in the cache at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run goes; none of it decides what an answer is."""

    concurrency: int = 64
    """Requests at once."""
    max_asks: int = 3
    """Times that a record is asked for before its invalid replies make it a reject."""
    keeps_reasoning: bool = False
    budget: Budget = field(default_factory=Budget)
    ids_differ: bool = False
    """Whether it is known that no two records have one id; else that is seen to as they come."""


class BudgetReachedError(InputError):
    """A run stopped at a limit; all results there were have been yielded."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A request in its place in the output."""

    request: Request
    key: str
    future: "Future[Asked]"
    owns: bool
    """Whether it sent the request, or waits for an equal one that was sent before it."""


def run(
    task: Task,
    records: Iterable[Record | Mapping[str, object]],
    backend: Backend,
    *,
    cache: Cache | None = None,
    asked: AskedItems | None = None,
    options: Options | None = None,
) -> Iterator[Result]:
    """Yields a result for each record and answer wanted, in the order of the records.

    Answers in the cache are not asked for; equal requests are sent once. A record that cannot be asked or gets no
    valid answer is a reject, and the rest goes on. Raises InputError where nothing can go on, as at a record whose id
    an earlier one has, after the results of all before it; BudgetReachedError at the end where a limit kept records
    from being asked.
    """
    options = options or Options()
    asking = Asking(task, asked=asked)
    spending = Spending(options.budget)
    asker = Asker(
        task,
        backend,
        cache=cache,
        concurrency=options.concurrency,
        max_asks=options.max_asks,
        spending=spending,
    )
    with asker, SeenIds(task.file.record.id) as seen:
        yield from _Run(asking, asker, options, seen=None if options.ids_differ else seen).results(records)


class _Run:
    def __init__(self, asking: Asking, asker: Asker, options: Options, *, seen: SeenIds | None) -> None:
        self.asking = asking
        self.asker = asker
        self.options = options
        self.window = max(1024, 32 * options.concurrency)
        self.sent: dict[str, Future[Asked]] = {}
        self.seen = seen
        """None where ids are known to differ."""
        self.repeated = ""
        self.limit = ""
        self.n_left = 0

    def results(self, records: Iterable[Record | Mapping[str, object]]) -> Iterator[Result]:
        pending: deque[_Waiting | Result] = deque()
        stream = _with_places(records)
        while not self.repeated and (chunk := list(islice(stream, N_LOOKED_UP))):
            pending.extend(self._started(self._until_repeat(chunk)))
            while pending and (len(pending) > self.window or _is_done(pending[0])):
                yield from self._result(pending.popleft())
        while pending:
            yield from self._result(pending.popleft())
        if self.repeated:
            raise InputError(self.repeated)
        if self.limit:
            raise BudgetReachedError(
                f"{self.limit} is reached: {self.n_left} {'answers were' if self.n_left > 1 else 'answer was'} not "
                f"asked for; what is done is kept, run again with a higher limit to go on"
            )

    def _until_repeat(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records before the first whose id an earlier one has."""
        repeat = self.seen.repeat(records) if self.seen is not None else None
        if repeat is None:
            return records
        where = records[repeat.position].where
        self.repeated = f"{where}: the id {repeat.id!r} is that of record {repeat.first} already; ids must differ"
        return records[: repeat.position]

    def _started(self, records: Sequence[Record]) -> list[_Waiting | Result]:
        prepared: list[Request | Result] = []
        for record in records:
            try:
                prepared += self.asking.requests(record)
            except UnaskableError as error:
                prepared.append(Result(outcome=_unaskable(self.asking, record, str(error))))
        backend = self.asker.backend
        keys = [
            cache_key(item, model=backend.model, revision=backend.revision) if isinstance(item, Request) else ""
            for item in prepared
        ]
        found = self.asker.cache.find([key for key in keys if key]) if self.asker.cache else {}
        wanted = [
            (item, key)
            for item, key in zip(prepared, keys, strict=True)
            if isinstance(item, Request) and key not in found
        ]
        owned = self._sent(wanted)
        return [
            self._placed(item, key, found.get(key), owned) if isinstance(item, Request) else item
            for item, key in zip(prepared, keys, strict=True)
        ]

    def _sent(self, wanted: Sequence[tuple[Request, str]]) -> set[int]:
        """Sends the requests whose equals have not been sent, and returns what tells them from those equals."""
        first = {key: request for request, key in reversed(wanted) if key not in self.sent}
        self.sent.update(zip(first, self.asker.submit([(first[key], key) for key in first]), strict=True))
        return {id(request) for request in first.values()}

    def _placed(self, request: Request, key: str, found: Kept | None, owned: set[int]) -> "_Waiting | Result":
        if found is not None:
            return Result(outcome=self._answered(request, found), cached=True)
        return _Waiting(request=request, key=key, future=self.sent[key], owns=id(request) in owned)

    def _result(self, waiting: _Waiting | Result) -> Iterator[Result]:
        if isinstance(waiting, Result):
            yield waiting
            return
        asked = waiting.future.result()
        if waiting.owns:
            self.sent.pop(waiting.key, None)
        if asked.reason == "budget":
            self.limit = asked.detail
            self.n_left += 1
        elif not waiting.owns:
            yield Result(outcome=self._outcome(waiting.request, asked), cached=True)
        else:
            yield Result(
                outcome=self._outcome(waiting.request, asked),
                n_requests=asked.n_requests,
                latency_s=asked.latency_s,
                usage=asked.usage,
            )

    def _outcome(self, request: Request, asked: Asked) -> Answered | Rejected:
        if asked.kept is not None:
            return self._answered(request, asked.kept)
        return Rejected(
            id=_answer_id(request),
            record_id=request.record_id,
            reason=asked.reason,
            detail=asked.detail,
            text=asked.text,
        )

    def _answered(self, request: Request, kept: Kept) -> Answered:
        keeps = self.options.keeps_reasoning and kept.reasoning
        return Answered(
            id=_answer_id(request),
            record_id=request.record_id,
            task=request.task,
            task_version=self.asking.task.version,
            model=self.asker.backend.model,
            prompt_sha256=request.conversation.sha256,
            answer=msgspec.json.decode(kept.answer),
            usage=kept.usage,
            finish_reason=kept.finish_reason,
            reasoning=kept.reasoning if keeps else msgspec.UNSET,
        )


def _answer_id(request: Request) -> str:
    return f"{request.record_id}#{request.n}"


def _is_done(waiting: _Waiting | Result) -> bool:
    return isinstance(waiting, Result) or waiting.future.done()


def _unaskable(asking: Asking, record: Record, detail: str) -> Rejected:
    record_id = record.fields.get(asking.task.file.record.id)
    name = record_id if isinstance(record_id, str) and record_id else record.where
    return Rejected(id=f"{name}#1", record_id=name, reason="record", detail=detail)


def _with_places(records: Iterable[Record | Mapping[str, object]]) -> Iterator[Record]:
    for number, record in enumerate(records, start=1):
        if not isinstance(record, Record | Mapping):
            raise InputError(f"record {number}: is {record!r:.60}; wanted a mapping of field names to values")
        yield record if isinstance(record, Record) else Record(fields=record, where=f"record {number}")
