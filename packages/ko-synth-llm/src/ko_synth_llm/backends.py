"""What stands between a request and its reply: a protocol of one method, and the backend that replays a recording.

The OpenAI-compatible and vLLM backends have modules of their own, so that their libraries load only when used.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from ._files import sha256
from .asking import Request
from .outcomes import Usage
from .recordings import MissingReplyError, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's whole reply to one request."""

    text: str
    finish_reason: str = "stop"
    """`stop`, or `length` where the token limit cut it off."""
    usage: Usage = Usage()
    reasoning: str = ""
    """Thinking that the server had already set apart."""
    n_attempts: int = 1
    """Requests sent, failed ones included."""


class RequestError(Exception):
    """A request that got no reply, for good; the others go on. An InputError stops the whole run instead."""

    def __init__(self, reason: str, detail: str, *, n_attempts: int = 1) -> None:
        super().__init__(detail)
        self.reason = reason
        self.n_attempts = n_attempts


class Backend(Protocol):
    """A model, by name and revision, that replies to requests; it may be called many times at once."""

    @property
    def model(self) -> str: ...

    @property
    def revision(self) -> str: ...

    async def reply(self, request: Request, /) -> Reply: ...


@runtime_checkable
class Closing(Protocol):
    """A backend that has something to close at the end."""

    async def aclose(self) -> None: ...


def recording_revision(path: Path) -> str:
    """The sha256 of a recording; empty where there is none."""
    return sha256(path) if path.is_file() else ""


class RecordedBackend:
    """Replays a recording: the same parsing and filters as any model's replies, and no model."""

    model = "recorded"

    def __init__(self, path: Path, task: str) -> None:
        self.path = path
        self.revision = recording_revision(path)
        self._recording = Recording(path, task)

    async def reply(self, request: Request, /) -> Reply:
        try:
            return Reply(text=self._recording.reply(request.record_id, request.text_sha256, n=request.n))
        except MissingReplyError as error:
            raise RequestError("not_recorded", str(error)) from error
