"""Asks a backend in an event loop of its own: so many requests at once, asked again when an answer is invalid.

The loop lives in a thread, so that a slow reader of results never keeps a request from being sent or received.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec

from .answers import AnswerError, check, separate_reasoning, valid_answer
from .asking import Request
from .backends import Backend, Closing, Reply, RequestError
from .budget import Spending, plus
from .cache import Cache, Kept
from .outcomes import Usage
from .prompts import Message
from .records import JsonObject
from .tasks import Task

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

T = TypeVar("T")

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
        self._validators: dict[bytes, Validator] = {}
        self._loop = asyncio.new_event_loop()
        self._places = asyncio.Semaphore(concurrency)
        self._thread = threading.Thread(target=self._loop.run_forever, name="ko-synth-llm requests", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._in_loop(self._stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, request: Request, key: str) -> "Future[Asked]":
        """Starts a request; the future raises only what must stop the run."""
        return self._in_loop(self._ask(request, key))

    def _in_loop(self, coroutine: Coroutine[object, object, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _stop(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if isinstance(self.backend, Closing):
            await self.backend.aclose()

    async def _ask(self, request: Request, key: str) -> Asked:
        async with self._places:
            started = time.perf_counter()
            asked = await self._ask_until_valid(request)
            asked = replace(asked, latency_s=time.perf_counter() - started)
        if asked.kept is not None and self.cache is not None:
            kept = self.cache.keep(
                key, asked.kept, request=request, model=self.backend.model, task_version=self.task.version
            )
            asked = replace(asked, kept=kept)
        return asked

    async def _ask_until_valid(self, request: Request) -> Asked:
        """Asks at most `max_asks` times, showing the model what was wrong; a cut-off answer is not asked for again."""
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
            asked = self._judged(reply, asked, request.schema)
            if asked.kept is not None or asked.reason == "cut_off":
                return asked
            again = self._corrected(request, asked)
        return asked

    def _judged(self, reply: Reply, before: Asked, schema: JsonObject) -> Asked:
        reasoning, text = separate_reasoning(reply.text)
        usage, n_requests = plus(before.usage, reply.usage), before.n_requests + reply.n_attempts
        try:
            answer = valid_answer(text, self.task.validator, finish_reason=reply.finish_reason)
            check(answer, self._validator(schema), reason="not_asked")
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

    def _validator(self, schema: JsonObject) -> "Validator":
        from jsonschema import Draft202012Validator

        key = msgspec.json.encode(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(schema)
        return self._validators[key]

    def _corrected(self, request: Request, asked: Asked) -> Request:
        correction = CORRECTION["ko" if self.task.file.language == "ko" else "en"].format(error=asked.detail)
        turns = [Message(role="user", content=correction)]
        if asked.text:
            turns.insert(0, Message(role="assistant", content=asked.text))
        return replace(request, messages=(*request.messages, *turns))
