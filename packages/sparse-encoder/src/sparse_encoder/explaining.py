"""Why a text has the vector that it has, and why a query found it."""

from collections.abc import Sequence

import msgspec

from sparse_encoder.asking import encode_queries
from sparse_encoder.encoding import encode_texts
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.pruning import Pruning


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """An active term of a document."""

    token: str
    weight: float
    is_expansion: bool
    """Whether the text itself does not have the token."""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A term that query and document share, and its part of the score."""

    token: str
    query_weight: float
    document_weight: float
    score: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A document's terms, the heaviest first, and what a query made of them, the largest part first."""

    text: str
    terms: list[Term]
    query: str = ""
    score: float = 0.0
    matches: list[Match] = []


def explain(model: SparseModel, text: str, *, query: str = "") -> Explanation:
    """Explains a document's vector, and the score of `query` for it where one is given."""
    vocabulary = model.vocabulary
    ((ids, weights),) = encode_texts(model, [text], pruning=Pruning(top_k=model.max_active_terms))
    own = set(vocabulary.encode([text], max_tokens=model.max_tokens, special=False)[0])
    terms = [
        Term(token=vocabulary.tokens[i], weight=round(float(w), 4), is_expansion=i not in own)
        for i, w in zip(ids.tolist(), weights, strict=True)
    ]
    terms.sort(key=lambda term: (-term.weight, term.token))
    if not query:
        return Explanation(text=text, terms=terms)
    ((asked, asked_weights),) = encode_queries(model, [query])
    of_query = dict(zip(asked.tolist(), asked_weights.tolist(), strict=True))
    of_document = dict(zip(ids.tolist(), weights.tolist(), strict=True))
    matches = [
        Match(
            token=vocabulary.tokens[i],
            query_weight=round(of_query[i], 4),
            document_weight=round(of_document[i], 4),
            score=round(of_query[i] * of_document[i], 4),
        )
        for i in sorted(of_query.keys() & of_document.keys())
    ]
    matches.sort(key=lambda match: (-match.score, match.token))
    score = sum(of_query[i] * of_document[i] for i in of_query.keys() & of_document.keys())
    return Explanation(text=text, terms=terms, query=query, score=round(score, 4), matches=matches)


def bars(explanation: Explanation, *, n: int = 30, width: int = 30) -> str:
    """The heaviest `n` terms as bars for a terminal; `+` marks those that the text itself does not have.

    >>> term = Term(token="검색", weight=2.0, is_expansion=False)
    >>> bars(Explanation(text="검색", terms=[term]), width=4)
    '  2.000 ████ 검색'
    """
    top = explanation.terms[0].weight if explanation.terms else 1.0
    lines = [
        f"{'+' if t.is_expansion else ' '} {t.weight:.3f} {_bar(t.weight / top, width)} {t.token}"
        for t in explanation.terms[:n]
    ]
    if explanation.query:
        lines += ["", f"score {explanation.score:.3f} = " + (_sum(explanation.matches) or "no shared term")]
    return "\n".join(lines)


def _bar(share: float, width: int) -> str:
    return ("█" * max(1, round(share * width))).ljust(width)


def _sum(matches: Sequence[Match]) -> str:
    return " + ".join(f"{m.token} {m.query_weight:.2f}*{m.document_weight:.2f}" for m in matches)
