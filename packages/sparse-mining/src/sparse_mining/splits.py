"""Which pairs train and which validate: whole documents on one side, only real queries in validation.

A split that leaks makes every later figure wrong, so all that decides it is here.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import get_args

from sparse_mining._files import InputError
from sparse_mining.pairs import DERIVED_KINDS, GENERATED_KINDS, Kind, Pair, Split, normal
from sparse_mining.passages import Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How pairs are divided."""

    val_share: float = 0.1
    """Of the documents, where pairs do not say their split."""
    val_kinds: frozenset[Kind] = frozenset({"title", "first_sentence", "heading", "question"})
    max_synthetic_ratio: float = 1.0
    """Generated pairs kept per real one in training."""
    max_equal_queries: int = 10
    """Queries of equal text beyond which none is used: a text such as 'remarks' names no passage; 0: no bound."""
    seed: int = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """Pairs by side, in the order given, and how many were left out for what reason."""

    train: list[Pair]
    val: list[Pair]
    left_out: Counter[str]


def divide(pairs: Sequence[Pair], collection: Collection, rules: Rules, *, excluded: Set[str]) -> Divided:
    """Divides pairs; `excluded` holds normalised query texts that must be in neither side."""
    left_out: Counter[str] = Counter()
    sides: dict[Split, list[Pair]] = {"train": [], "val": [], "test": []}
    splits = _splits(pairs, collection, rules)
    seen: set[tuple[str, str]] = set()
    generic = _generic(pairs, rules.max_equal_queries)
    for pair, split in zip(pairs, splits, strict=True):
        text = normal(pair.query)
        reason = _objection(pair, split, rules)
        if text in excluded:
            reason = "evaluation_query"
        elif (text, pair.doc_id) in seen:
            reason = "repeated"
        elif text in generic:
            reason = "generic_query"
        if reason:
            left_out[reason] += 1
            continue
        seen.add((text, pair.doc_id))
        sides[split].append(pair)
    val_texts = {normal(pair.query) for pair in sides["val"]}
    train = [pair for pair in sides["train"] if normal(pair.query) not in val_texts]
    left_out["validation_query"] += len(sides["train"]) - len(train)
    bounded = _bound_generated(train, rules)
    left_out["over_synthetic_ratio"] += len(train) - len(bounded)
    return Divided(train=bounded, val=sides["val"], left_out=+left_out)


def val_kinds_of(text: str) -> frozenset[Kind]:
    """Kinds named with commas; InputError for one that is unknown or that a machine wrote."""
    found = frozenset(name.strip() for name in text.split(",") if name.strip())
    real = {kind: kind for kind in get_args(Kind) if kind not in DERIVED_KINDS}
    for name in sorted(found):
        if name not in real:
            raise InputError(f"--val-kinds: {name!r} cannot be validated on: wanted some of {', '.join(real)}")
    return frozenset(real[name] for name in found)


def _objection(pair: Pair, split: Split, rules: Rules) -> str:
    if split == "test":
        return "test_split"
    if split == "val" and pair.kind in DERIVED_KINDS:
        return "derived_in_validation"
    if split == "val" and pair.kind not in rules.val_kinds:
        return "kind_not_validated"
    return ""


def _generic(pairs: Sequence[Pair], most: int) -> set[str]:
    """Query texts that more than `most` queries have; the pairs of one query_id are one query."""
    ids: dict[str, set[str]] = {}
    for pair in pairs:
        ids.setdefault(normal(pair.query), set()).add(pair.query_id)
    return {text for text, found in ids.items() if len(found) > most} if most else set()


def _splits(pairs: Sequence[Pair], collection: Collection, rules: Rules) -> list[Split]:
    """A pair's own split; else that of its document's other pairs; else by the stable order of document ids."""
    documents = [collection.passages[collection.rows[pair.doc_id]].document_id() for pair in pairs]
    stated = {document: pair.split for document, pair in zip(documents, pairs, strict=True) if pair.split}
    if not stated:
        held_out = _sample(documents, rules.val_share, rules.seed)
        return ["val" if document in held_out else "train" for document in documents]
    return [pair.split or stated.get(document) or "train" for document, pair in zip(documents, pairs, strict=True)]


def _sample(documents: Iterable[str], share: float, seed: int) -> set[str]:
    """That share of the distinct ids, first by a hash of seed and id: adding a document moves few others."""
    distinct = sorted(set(documents), key=lambda document: stable_hash(seed, document))
    return set(distinct[: round(share * len(distinct))])


def _bound_generated(pairs: Sequence[Pair], rules: Rules) -> list[Pair]:
    n_real = sum(pair.kind not in DERIVED_KINDS for pair in pairs)
    generated = [pair for pair in pairs if pair.kind in GENERATED_KINDS]
    most = int(rules.max_synthetic_ratio * n_real)
    if len(generated) <= most:
        return list(pairs)
    chosen = sorted(generated, key=lambda p: stable_hash(rules.seed, f"{p.query_id}\0{p.doc_id}"))[:most]
    kept = {id(pair) for pair in chosen}
    return [pair for pair in pairs if pair.kind not in GENERATED_KINDS or id(pair) in kept]


def stable_hash(seed: int, text: str) -> bytes:
    """A digest that orders texts the same on every machine.

    >>> stable_hash(42, "doc-1").hex()[:8]
    'e539f1b0'
    """
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
