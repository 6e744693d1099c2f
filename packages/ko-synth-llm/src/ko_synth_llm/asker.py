"""Asks a backend in an event loop of its own: so many requests at once, asked again when an answer is invalid.

The loop lives in a thread, so that a slow reader of results never keeps a request from being sent or received.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Self

import msgspec

from ._files import InputError
from .answers import AnswerError, check, separate_reasoning, valid_answer
from .asking import Request
from .backends import Backend, Closing, Reply, RequestError
from .budget import Spending, plus
from .cache import Cache, Kept, NewAnswer
from .outcomes import Usage
from .prompts import Message
from .tasks import Task

FINAL_REASONS = frozenset({"cut_off", "refused"})
"""Of replies that would be no better if they were asked for again."""
CORRECTION = {
    "ko": "방금 출력은 쓸 수 없습니다: {error}\n설명 없이, 처음에 요청한 형식의 JSON 객체 하나만 다시 출력하세요.",
    "en": "That output cannot be used: {error}\nReply again with nothing but the one JSON object asked for at first.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of one request."""

    kept: Kept | None
    """The valid answer, or None."""
    reason: str = ""
    """Why there is none; `budget` where it was not asked for lack of one."""
    detail: str = ""
    text: str = ""
    """The last invalid reply."""
    usage: Usage = Usage()
    n_requests: int = 0
    latency_s: float = 0.0


class Asker:
    """Sends requests for one task to one backend, and keeps each valid answer the moment it is there."""

    def __init__(
        self, task: Task, backend: Backend, *, cache: Cache | None, concurrency: int, max_asks: int, spending: Spending
    ) -> None:
        self.task = task
        self.backend = backend
        self.cache = cache
        self.max_asks = max_asks
        self.spending = spending
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived: list[tuple[NewAnswer, asyncio.Future[Kept]]] = []
        self._loop = asyncio.new_event_loop()
        self._places = asyncio.Semaphore(concurrency)
        self._thread = threading.Thread(target=self._loop.run_forever, name="ko-synth-llm requests", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, requests: Sequence[tuple[Request, str]]) -> "list[Future[Asked]]":
        """Starts requests, each with its key; a future raises only what must stop the run."""
        futures: list[Future[Asked]] = [Future() for _ in requests]
        if requests:
            self._loop.call_soon_threadsafe(self._start, requests, futures)
        return futures

    def _start(self, requests: Sequence[tuple[Request, str]], futures: "Sequence[Future[Asked]]") -> None:
        for (request, key), future in zip(requests, futures, strict=True):
            task = self._loop.create_task(self._fulfil(request, key, future))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(self.backend, Closing):
            await self.backend.aclose()

    async def _fulfil(self, request: Request, key: str, future: "Future[Asked]") -> None:
        try:
            future.set_result(await self._ask(request, key))
        except Exception as error:  # whoever waits for the future is told, or would wait for ever
            future.set_exception(error)

    async def _ask(self, request: Request, key: str) -> Asked:
        async with self._places:
            started = time.perf_counter()
            asked = await self._ask_until_valid(request)
            latency_s = time.perf_counter() - started
        kept = asked.kept
        if kept is not None and self.cache is not None:
            kept = await self._kept(
                NewAnswer(key=key, kept=kept, request=request, model=self.backend.model, task_version=self.task.version)
            )
        return replace(asked, kept=kept, latency_s=latency_s)

    def _kept(self, answer: NewAnswer) -> "asyncio.Future[Kept]":
        """Keeps an answer with all others that arrive in the same turn of the loop: one transaction costs as much."""
        if not self._arrived:
            self._loop.call_soon(self._keep)
        kept: asyncio.Future[Kept] = self._loop.create_future()
        self._arrived.append((answer, kept))
        return kept

    def _keep(self) -> None:
        assert self.cache is not None
        arrived, self._arrived = self._arrived, []
        try:
            held = self.cache.keep([answer for answer, _ in arrived])
        except InputError as error:
            for _, future in arrived:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), kept in zip(arrived, held, strict=True):
            if not future.done():
                future.set_result(kept)

    async def _ask_until_valid(self, request: Request) -> Asked:
        """Asks at most `max_asks` times, showing the model what was wrong with its last reply."""
        asked = Asked(kept=None)
        again = request
        for _ in range(self.max_asks):
            if limit := self.spending.limit_reached():
                return replace(asked, reason="budget", detail=limit)
            self.spending.n_requests += 1
            try:
                reply = await self.backend.reply(again)
            except RequestError as error:
                n_requests = asked.n_requests + error.n_attempts
                return replace(asked, reason=error.reason, detail=str(error), n_requests=n_requests)
            self.spending.add(reply.usage)
            asked = self._judged(reply, asked, request)
            if asked.kept is not None or asked.reason in FINAL_REASONS:
                return asked
            again = self._corrected(request, asked)
        return asked

    def _judged(self, reply: Reply, before: Asked, request: Request) -> Asked:
        reasoning, text = separate_reasoning(reply.text)
        usage, n_requests = plus(before.usage, reply.usage), before.n_requests + reply.n_attempts
        try:
            answer = valid_answer(text, self.task.schema, finish_reason=reply.finish_reason)
            if request.schema is not self.task.schema:
                check(answer, request.schema, reason="not_asked")
        except AnswerError as error:
            return Asked(
                kept=None, reason=error.reason, detail=str(error), text=text, usage=usage, n_requests=n_requests
            )
        kept = Kept(
            answer=msgspec.Raw(msgspec.json.encode(answer)),
            usage=reply.usage,
            finish_reason=reply.finish_reason,
            reasoning=reply.reasoning or reasoning,
        )
        return Asked(kept=kept, usage=usage, n_requests=n_requests)

    def _corrected(self, request: Request, asked: Asked) -> Request:
        correction = CORRECTION["ko" if self.task.file.language == "ko" else "en"].format(error=asked.detail)
        turns = [Message(role="user", content=correction)]
        if asked.text:
            turns.insert(0, Message(role="assistant", content=asked.text))
        return replace(request, conversation=request.conversation.then(*turns))
