"""From answers of `synonym_judge` to the verdicts that a synonym dictionary is merged with.

A verdict is one of two words in Korean for the model, and one of two in the format.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ._files import InputError, read_jsonl
from .outcomes import Answered

WORDS: Mapping[str, Literal["yes", "no"]] = {"예": "yes", "아니오": "no"}


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a line of the synonym candidates format."""

    pair_id: str
    ko: str
    en: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the synonym verdicts format."""

    pair_id: str
    ko: str
    en: str
    verdict: Literal["yes", "no"]
    confidence: float
    reason: str
    model: str
    task: str
    task_version: str


class VerdictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the task `synonym_judge`."""

    verdict: Literal["예", "아니오"]
    confidence: float
    reason: str


def read_candidates(path: Path) -> dict[str, Candidate]:
    """The candidates by pair id, in memory."""
    return {line.pair_id: line for line in read_jsonl(path, Candidate)}


def verdicts_of(answers: Iterable[Answered], candidates: Mapping[str, Candidate]) -> Iterator[Verdict]:
    """Yields a verdict for each answer, in order; InputError for an answer to no candidate or of another task."""
    for answer in answers:
        candidate = candidates.get(answer.record_id)
        if candidate is None:
            raise InputError(f"answer {answer.id!r}: there is no candidate {answer.record_id!r}")
        try:
            judged = msgspec.convert(answer.answer, VerdictAnswer)
        except msgspec.ValidationError as error:
            raise InputError(f"answer {answer.id!r} of task {answer.task!r} holds no verdict: {error}") from error
        yield Verdict(
            pair_id=candidate.pair_id,
            ko=candidate.ko,
            en=candidate.en,
            verdict=WORDS[judged.verdict],
            confidence=judged.confidence,
            reason=judged.reason,
            model=answer.model,
            task=answer.task,
            task_version=answer.task_version,
        )
