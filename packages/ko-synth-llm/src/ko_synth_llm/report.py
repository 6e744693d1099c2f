"""A report for reading: what was kept and what was not, in numbers by style and in a sample of each side by side.

JSON for programs, one self-contained HTML page for people; the same from run to run.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TypeVar

import msgspec
from jinja2 import Environment

from .filters import Passage
from .metadata import GenerationMetadata, ReasonCount, StyleCount, rate
from .outcomes import Rejected
from .pairs import Pair
from .scripts import copied_span, hangul_share

T = TypeVar("T")
PAGE = Path(__file__).parent / "report.html.j2"


class StyleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The kept queries of one style."""

    style: str
    n: int
    mean_characters: float
    mean_words: float
    mean_hangul: float
    """Share of Hangul among letters, 0 to 1."""
    mean_copied: float
    """Longest share of a query that is in its passage, 0 to 1."""


class FilterRate(msgspec.Struct, frozen=True, kw_only=True):
    """What one filter let pass of the queries that came to it."""

    filter: str
    n_in: int
    n_rejected: int
    accept_rate: float


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A query beside its passage."""

    query_id: str
    query: str
    note: str
    """The style of a kept one, the reason of a reject."""
    passage: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    format: str = "generation_report"
    version: int = 1
    n_kept: int
    n_rejected: int
    accept_rate: float
    reasons: Sequence[ReasonCount]
    styles: Sequence[StyleSummary]
    accepted: Sequence[StyleCount]
    """Of generation_metadata.json."""
    filters: Sequence[FilterRate]
    """In the order in which they ask, from generation_metadata.json."""
    lengths: Mapping[str, int]
    """Kept queries by characters, in tens: `0-9`, `10-19`."""
    kept: Sequence[Shown]
    rejected: Sequence[Shown]


def make_report(
    kept: Sequence[Pair],
    rejected: Sequence[Rejected],
    passages: Mapping[str, Passage],
    *,
    summary: GenerationMetadata | None,
    n_shown: int,
    seed: int,
) -> Report:
    """Counts everything and draws `n_shown` of either side, all of fewer; summary: None where `filter` left none."""
    by_style: dict[str, list[Pair]] = {}
    for pair in kept:
        by_style.setdefault(style_of(pair), []).append(pair)
    tens = Counter(len(pair.query) // 10 for pair in kept)
    reasons = Counter(reject.reason for reject in rejected)
    dice = random.Random(seed)
    return Report(
        n_kept=len(kept),
        n_rejected=len(rejected),
        accept_rate=rate(len(kept), len(kept) + len(rejected)),
        reasons=[ReasonCount(reason=name, n=n) for name, n in sorted(reasons.items(), key=lambda c: (-c[1], c[0]))],
        styles=[_summary(style, by_style[style], passages) for style in sorted(by_style)],
        accepted=summary.styles if summary is not None else [],
        filters=filter_rates(summary) if summary is not None else [],
        lengths={f"{ten * 10}-{ten * 10 + 9}": tens[ten] for ten in sorted(tens)},
        kept=[_shown(p.query_id, p.query, style_of(p), passages.get(p.doc_id)) for p in _drawn(kept, n_shown, dice)],
        rejected=[
            _shown(r.id, r.text, f"{r.reason}: {r.detail}", passages.get(r.record_id))
            for r in _drawn(rejected, n_shown, dice)
        ],
    )


def filter_rates(summary: GenerationMetadata) -> list[FilterRate]:
    """How much each filter let pass: a query that one refuses does not come to those after it."""
    rates, n_in = [], summary.n_queries
    for row in summary.rejected:
        rates.append(FilterRate(filter=row.reason, n_in=n_in, n_rejected=row.n, accept_rate=rate(n_in - row.n, n_in)))
        n_in -= row.n
    return rates


def html(report: Report) -> str:
    """The report as one page that needs nothing else; all texts are escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(PAGE.read_text(encoding="utf-8")).render(report=report)


def style_of(pair: Pair) -> str:
    """The style at the end of a pair's source."""
    return pair.source.rpartition("/")[2]


def _summary(style: str, pairs: Sequence[Pair], passages: Mapping[str, Passage]) -> StyleSummary:
    return StyleSummary(
        style=style,
        n=len(pairs),
        mean_characters=_mean(len(pair.query) for pair in pairs),
        mean_words=_mean(len(pair.query.split()) for pair in pairs),
        mean_hangul=_mean(hangul_share(pair.query) for pair in pairs),
        mean_copied=_mean(
            len(copied_span(pair.query, passages[pair.doc_id].text)) / len(pair.query)
            for pair in pairs
            if pair.doc_id in passages
        ),
    )


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return round(mean(held), 3) if held else 0.0


def _drawn(items: Sequence[T], n: int, dice: random.Random) -> list[T]:
    return [items[number] for number in sorted(dice.sample(range(len(items)), min(n, len(items))))]


def _shown(query_id: str, query: str, note: str, passage: Passage | None) -> Shown:
    return Shown(query_id=query_id, query=query, note=note, passage=passage.text if passage else "")
