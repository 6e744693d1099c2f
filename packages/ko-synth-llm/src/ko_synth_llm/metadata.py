"""generation_metadata.json: what was generated, what was kept and why the rest was not.

The same from run to run; times are in manifests and side logs.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from .filters import Bounds
from .outcomes import Answered, Rejected, Usage
from .pairs import Tally


class Generator(msgspec.Struct, frozen=True, kw_only=True):
    """One task with one model, and how many answers are theirs."""

    task: str
    task_version: str
    model: str
    n_answers: int
    prompts_sha256: str
    """Of the answers' prompt_sha256, sorted: changes when any prompt does."""


class StyleCount(msgspec.Struct, frozen=True, kw_only=True):
    """How queries of one style fared."""

    style: str
    n_generated: int
    n_kept: int
    accept_rate: float


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many one filter, or one kind of failure, took away."""

    reason: str
    n: int


class GenerationMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of generation_metadata.json."""

    format: str = "generation_metadata"
    version: int = 1
    generators: Sequence[Generator]
    n_answers: int
    n_unanswered: int
    """Records that got no valid answer."""
    unanswered: Sequence[ReasonCount]
    n_queries: int
    n_kept: int
    accept_rate: float
    """Kept queries of generated ones, 0 to 1."""
    rejected: Sequence[ReasonCount]
    """By filter, in the order in which they ask."""
    styles: Sequence[StyleCount]
    bounds: Bounds
    usage: Usage


class Generators:
    """Counts answers by task and model as they pass."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._prompts: dict[tuple[str, str, str], list[str]] = {}

    def noted(self, answers: Iterable[Answered]) -> Iterable[Answered]:
        """Passes answers on and takes note of them."""
        for answer in answers:
            key = (answer.task, answer.task_version, answer.model)
            self._counts[key] += 1
            self._prompts.setdefault(key, []).append(answer.prompt_sha256)
            yield answer

    def found(self) -> list[Generator]:
        return [
            Generator(
                task=key[0],
                task_version=key[1],
                model=key[2],
                n_answers=self._counts[key],
                prompts_sha256=hashlib.sha256("\n".join(sorted(self._prompts[key])).encode()).hexdigest(),
            )
            for key in sorted(self._counts)
        ]


def metadata(
    tally: Tally, generators: Generators, *, filters: Sequence[str], bounds: Bounds, unanswered: Iterable[Rejected]
) -> GenerationMetadata:
    """The metadata of one filtering; filters: their names in order."""
    failures = Counter(reject.reason for reject in unanswered)
    return GenerationMetadata(
        generators=generators.found(),
        n_answers=tally.n_answers,
        n_unanswered=failures.total(),
        unanswered=[ReasonCount(reason=reason, n=failures[reason]) for reason in sorted(failures)],
        n_queries=tally.n_queries,
        n_kept=tally.n_kept,
        accept_rate=rate(tally.n_kept, tally.n_queries),
        rejected=[ReasonCount(reason=name, n=tally.reasons[name]) for name in filters],
        styles=[
            StyleCount(
                style=style,
                n_generated=tally.generated[style],
                n_kept=tally.kept[style],
                accept_rate=rate(tally.kept[style], tally.generated[style]),
            )
            for style in sorted(tally.generated)
        ],
        bounds=bounds,
        usage=tally.usage,
    )


def rate(n: int, n_all: int) -> float:
    """A share to four places; 0 of nothing.

    >>> rate(2, 3), rate(0, 0)
    (0.6667, 0.0)
    """
    return round(n / n_all, 4) if n_all else 0.0
