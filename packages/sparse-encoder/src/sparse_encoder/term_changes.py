"""Two models on one text: which terms came, went and changed, and what that does to a query's score."""

from collections.abc import Sequence

import msgspec

from sparse_encoder.explaining import Explanation, Match


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A term's weight in two models' vectors of a text; 0 where it is not active."""

    token: str
    before: float
    after: float
    is_expansion: bool
    """Whether the text itself does not have the token."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of both, those first whose weight changed most, and the scores of a query."""

    text: str
    terms: list[Change]
    query: str = ""
    score_before: float = 0.0
    score_after: float = 0.0
    matches_before: list[Match] = []
    matches_after: list[Match] = []


def changes(before: Explanation, after: Explanation) -> Changes:
    """Puts two models' explanations of the same text and query side by side; vocabularies may differ."""
    old, new = ({t.token: t for t in explanation.terms} for explanation in (before, after))
    terms = [
        Change(
            token=token,
            before=old[token].weight if token in old else 0.0,
            after=new[token].weight if token in new else 0.0,
            is_expansion=(new.get(token) or old[token]).is_expansion,
        )
        for token in old.keys() | new.keys()
    ]
    terms.sort(key=lambda term: (-abs(term.after - term.before), term.token))
    return Changes(
        text=after.text,
        terms=terms,
        query=after.query,
        score_before=before.score,
        score_after=after.score,
        matches_before=before.matches,
        matches_after=after.matches,
    )


def change_bars(found: Changes, *, n: int = 30, width: int = 20) -> str:
    """The `n` most changed terms for a terminal, before on the left; `+` marks what the text itself does not have.

    >>> term = Change(token="검색", before=2.0, after=1.0, is_expansion=False)
    >>> change_bars(Changes(text="검색", terms=[term]), width=4)
    '  2.000 ████ | ██   1.000 검색'
    """
    top = max((max(t.before, t.after) for t in found.terms), default=1.0)
    lines = [
        f"{'+' if t.is_expansion else ' '} {t.before:.3f} {_bar(t.before / top, width)} | "
        f"{_bar(t.after / top, width)} {t.after:.3f} {t.token}"
        for t in found.terms[:n]
    ]
    if found.query:
        parts = ((found.score_before, found.matches_before), (found.score_after, found.matches_after))
        lines += ["", *(f"score {score:.3f} = {_sum(matches)}" for score, matches in parts)]
    return "\n".join(lines)


def _bar(share: float, width: int) -> str:
    return ("█" * (max(1, round(share * width)) if share else 0)).ljust(width)


def _sum(matches: Sequence[Match]) -> str:
    return " + ".join(f"{m.token} {m.query_weight:.2f}*{m.document_weight:.2f}" for m in matches) or "no shared term"
