"""The two pieces of markup that every part of the report uses."""

from collections.abc import Sequence
from html import escape


def card(value: str, label: str) -> str:
    """A figure and what it is, as plain text."""
    return f'<div class="card"><b>{escape(value)}</b><span>{escape(label)}</span></div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of ready-made cells; heads may hold markup."""
    heads = "".join(f"<th>{name}</th>" for name in head)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f'<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
