"""The dictionary for others: term pairs for training, synonyms.txt for Solr, Elasticsearch and OpenSearch."""

import re
from collections.abc import Iterable, Iterator

from ko_synonyms.dictionary import Dictionary
from ko_synonyms.records import Synonym, TermPair


def term_pairs(synonyms: Iterable[Synonym], *, min_confidence: float = 0.0) -> Iterator[TermPair]:
    """Yields the pairs of at least `min_confidence` for cross-lingual alignment, weighted by their confidence.

    >>> list(term_pairs([Synonym(ko="검색", en="search", confidence=0.95, evidence=())]))
    [TermPair(ko='검색', en='search', weight=0.95)]
    """
    for synonym in synonyms:
        if synonym.confidence >= min_confidence:
            yield TermPair(ko=synonym.ko, en=synonym.en, weight=synonym.confidence)


def solr_lines(dictionary: Dictionary) -> Iterator[str]:
    """Yields a rule a term in Solr's format: the term, then itself with its meanings.

    Rules are one-way (`a => a, b`), because equivalence lists would make all meanings of an ambiguous term equal.

    >>> list(solr_lines({"search": ["검색", "탐색"], "C#, F#": ["닷넷"]}))
    ['search => search, 검색, 탐색', 'C\\\\#\\\\, F\\\\# => C\\\\#\\\\, F\\\\#, 닷넷']
    """
    for term, meanings in dictionary.items():
        yield f"{_escaped(term)} => {', '.join(_escaped(t) for t in (term, *meanings))}"


def _escaped(term: str) -> str:
    return re.sub(r"([,#\\]|=>)", r"\\\1", term)
