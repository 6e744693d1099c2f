"""From passages to a dictionary: pairs set side by side in brackets, counted, weighed and split by how sure they are.

Holds the mentions of all passages in memory, not the passages.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ko_synonyms.brackets import Mention, find_mentions
from ko_synonyms.confidence import CANDIDATE, ENTRY, confidence
from ko_synonyms.phrases import SizedPair, size_pairs
from ko_synonyms.records import Candidate, CuratedPair, Evidence, Passage, Synonym, document_id, pair_id
from ko_synonyms.transliteration import ENOUGH, likeness

MAX_SOURCES = 10
"""Passages named in a pair's evidence; the rest are summed up."""

MAX_CONTEXTS = 3
MAX_CONTEXT_LENGTH = 300
"""Characters."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: sure entries, and pairs that need a verdict, both ordered by Korean and English term."""

    synonyms: list[Synonym]
    candidates: list[Candidate]
    n_mentions: int
    n_dropped: int
    """Pairs too weak to be a candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One mention after cutting."""

    ko: str
    en: str
    exact: bool
    passage_id: str
    start: int
    sentence: str


def discover(passages: Iterable[Passage], curated: Sequence[CuratedPair] = (), *, curated_from: str = "") -> Discovery:
    """Finds the Korean-English pairs of passages and splits them into entries and candidates.

    A pair of `curated` (found in the file `curated_from`) is an entry with confidence 1. One seen in a single place,
    with nothing else to speak for it, is a candidate.

    >>> passage = Passage(id="d#0", text="임베딩(embedding)의 색인(index)")
    >>> found = discover([passage])
    >>> [(s.ko, s.en, s.confidence) for s in found.synonyms], [(c.ko, c.en) for c in found.candidates]
    ([('임베딩', 'embedding', 0.85)], [('색인', 'index')])
    """
    located = [(passage, mention) for passage in passages for mention in find_mentions(passage.text)]
    sized = size_pairs(mention for _, mention in located)
    seen = [_seen(p, m, pair) for (p, m), pair in zip(located, sized, strict=True) if pair is not None]
    found = _weigh(_by_pair(seen), _count_brackets(seen))
    listed = {_key(pair.ko, pair.en): pair for pair in curated}
    synonyms = [_entry(found.pop(key, None), pair, curated_from) for key, pair in listed.items()]
    synonyms += [_synonym(c) for c in found.values() if c.confidence >= ENTRY]
    candidates = [c for c in found.values() if CANDIDATE <= c.confidence < ENTRY]
    return Discovery(
        synonyms=sorted(synonyms, key=lambda s: (s.ko, s.en)),
        candidates=sorted(candidates, key=lambda c: (c.ko, c.en)),
        n_mentions=len(located),
        n_dropped=sum(c.confidence < CANDIDATE for c in found.values()),
    )


def _seen(passage: Passage, mention: Mention, pair: SizedPair) -> _Seen:
    return _Seen(
        ko=pair.ko,
        en=pair.en,
        exact=pair.exact,
        passage_id=passage.id,
        start=mention.start,
        sentence=_sentence(passage.text, mention.start),
    )


def _sentence(text: str, position: int) -> str:
    """The sentence around a position, at most MAX_CONTEXT_LENGTH characters of it."""
    start = 0
    for end in [*(found.start() for found in _SENTENCE.finditer(text)), len(text)]:
        if end >= position:
            sentence = text[start:end].strip()
            cut = max(0, position - start - MAX_CONTEXT_LENGTH // 2) if len(sentence) > MAX_CONTEXT_LENGTH else 0
            return sentence[cut : cut + MAX_CONTEXT_LENGTH].strip()
        start = end
    return text.strip()


def _key(ko: str, en: str) -> tuple[str, str]:
    return ko, en.casefold()


def _by_pair(seen: Sequence[_Seen]) -> dict[tuple[str, str], list[_Seen]]:
    pairs: dict[tuple[str, str], list[_Seen]] = defaultdict(list)
    for one in seen:
        pairs[_key(one.ko, one.en)].append(one)
    return pairs


@dataclass(frozen=True, slots=True)
class _Brackets:
    """In how many brackets each term stands."""

    of_ko: Counter[str]
    of_en: Counter[str]


def _count_brackets(seen: Sequence[_Seen]) -> _Brackets:
    places = {(one.passage_id, one.start): one.ko for one in seen}
    return _Brackets(Counter(places.values()), Counter(one.en.casefold() for one in seen))


def _weigh(pairs: dict[tuple[str, str], list[_Seen]], brackets: _Brackets) -> dict[tuple[str, str], Candidate]:
    """Every pair as a candidate; a longer phrase that ends in the Korean term speaks for it as well."""
    longer: Counter[tuple[str, str]] = Counter()
    for (ko, en), mentions in pairs.items():
        words = ko.split()
        for first in range(1, len(words)):
            longer[" ".join(words[first:]), en] += len(mentions)
    found = {}
    for (ko, en), mentions in pairs.items():
        alike = likeness(ko, en)
        sure = confidence(
            len({document_id(one.passage_id) for one in mentions}),
            alike if alike >= ENOUGH else 0.0,
            share_of_en=(len(mentions) + longer[ko, en]) / brackets.of_en[en],
            share_of_ko=len(mentions) / max(brackets.of_ko[ko], len(mentions)),
            exact=any(one.exact for one in mentions),
        )
        spelling = _usual_spelling([one.en for one in mentions])
        found[ko, en] = Candidate(
            pair_id=pair_id(ko, spelling),
            ko=ko,
            en=spelling,
            confidence=sure,
            evidence=_evidence(mentions, alike),
            contexts=tuple(dict.fromkeys(one.sentence for one in mentions))[:MAX_CONTEXTS],
        )
    return found


def _usual_spelling(spellings: Sequence[str]) -> str:
    """The most frequent spelling; among equals the one with fewest capitals."""
    counts = Counter(spellings)
    return min(counts, key=lambda s: (-counts[s], sum(c.isupper() for c in s), s))


def _evidence(mentions: Sequence[_Seen], alike: float) -> tuple[Evidence, ...]:
    counts = Counter(one.passage_id for one in mentions)
    named = [Evidence(kind="parenthesis", source=source, count=n) for source, n in list(counts.items())[:MAX_SOURCES]]
    n_others = sum(list(counts.values())[MAX_SOURCES:])
    if n_others:
        named.append(Evidence(kind="parenthesis", source="others", count=n_others))
    if alike >= ENOUGH:
        named.append(Evidence(kind="transliteration", source=mentions[0].passage_id, count=1))
    return tuple(named)


def _entry(found: Candidate | None, pair: CuratedPair, curated_from: str) -> Synonym:
    evidence = (Evidence(kind="curated", source=curated_from, count=1), *(found.evidence if found else ()))
    return Synonym(ko=pair.ko, en=pair.en, confidence=1.0, evidence=evidence)


def _synonym(found: Candidate) -> Synonym:
    return Synonym(ko=found.ko, en=found.en, confidence=found.confidence, evidence=found.evidence)
