"""Training groups: a query with documents best-first, read strictly before the first step.

Everything is held in memory as token ids; a training set of a million groups wants about eight gigabytes.
"""

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, read_jsonl
from sparse_encoder.record_lines import line_numbers, record_lines
from sparse_encoder.vocabulary import Vocabulary


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a groups file: `docs[0]` is the positive, `scores` are raw and fall."""

    query: str
    docs: list[str]
    scores: list[float]
    q_id: str = ""
    d_ids: list[str] = []
    labels: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A group as numbers: documents are indices into `Examples.documents`."""

    query: tuple[int, ...]
    """Its distinct tokens, ascending, special ones left out."""
    sequence: tuple[int, ...]
    """All its tokens in order, special ones included: what an encoder reads."""
    positive: int
    hard: tuple[int, ...]
    easy: tuple[int, ...]
    scores: dict[int, float]
    """Of every document of the group."""
    file: int = 0
    """Place in `Examples.files`."""
    line: int = 0
    """From 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Groups cut into tokens; a text that several groups share is held, and later encoded, once."""

    documents: list[list[int]]
    examples: list[Example]
    positives: dict[tuple[int, ...], frozenset[int]]
    """For a query's tokens, all documents that some group calls its positive."""
    weights: list[float]
    """How often each example is drawn, against the others."""
    files: tuple[Path, ...] = ()


LABELS = ("positive", "hard", "easy")
"""Why a document is in a group."""


def read_groups(path: Path) -> Iterator[Group]:
    """Yields the groups of a file; InputError names path and line of one that cannot be trained on."""
    number = -1
    try:
        for number, group in enumerate(read_jsonl(path, Group)):
            problem = _problem(group)
            if problem:
                raise InputError(f"{path}:{line_numbers(path)[number]}: {problem}")
            yield group
    except InputError as error:
        if "JSON is malformed" in str(error):
            _refuse_no_numbers(path, number + 1, error)
        raise


def _refuse_no_numbers(path: Path, number: int, error: InputError) -> None:
    """Python writes NaN and Infinity into scores, which no JSON has: a reader of it sees but a wrong character."""
    line, text = next(islice(record_lines(path), number, None))
    found = re.search(rb'"scores"\s*:\s*\[[^\]]*?(NaN|-?Infinity)', text)
    if found:
        raise InputError(
            f"{path}:{line}: 'scores' has {found[1].decode()}, which is not JSON; wanted finite numbers"
        ) from error


def _problem(group: Group) -> str:
    if not group.docs:
        return "'docs' is empty; wanted the positive first, then negatives"
    for name, values in (("scores", group.scores), ("d_ids", group.d_ids), ("labels", group.labels)):
        if (values or name == "scores") and len(values) != len(group.docs):
            return f"{len(group.docs)} docs but {len(values)} {name}; wanted as many"
    unknown = [label for label in group.labels if label not in LABELS]
    if unknown:
        return f"'labels' has {unknown[0]!r}; wanted {', '.join(LABELS[:-1])} or {LABELS[-1]}"
    if group.labels and group.labels[0] != "positive":
        return f"the first of 'labels' is {group.labels[0]!r}; wanted the positive first, then negatives"
    if not all(math.isfinite(score) for score in group.scores):
        return f"'scores' are {group.scores}; wanted finite numbers"
    if not _descending(group):
        return f"'scores' are {group.scores}; wanted the best first"
    if not group.query.strip():
        return "'query' is empty"
    if not all(doc.strip() for doc in group.docs):
        return "a text in 'docs' is empty"
    return ""


def _descending(group: Group) -> bool:
    """Whether the best stands first; by labels among positives and among negatives, since teachers see errors."""
    positives = group.labels.count("positive")
    parts = (group.scores[:positives], group.scores[positives:])
    return all(b <= a for part in parts for a, b in pairwise(part))


def read_examples(
    paths: Sequence[tuple[Path, float]], vocabulary: Vocabulary, *, query_tokens: int, document_tokens: int
) -> Examples:
    """Reads files of groups with their mixing weights and cuts them into tokens.

    A group's weight is its file's divided by the file's number of groups, so that file weights compare as given.
    """
    texts: dict[str, int] = {}
    groups: list[Group] = []
    weights: list[float] = []
    places: list[tuple[int, int]] = []
    for file, (path, weight) in enumerate(paths):
        found = list(read_groups(path))
        if not found:
            raise InputError(f"{path}: holds no group")
        groups += found
        weights += [weight / len(found)] * len(found) if len(paths) > 1 else [1.0] * len(found)
        places += [(file, line) for line in line_numbers(path)]
    for group in groups:
        for text in group.docs:
            texts.setdefault(text, len(texts))
    documents = vocabulary.encode(list(texts), max_tokens=document_tokens, special=True)
    special = frozenset(vocabulary.special_ids)
    sequences = vocabulary.encode([g.query for g in groups], max_tokens=query_tokens, special=True)
    examples = [_example(g, q, texts, special, place) for g, q, place in zip(groups, sequences, places, strict=True)]
    empty = {n for n, tokens in enumerate(documents) if special.issuperset(tokens)}
    for group, example in zip(groups, examples, strict=True):
        _refuse(group, example, empty, texts, where=f"{paths[example.file][0]}:{example.line}")
    positives: dict[tuple[int, ...], set[int]] = {}
    for group, example in zip(groups, examples, strict=True):
        # a second document labelled so is no negative of its query either
        also = {texts[d] for d, label in zip(group.docs, group.labels, strict=False) if label == "positive"}
        positives.setdefault(example.query, set()).update({example.positive} | also)
    frozen = {query: frozenset(found) for query, found in positives.items()}
    files = tuple(path for path, _ in paths)
    return Examples(documents=documents, examples=examples, positives=frozen, weights=weights, files=files)


def _example(
    group: Group, query: Sequence[int], texts: dict[str, int], special: frozenset[int], place: tuple[int, int]
) -> Example:
    numbers = [texts[text] for text in group.docs]
    labels = group.labels or ["positive"] + ["hard"] * (len(numbers) - 1)
    rest = [(n, label) for n, label in zip(numbers[1:], labels[1:], strict=True) if n != numbers[0]]
    return Example(
        query=tuple(sorted(set(query) - special)),
        sequence=tuple(query),
        positive=numbers[0],
        hard=tuple(n for n, label in rest if label == "hard"),
        easy=tuple(n for n, label in rest if label == "easy"),
        scores=dict(zip(reversed(numbers), reversed(group.scores), strict=True)),
        file=place[0],
        line=place[1],
    )


def _refuse(group: Group, example: Example, empty: set[int], texts: dict[str, int], *, where: str) -> None:
    if not example.query:
        raise InputError(
            f"{where}: no token of the query {group.query!r} is in the vocabulary; "
            f"is this the tokenizer that the data is for?"
        )
    for text in group.docs:
        if texts[text] in empty:
            raise InputError(
                f"{where}: the document {text[:60]!r} is empty after tokenisation; drop it from the group, "
                f"or take the tokenizer that the data is for"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A step's work: queries, the documents that are encoded once each, and which belong to whom."""

    examples: tuple[Example, ...]
    documents: tuple[int, ...]
    """Indices of the distinct documents, ascending in length."""
    groups: tuple[tuple[int, ...], ...]
    """For each query, positions in `documents`: its positive first, then its drawn negatives."""


def batches(data: Examples, *, batch: int, hard: int, easy: int, seed: int, neighbours: int = 0) -> Iterator[Batch]:
    """Yields batches for ever. Batch number k depends on the seed and k alone, which is what makes resuming exact."""
    epoch = 0
    number = 0
    pending: list[Example] = []
    while True:
        pending += _order(data, seed=seed, epoch=epoch, neighbours=neighbours)
        epoch += 1
        while len(pending) >= batch:
            yield draw(data, pending[:batch], hard=hard, easy=easy, random_state=random.Random(f"{seed}/{number}"))
            pending = pending[batch:]
            number += 1


def _order(data: Examples, *, seed: int, epoch: int, neighbours: int) -> list[Example]:
    chance = random.Random(f"{seed}/epoch/{epoch}")
    units = _blocks(data, neighbours) if neighbours else [[i] for i in range(len(data.examples))]
    if len(set(data.weights)) == 1:
        order = list(range(len(units)))
        chance.shuffle(order)
    else:
        order = chance.choices(range(len(units)), [data.weights[unit[0]] for unit in units], k=len(units))
    return [data.examples[i] for place in order for i in units[place]]


def _blocks(data: Examples, size: int) -> list[list[int]]:
    """The examples of `size` positives that follow one another, in order of their first example."""
    by_positive: dict[int, list[int]] = {}
    for i, example in enumerate(data.examples):
        by_positive.setdefault(example.positive, []).append(i)
    apart = list(by_positive.values())
    return [[i for own in apart[k : k + size] for i in own] for k in range(0, len(apart), size)]


def draw(data: Examples, chosen: Sequence[Example], *, hard: int, easy: int, random_state: random.Random) -> Batch:
    """Draws each query's negatives and gathers the distinct documents, the shortest first."""
    groups: list[list[int]] = []
    for example in chosen:
        hards = random_state.sample(example.hard, min(hard, len(example.hard)))
        easies = random_state.sample(example.easy, min(easy, len(example.easy)))
        groups.append([example.positive, *hards, *easies])
    distinct = sorted({n for group in groups for n in group}, key=lambda n: (len(data.documents[n]), n))
    place = {n: i for i, n in enumerate(distinct)}
    return Batch(
        examples=tuple(chosen),
        documents=tuple(distinct),
        groups=tuple(tuple(place[n] for n in group) for group in groups),
    )
