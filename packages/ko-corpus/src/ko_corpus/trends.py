"""Trends: terms that a corpus's newest months speak of more than the time before.

Searches follow what is new, so the terms found here have their idf raised a little (see `idf`).
"""

import calendar
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from ._files import check_version, read_json
from ._kiwi import Analysis, analysis
from .compounds import COMPOUND_TAGS, compounds
from .documents import Document

MIN_STRATUM = 10
"""A source with fewer documents than this in either window is counted together with others like it."""

FULL_BOOST_Z = 5.0
"""The z-score from which a term has the whole boost."""

SMOOTHING = 0.5
"""Documents added to both counts of a ratio (Haldane 1956)."""

EXPLAINED = 0.8
"""A term in at least this share of the recent documents of a part of it is what the part is about."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A rising term."""

    term: str
    """As it is mostly written."""
    n_recent: int
    """Documents of the recent window that hold it."""
    n_before: int
    ratio: float
    """How many times more often it is found than before, smoothed."""
    z_score: float
    boost: float
    """What its tokens' idf is multiplied with: above 1, at most the bound."""


class Trends(msgspec.Struct, frozen=True, kw_only=True):
    """Rising terms, best first, of the format `trends`."""

    format: str = "trends"
    version: int = 1
    recent_from: str | None
    """First day of the recent window; null where no document is dated."""
    recent_to: str | None
    analysis: Analysis
    terms: list[Trend]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendOptions:
    """What counts as a rise."""

    recent_months: int = 4
    """Calendar months of the recent window; the last one is that of the newest document."""
    min_support: int = 3
    """Recent documents that must hold a term."""
    min_z: float = 2.5
    max_boost: float = 1.5
    top: int = 200

    def __post_init__(self) -> None:
        if min(self.recent_months, self.min_support, self.top) < 1 or self.max_boost < 1:
            raise ValueError(f"{self}: wanted months, support, top and boost of at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """How many documents there are, and in how many a term is, by source and window."""

    n_recent: Counter[str]
    n_before: Counter[str]
    recent: Mapping[str, Counter[str]]
    """key -> source -> recent documents"""
    before: Mapping[str, Counter[str]]
    spelled: Mapping[str, str]


def find_trends(documents: Iterable[Document], options: TrendOptions = TrendOptions()) -> Trends:
    """The terms that rose, by falling z-score; undated documents do not count. Holds all documents in memory.

    z is that of Cochran, Mantel and Haenszel (1959) over sources: a term that is common in one source does not rise
    because that source wrote more of late. Of a term and a part of it, one is kept.
    """
    dated = [d for d in documents if d.published is not None]
    if not dated:
        return Trends(recent_from=None, recent_to=None, analysis=analysis(COMPOUND_TAGS), terms=[])
    first, last = recent_window((d.published or "" for d in dated), months=options.recent_months)
    counted = _count(dated, first, options.min_support)
    risen = {}
    for key in counted.recent:
        trend = _trend(key, counted, options)
        if trend.z_score >= options.min_z:
            risen[key] = trend
    kept = _without_parts(risen, counted, min_z=options.min_z)
    terms = sorted(kept.values(), key=lambda t: (-t.z_score, -t.n_recent, -t.ratio, t.term))[: options.top]
    return Trends(recent_from=first, recent_to=last, analysis=analysis(COMPOUND_TAGS), terms=terms)


def read_trends(path: Path) -> Trends:
    """Reads a file of the format `trends`; InputError where its version is newer than what is read here."""
    found = read_json(path, Trends)
    check_version(path, found.format, found.version)
    return found


def recent_window(published: Iterable[str], *, months: int) -> tuple[str, str]:
    """The first and the last day of the last `months` calendar months, counted from the newest date.

    >>> recent_window(["2026-01-02", "2025-11-30"], months=4)
    ('2025-10-01', '2026-01-31')
    """
    newest = date.fromisoformat(max(day[:10] for day in published))
    since = newest.year * 12 + newest.month - months
    last = newest.replace(day=calendar.monthrange(newest.year, newest.month)[1])
    return f"{since // 12:04}-{since % 12 + 1:02}-01", last.isoformat()


def _count(dated: Sequence[Document], first: str, min_support: int) -> _Counted:
    """Counts recent documents first, and then before them only the terms that have the support."""
    recent = [d for d in dated if (d.published or "") >= first]
    before = [d for d in dated if (d.published or "") < first]
    sources = _strata(recent, before)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for document, terms in zip(recent, compounds(_text(d) for d in recent), strict=True):
        for key, surface in terms.items():
            found[key][sources[document.source]] += 1
            spellings[key][surface] += 1
    supported = {key: counts for key, counts in found.items() if counts.total() >= min_support}
    found_before: dict[str, Counter[str]] = defaultdict(Counter)
    for document, terms in zip(before, compounds(_text(d) for d in before), strict=True):
        for key in terms.keys() & supported.keys():
            found_before[key][sources[document.source]] += 1
    return _Counted(
        n_recent=Counter(sources[d.source] for d in recent),
        n_before=Counter(sources[d.source] for d in before),
        recent=supported,
        before={key: found_before.get(key, Counter()) for key in supported},
        spelled={key: min(spellings[key], key=lambda s: (-spellings[key][s], s)) for key in supported},
    )


def _text(document: Document) -> str:
    return f"{document.title}\n\n{document.text}"


def _strata(recent: Sequence[Document], before: Sequence[Document]) -> dict[str, str]:
    """Each source's stratum: itself, or "" for those with too few documents to tell a rise."""
    n_recent, n_before = Counter(d.source for d in recent), Counter(d.source for d in before)
    return {
        source: source if min(n_recent[source], n_before[source]) >= MIN_STRATUM else ""
        for source in n_recent | n_before
    }


def _trend(key: str, counted: _Counted, options: TrendOptions) -> Trend:
    recent, before = counted.recent[key], counted.before[key]
    n_recent, n_before = recent.total(), before.total()
    tables = _tables(key, counted)
    z = stratified_z(tables)
    share = counted.n_recent.total() / max(counted.n_before.total(), 1)
    expected = sum(b * n_r / n_b for _, b, n_r, n_b in tables if n_b)
    return Trend(
        term=counted.spelled[key],
        n_recent=n_recent,
        n_before=n_before,
        ratio=round((n_recent + SMOOTHING) / (expected + SMOOTHING * share), 4),
        z_score=round(z, 4),
        boost=round(1 + (options.max_boost - 1) * min(max(z, 0.0) / FULL_BOOST_Z, 1.0), 4),
    )


def stratified_z(tables: Iterable[tuple[int, int, int, int]]) -> float:
    """z of the hypothesis that a term is as frequent in the recent as in the earlier documents of each stratum.

    tables: per stratum, recent documents with the term, earlier ones with it, recent documents, earlier documents.
    sum(a - E) / sqrt(sum(V)), with E and V of the hypergeometric distribution; 0 where no stratum can tell.
    Source: Mantel and Haenszel 1959; no continuity correction.

    >>> round(stratified_z([(6, 0, 16, 29)]), 2), stratified_z([(6, 0, 16, 0)])
    (3.5, 0.0)
    """
    excess = variance = 0.0
    for with_recent, with_before, n_recent, n_before in tables:
        n, n_with = n_recent + n_before, with_recent + with_before
        if n < 2:
            continue
        excess += with_recent - n_with * n_recent / n
        variance += n_with * n_recent * (n - n_with) * n_before / (n * n * (n - 1))
    return excess / math.sqrt(variance) if variance > 0 else 0.0


def _without_parts(risen: Mapping[str, Trend], counted: _Counted, *, min_z: float) -> dict[str, Trend]:
    """Of each term and the parts of it that rose as well, those that rose in their own right.

    The longer is left out where it is but one of the things said of a part that is newer; a part where it does not
    rise in the documents without the longer.
    """
    dropped: set[str] = set()
    for longer in sorted(risen, key=lambda key: (-len(key), key)):
        spans = {longer[a:b] for a in range(len(longer)) for b in range(a + 2, len(longer) + 1)} - {longer}
        parts = sorted(spans & risen.keys())
        if _is_mere_phrase(longer, parts, risen):
            dropped.add(longer)
        else:
            dropped.update(part for part in parts if stratified_z(_tables(part, counted, without=longer)) < min_z)
    return {key: trend for key, trend in risen.items() if key not in dropped}


def _is_mere_phrase(longer: str, parts: Sequence[str], risen: Mapping[str, Trend]) -> bool:
    """Whether parts are newer and wider than the longer term, and no word beside them rises only through it."""
    whole = risen[longer]
    hanging = [part for part in parts if whole.n_recent >= EXPLAINED * risen[part].n_recent]
    wider = [part for part in parts if part not in hanging and risen[part].ratio > whole.ratio]
    beside = longer
    for part in sorted(wider, key=len, reverse=True):
        beside = beside.replace(part, " ")
    return bool(wider) and not any(part in beside for part in hanging)


def _tables(key: str, counted: _Counted, *, without: str | None = None) -> list[tuple[int, int, int, int]]:
    """The counts of `stratified_z` for a term, in documents that do not hold `without`, a term that contains it."""
    recent, before = counted.recent[key], counted.before[key]
    if without is not None:
        recent, before = recent - counted.recent[without], before - counted.before[without]
    return [
        (recent[source], before[source], counted.n_recent[source], counted.n_before[source])
        for source in sorted(counted.n_recent | counted.n_before)
    ]
