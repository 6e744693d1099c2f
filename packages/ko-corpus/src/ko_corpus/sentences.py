"""Sentences: where Korean or English prose may be cut, by punctuation alone.

Rules, not a model: passage ids hang on the cuts, so they must come out alike with every release of an analyser.
"""

import re

_END = re.compile(r"""[.!?。！？…]+["'”’」』)\]》〉]*(?=\s)|\n""")
_ABBREVIATION = re.compile(
    r"(?:(?:^|[\s(.])[A-Za-z]|\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|cf|No|Fig|Eq|al|Inc|Ltd|Co|approx))\.$"
)
_NUMBERING = re.compile(r"\W*\d{1,3}\.")
_DATE = re.compile(r"\d\.\s\d{1,2}\.$")
_NUMBER_FOLLOWS = re.compile(r"\s+\d")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The [start, end) of each sentence, in order, without the spaces around it; an end of a line ends one too.

    A number with a dot (`1. `, `2024. 3. 1.`), an initial and a common abbreviation end none.
    """
    spans = []
    start = 0
    for end in _END.finditer(text):
        if end.group() == "." and _goes_on(text, start, end.end()):
            continue
        spans.append((start, end.end()))
        start = end.end()
    spans.append((start, len(text)))
    return [trimmed for a, b in spans if (trimmed := _trim(text, a, b))[0] < trimmed[1]]


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the sentence from `start` goes on after a dot that ends at `end`."""
    tail = text[max(start, end - 12) : end]
    if tail[-2:-1].isdigit():
        is_date = bool(_NUMBER_FOLLOWS.match(text, end) or _DATE.search(tail))
        return is_date or bool(_NUMBERING.fullmatch(text[start:end]))
    return bool(_ABBREVIATION.search(tail))


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, in order.

    >>> split_sentences("1. 색인을 만든다. 정말? (그렇다.) 값은 3.5이다.")
    ['1. 색인을 만든다.', '정말?', '(그렇다.)', '값은 3.5이다.']
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def cut_evenly(text: str, *, max_chars: int) -> list[str]:
    """Cuts a text at sentence ends into the fewest pieces of at most `max_chars` characters, as even as can be.

    A sentence longer than that is cut at a space, or anywhere where there is none.

    >>> cut_evenly("가나다. 라마바. 사아자. 차카타.", max_chars=14)
    ['가나다. 라마바.', '사아자. 차카타.']
    """
    units = [unit for start, end in sentence_spans(text) for unit in _units(text, start, end, max_chars)]
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for end in range(1, len(units) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            length = units[end - 1][1] - units[start][0]
            if length > max_chars:
                break
            n_pieces, squares, _ = best[start]
            options.append((n_pieces + 1, squares + length * length, start))
        best.append(min(options))
    pieces: list[str] = []
    end = len(units)
    while end > 0:
        start = best[end][2]
        pieces.append(text[units[start][0] : units[end - 1][1]])
        end = start
    return pieces[::-1]


def _units(text: str, start: int, end: int, max_chars: int) -> list[tuple[int, int]]:
    """A sentence's span, cut into spans of at most `max_chars`."""
    units = []
    while end - start > max_chars:
        space = max(
            text.rfind(" ", start + 1, start + max_chars + 1), text.rfind("\t", start + 1, start + max_chars + 1)
        )
        cut = space if space > start else start + max_chars
        units.append(_trim(text, start, cut))
        start = _trim(text, cut, end)[0]
    return [*units, (start, end)] if start < end else units
