"""The part of the report that shows single queries: wins, losses, failures, all of them.

Numbers say that two systems differ; only texts say why.
"""

from collections.abc import Iterator, Sequence
from html import escape

from sparse_eval.explaining import Explained, Explanation, Outcome, Texts
from sparse_eval.markup import card, table
from sparse_eval.measuring import PRIMARY
from sparse_eval.names import slice_label

MAX_PASSAGE = 420
"""Characters of a passage that are shown."""


def query_parts(explained: Explained) -> Iterator[str]:
    """Yields the parts in the order in which they are read."""
    yield from _differences(explained.explanation, explained.texts)
    yield from _failures(explained.explanation, explained.texts)
    yield from _every_query(explained.outcomes, explained.explanation, explained.texts)


def _differences(explanation: Explanation, texts: Texts) -> Iterator[str]:
    better, than = escape(explanation.better), escape(explanation.than)
    yield f"<h2>{better} against {than}, query by query</h2>"
    counts = [
        (explanation.n_wins, f"better with {explanation.better}"),
        (explanation.n_losses, f"better with {explanation.than}"),
    ]
    cards = [*counts, (explanation.n_ties, "the same")]
    yield '<div class="cards">' + "".join(card(str(n), label) for n, label in cards) + "</div>"
    for title, listed in (
        (f"Largest wins of {better}", explanation.wins),
        (f"Largest losses of {better}", explanation.losses),
    ):
        yield f"<h3>{title}</h3>"
        yield from (_query_card(outcome, explanation, texts) for outcome in listed)
        if not listed:
            yield '<p class="note">None.</p>'


def _failures(explanation: Explanation, texts: Texts) -> Iterator[str]:
    yield "<h2>Queries that no system answers in its first ten</h2>"
    counts = f"{explanation.n_failures} queries; {len(explanation.failures)} shown, those found last first."
    yield f'<p class="note">{counts}</p>'
    yield from (_query_card(outcome, explanation, texts) for outcome in explanation.failures)


def _query_card(outcome: Outcome, explanation: Explanation, texts: Texts) -> str:
    better, than = explanation.better, explanation.than
    gain = outcome.gain(better, than)
    direction = "up" if gain > 0 else "down" if gain < 0 else ""
    lines = [f"<p>{_query_text(outcome.query_id, texts)}</p>", _ranks(outcome, direction, first=(better, than))]
    lines += [_passage(doc_id, "right", "Relevant", texts) for doc_id in outcome.relevant[:1]]
    for system in (better, than):
        doc_id = outcome.first.get(system)
        if doc_id is not None and doc_id not in outcome.relevant:
            lines.append(_passage(doc_id, "wrong", f"First in {system}", texts))
    return f'<div class="query">{"".join(lines)}</div>'


def _query_text(query_id: str, texts: Texts) -> str:
    query = texts.queries.get(query_id)
    if query is None:
        return escape(query_id)
    labels = dict.fromkeys(slice_label(str(query.metadata[f])) for f in ("lang", "kind") if query.metadata.get(f))
    tags = "".join(f'<span class="tag">{escape(label)}</span>' for label in labels)
    return f"{escape(query.text)}{tags}"


def _ranks(outcome: Outcome, direction: str, *, first: tuple[str, str]) -> str:
    names = [*first, *(name for name in outcome.ranks if name not in first)]
    cells = []
    for name in names:
        rank = outcome.ranks[name]
        mark = f' class="{direction}"' if name == first[0] and direction else ""
        cells.append(f"<span{mark}>{escape(name)} <b>{'–' if rank is None else rank}</b></span>")
    return f'<p class="rank"><small>Rank of the relevant passage: </small>{"".join(cells)}</p>'


def _passage(doc_id: str, mark: str, label: str, texts: Texts) -> str:
    passage = texts.passages.get(doc_id)
    title = f" · {escape(passage.title)}" if passage and passage.title else ""
    text = passage.text if passage else ""
    shown = text if len(text) <= MAX_PASSAGE else f"{text[:MAX_PASSAGE].rstrip()} …"
    return f'<div class="passage {mark}"><em>{escape(label)}: {escape(doc_id)}{title}</em>{escape(shown)}</div>'


def _every_query(found: Sequence[Outcome], explanation: Explanation, texts: Texts) -> Iterator[str]:
    systems = list(found[0].scores)
    yield f"<details><summary>All {len(found)} queries with their {PRIMARY}</summary>"
    ordered = sorted(found, key=lambda o: (-o.gain(explanation.better, explanation.than), o.query_id))
    rows = [
        [
            f'<td class="text">{_query_text(outcome.query_id, texts)}</td>',
            *(f"<td>{outcome.scores[system]:.2f}</td>" for system in systems),
        ]
        for outcome in ordered
    ]
    yield table(["Query", *(escape(system) for system in systems)], rows)
    yield "</details>"
