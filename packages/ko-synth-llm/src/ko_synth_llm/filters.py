"""Filters of generated queries: each says of one query why it is not to be kept, or nothing.

They run in a fixed order and the first that objects gives the reason; duplicates come last, since only kept queries
can be duplicated.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .near import NearTexts
from .scripts import WORD, copied_span, foreign_letters, hangul_share, is_hangul, is_latin, squeezed

KOREAN_STYLES = frozenset({"keyword", "question", "colloquial"})

POINTS_AT_TEXT = re.compile(
    r"(?<![가-힣])(?:이|본|위|위의|윗|앞의|아래|해당|상기|제시된|주어진) ?"
    r"(?:글(?![자꼴씨로루리귀머])|문단|지문|단락|본문|텍스트|기사(?!식)|문서(?![화함고])|자료(?![형구실]))"
    r"|(?<![가-힣])(?:본문|지문|문단)(?:에서|에 |의 |에는)|(?<![가-힣])필자|위에서 (?:말|언급|설명)|저자는"
    r"|\b(?:this|the above|the given|the following|provided) (?:document|passage|article|text|paragraph)\b"
    r"|\baccording to the (?:document|passage|article|text|author)\b|\bthe passage\b"
    r"|\bthe author (?:says?|mentions?|describes?|argues?|thinks?)\b",
    re.IGNORECASE,
)
UNANSWERABLE = re.compile(
    r"다음 ?중|빈칸|보기에서|옳은 것|옳지 않은|틀린 것은|고르시오|서술하시오|설명하시오|논하시오|정답은|몇 번째 문|"
    r"\b(?:which of the following|fill in the blank|true or false)\b",
    re.IGNORECASE,
)
GENERIC_WORDS = frozenset((Path(__file__).parent / "generic_words.txt").read_text(encoding="utf-8").split())
ENDINGS = re.compile(
    r"(?:입니까|인가요|일까요|은가요|는가요|나요|까요|가요|인가|일까|이란|이야|이에요|예요|은|는|이|가|을|를|의|에|에서|로|으로|와|과"
    r"|도|만|야|요|란|지|죠|해|해요|하다|하나|하는|한|할|된|되는|돼|돼요)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What a query was written for."""

    doc_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A generated query."""

    query_id: str
    style: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the filters let pass."""

    min_characters: int = 4
    max_characters: int = 80
    """Of a Korean or code-mixed query."""
    max_english_words: int = 20
    min_hangul: float = 0.8
    """Share of Hangul among the letters of a Korean query."""
    max_mixed_hangul: float = 0.95
    max_copied: float = 0.6
    """Longest share of a query that may be copied from its passage."""
    min_copied_characters: int = 10
    """Shorter copied spans are names and terms, as are those of fewer words."""
    min_copied_words: int = 3
    near: float = 0.8
    """Jaccard similarity of character trigrams from which two queries are near duplicates."""
    crowded: float = 0.5
    max_crowd: int = 3
    """Kept queries that may be that similar to one another."""
    max_fitting: float = 0.2
    """Share of passages from which a word is too common to single one out."""


def wrong_length(text: str, bounds: Bounds, *, is_english: bool) -> str:
    """Why a query is too short or too long, in words where it is English; empty where it is neither.

    >>> wrong_length("색인", Bounds(), is_english=False), wrong_length("index", Bounds(), is_english=True)
    ('2 characters, wanted 4 to 80', '1 words, wanted 2 to 20')
    """
    if is_english:
        n_words, limit = len(text.split()), bounds.max_english_words
        return "" if 2 <= n_words <= limit else f"{n_words} words, wanted 2 to {limit}"
    low, high = bounds.min_characters, bounds.max_characters
    return "" if low <= len(text) <= high else f"{len(text)} characters, wanted {low} to {high}"


Filter = Callable[[Query, Passage], str]
"""Why a query is not kept; empty where nothing speaks against it."""


class QueryFilters:
    """The filters that need no model, over one stream of queries."""

    def __init__(self, bounds: Bounds, passages: Iterable[Passage]) -> None:
        self.bounds = bounds
        self._prefixes: Counter[str] = Counter()
        self._n_passages = 0
        for passage in passages:
            self._n_passages += 1
            self._prefixes.update({word[:2] for word in WORD.findall(f"{passage.title} {passage.text}".lower())})
        self._equal: dict[str, str] = {}
        self._near = NearTexts(bounds.near)
        self._crowd = NearTexts(bounds.crowded)
        self.filters: dict[str, Filter] = {
            "length": self.length,
            "script": self.script,
            "points_at_text": self.points_at_text,
            "unanswerable": self.unanswerable,
            "generic": self.generic,
            "copied": self.copied,
            "duplicate": self.duplicate,
            "near_duplicate": self.near_duplicate,
            "crowded": self.crowded,
        }

    def objection(self, query: Query, passage: Passage) -> tuple[str, str]:
        """The first filter that objects and its reason; two empty texts for a query that is kept."""
        for name, objects in self.filters.items():
            if detail := objects(query, passage):
                return name, detail
        return "", ""

    def keep(self, query: Query) -> None:
        """Takes note of a query that is kept, for the duplicates to come."""
        self._equal.setdefault(squeezed(query.text), query.query_id)
        self._near.add(query.query_id, query.text)
        self._crowd.add(query.query_id, query.text)

    def length(self, query: Query, _: Passage) -> str:
        return wrong_length(query.text, self.bounds, is_english=query.style == "english")

    def script(self, query: Query, passage: Passage) -> str:
        if foreign := foreign_letters(query.text, f"{passage.title} {passage.text}"):
            return f"{foreign!r} is neither Hangul nor Latin, and not in the passage"
        n_hangul = sum(map(is_hangul, query.text))
        n_latin = sum(map(is_latin, query.text))
        if query.style == "english":
            return f"{n_hangul} Hangul letters in an English query" if n_hangul or not n_latin else ""
        if query.style == "code_mixed":
            if n_hangul < 2 or n_latin < 2:
                return f"{n_hangul} Hangul and {n_latin} Latin letters, wanted both scripts"
            share = hangul_share(query.text)
            return "" if share <= self.bounds.max_mixed_hangul else f"Hangul share {share:.2f}, hardly mixed"
        share = hangul_share(query.text, f"{passage.title} {passage.text}")
        return "" if share >= self.bounds.min_hangul else f"Hangul share {share:.2f}, wanted {self.bounds.min_hangul}"

    def points_at_text(self, query: Query, _: Passage) -> str:
        found = POINTS_AT_TEXT.search(query.text)
        return f"{found.group().strip()!r} points at the text" if found else ""

    def unanswerable(self, query: Query, _: Passage) -> str:
        found = UNANSWERABLE.search(query.text)
        return f"{found.group()!r} is an exam's shape" if found else ""

    def generic(self, query: Query, _: Passage) -> str:
        words = [word for word in WORD.findall(query.text.lower()) if not is_generic(word)]
        if not words:
            return "no word that singles out a passage"
        limit = self.bounds.max_fitting * self._n_passages
        if self._n_passages >= 50 and all(self._prefixes[word[:2]] > limit for word in words):
            return f"every word begins like words in more than {self.bounds.max_fitting:.0%} of the passages"
        return ""

    def copied(self, query: Query, passage: Passage) -> str:
        span = copied_span(query.text, passage.text)
        share = len(span) / len(query.text)
        is_name = len(span) < self.bounds.min_copied_characters or len(span.split()) < self.bounds.min_copied_words
        if is_name or share <= self.bounds.max_copied:
            return ""
        return f"{span!r} is copied, {share:.2f} of the query"

    def duplicate(self, query: Query, _: Passage) -> str:
        first = self._equal.get(squeezed(query.text))
        return f"equal to {first}" if first else ""

    def near_duplicate(self, query: Query, _: Passage) -> str:
        found = self._near.find(query.text)
        return f"nearly equal to {found[0]}" if found else ""

    def crowded(self, query: Query, _: Passage) -> str:
        found = self._crowd.find(query.text)
        return f"like {len(found)} others, such as {found[0]}" if len(found) >= self.bounds.max_crowd else ""


class RoundTrip:
    """Keeps a query whose passage a search finds for it among the first k."""

    def __init__(self, ranks: Mapping[tuple[str, str], int], k: int) -> None:
        self.ranks = ranks
        self.k = k

    def __call__(self, query: Query, passage: Passage) -> str:
        rank = self.ranks.get((query.query_id, passage.doc_id))
        if rank is None:
            return "the search did not find its passage"
        return "" if rank <= self.k else f"its passage is at rank {rank}, wanted {self.k} or better"


class Reranked:
    """Keeps a query that a reranker scores at least so high with its passage."""

    def __init__(self, scores: Mapping[tuple[str, str], float], minimum: float) -> None:
        self.scores = scores
        self.minimum = minimum

    def __call__(self, query: Query, passage: Passage) -> str:
        score = self.scores.get((query.query_id, passage.doc_id))
        if score is None:
            return "has no score"
        return "" if score >= self.minimum else f"score {score:g}, wanted {self.minimum:g}"


def is_generic(word: str) -> bool:
    """Whether a word, its particle or ending aside, is one that any document could be asked about.

    >>> [is_generic(word) for word in ("장점은", "무엇인가요", "방법", "임베딩은")]
    [True, True, True, False]
    """
    return word in GENERIC_WORDS or ENDINGS.sub("", word) in GENERIC_WORDS or not ENDINGS.sub("", word)
