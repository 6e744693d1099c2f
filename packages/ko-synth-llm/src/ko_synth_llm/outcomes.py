"""What comes out of a task: an answered record or a reject with its reason, and what either took.

Answered records are the `records` format; latency and attempts stay out of it, so that it is the same from run to run.
"""

from dataclasses import dataclass

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request, as the backend counts them; 0 where it does not."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the records format."""

    id: str
    """`<record id>#<n>`, n from 1."""
    record_id: str
    task: str
    task_version: str
    model: str
    prompt_sha256: str
    answer: object
    """A JSON value that follows the task's schema."""
    usage: Usage
    finish_reason: str
    reasoning: str | msgspec.UnsetType = msgspec.UNSET
    """The model's thinking, where it was asked to be kept."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a rejects file."""

    id: str
    record_id: str
    reason: str
    """A short name, the same for all rejects of a kind."""
    detail: str
    """What was found, for people."""
    text: str = ""
    """The reply or query that was rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one request, in the order of the input."""

    outcome: Answered | Rejected
    cached: bool = False
    n_requests: int = 0
    """Sent for it, repeats and re-asks included."""
    latency_s: float = 0.0
    usage: Usage = Usage()
    """All tokens paid for it now: 0 for one from the cache."""
