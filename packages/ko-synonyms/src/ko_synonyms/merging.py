"""Verdicts turn candidates into entries, or entries out of the dictionary.

A judge is another reason beside the brackets, so a yes adds to the confidence and a no takes the pair out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ko_synonyms.confidence import combine
from ko_synonyms.records import Candidate, Synonym, Verdict, pair_id


@dataclass(frozen=True, slots=True)
class Merged:
    """The enhanced dictionary's entries, ordered by Korean and English term, and what became of the verdicts."""

    synonyms: list[Synonym]
    counts: Mapping[str, int]


def merge(
    base: Sequence[Synonym],
    candidates: Iterable[Candidate],
    verdicts: Iterable[Verdict],
    *,
    min_confidence: float = 0.5,
) -> Merged:
    """Adds the candidates that were judged yes and removes the entries that were judged no.

    A verdict less sure than `min_confidence` counts as none; of several on one pair the last counts. A curated pair
    stays whatever the verdict: a person wrote it. A candidate without a verdict stays out.

    >>> judged = Verdict(pair_id="색인|index", ko="색인", en="index", verdict="yes", confidence=0.9)
    >>> candidate = Candidate(pair_id="색인|index", ko="색인", en="index", confidence=0.5, evidence=(), contexts=())
    >>> [(s.ko, s.confidence, s.verdict) for s in merge([], [candidate], [judged]).synonyms]
    [('색인', 0.95, 'yes')]
    """
    usable = {v.pair_id: v for v in verdicts if v.confidence >= min_confidence}
    unused = set(usable)
    kept: dict[str, Synonym] = {}
    counts = {"base": len(base), "added": 0, "removed": 0, "refused": 0, "unjudged": 0}
    for synonym in base:
        key = pair_id(synonym.ko, synonym.en)
        unused.discard(key)
        judged = _judge(synonym, usable.get(key))
        if judged is None:
            counts["removed"] += 1
        else:
            kept[key] = judged
    for candidate in candidates:
        key = candidate.pair_id
        unused.discard(key)
        verdict = usable.get(key)
        if key in kept:
            continue
        if verdict is None or verdict.verdict == "no":
            counts["refused" if verdict else "unjudged"] += 1
            continue
        kept[key] = _accept(candidate, verdict)
        counts["added"] += 1
    counts["verdicts_without_pair"] = len(unused)
    return Merged(sorted(kept.values(), key=lambda s: (s.ko, s.en)), counts)


def _judge(synonym: Synonym, verdict: Verdict | None) -> Synonym | None:
    if verdict is None:
        return synonym
    if verdict.verdict == "yes":
        sure = combine(synonym.confidence, verdict.confidence)
        return msgspec.structs.replace(synonym, verdict="yes", confidence=sure)
    is_curated = any(reason.kind in ("curated", "dictionary") for reason in synonym.evidence)
    return msgspec.structs.replace(synonym, verdict="no") if is_curated else None


def _accept(candidate: Candidate, verdict: Verdict) -> Synonym:
    return Synonym(
        ko=candidate.ko,
        en=candidate.en,
        confidence=combine(candidate.confidence, verdict.confidence),
        evidence=candidate.evidence,
        verdict="yes",
    )
