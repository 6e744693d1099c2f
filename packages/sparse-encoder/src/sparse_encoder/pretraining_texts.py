"""The texts that pretraining reads, cut and kept beside its checkpoints, and the order in which they come.

Which texts make batch k depends on the seed and k alone, which is what makes resuming exact.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from sparse_encoder._files import InputError, read_jsonl, whole
from sparse_encoder.identity import short
from sparse_encoder.masking import Text, cut_texts, joined, runs
from sparse_encoder.passages import passage_text, read_passages
from sparse_encoder.pretraining_recipe import Pretraining
from sparse_encoder.tokenizer_build import ROLES
from sparse_encoder.vocabulary import Vocabulary

POOL = 16
"""Batches that are sorted by length together, so that a batch carries little padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Everything that is read: passages in runs, held-out ones apart, and parallel sentences joined."""

    passages: list[Text]
    held_out: list[Text]
    parallel: list[Text]


class _Pair(msgspec.Struct, frozen=True, kw_only=True):
    ko: str
    en: str


def read_texts(settings: Pretraining, vocabulary: Vocabulary, *, work: Path, identity: str) -> Texts:
    """Reads and cuts all texts, or takes them from `work` where an earlier call with this identity left them."""
    file = work / f"texts-{short(identity)}.npz"
    if not file.is_file():
        _keep(file, [_passages(settings, vocabulary), _parallel(settings, vocabulary)])
    passages, parallel = _kept(file)
    if len(passages) < max(settings.batch, 2):
        raise InputError(f"{settings.passages[0]}: {len(passages)} texts are fewer than a batch of {settings.batch}")
    n_held = min(settings.held_out, len(passages) // 20)
    order = list(range(len(passages)))
    random.Random(f"{settings.seed}/held out").shuffle(order)
    held = set(order[:n_held])
    return Texts(
        passages=[text for i, text in enumerate(passages) if i not in held],
        held_out=[passages[i] for i in sorted(held)],
        parallel=parallel,
    )


def _ends(vocabulary: Vocabulary) -> dict[str, int]:
    return {"first": vocabulary.id_of(*ROLES["cls_token"]), "last": vocabulary.id_of(*ROLES["sep_token"])}


def _passages(settings: Pretraining, vocabulary: Vocabulary) -> list[Text]:
    found = [passage_text(p, title=True) for name in settings.passages for p in read_passages(Path(name))]
    cut = cut_texts(found, vocabulary, whole_morphemes=settings.whole_morphemes)
    return [run for text in cut for run in runs(text, max_tokens=settings.tokens, **_ends(vocabulary))]


def _parallel(settings: Pretraining, vocabulary: Vocabulary) -> list[Text]:
    if not settings.parallel:
        return []
    pairs = list(read_jsonl(Path(settings.parallel), _Pair))
    sides = [
        cut_texts([getattr(pair, side) for pair in pairs], vocabulary, whole_morphemes=settings.whole_morphemes)
        for side in ("ko", "en")
    ]
    both = [(ko, en) for ko, en in zip(*sides, strict=True) if ko.ids and en.ids]
    if not both:
        raise InputError(f"{settings.parallel}: holds no pair of sentences")
    return [joined(pair, max_tokens=settings.tokens, **_ends(vocabulary)) for pair in both]


def _keep(file: Path, lists: Sequence[Sequence[Text]]) -> None:
    texts = [text for some in lists for text in some]
    with whole(file) as part, part.open("wb") as data:
        np.savez(
            data,
            sizes=np.array([len(some) for some in lists]),
            offsets=np.cumsum([0, *(len(text.ids) for text in texts)]),
            ids=np.array([i for text in texts for i in text.ids], dtype=np.int32),
            units=np.array([u for text in texts for u in text.units], dtype=np.int32),
        )


def _kept(file: Path) -> tuple[list[Text], list[Text]]:
    with np.load(file, allow_pickle=False) as data:
        offsets, ids, units = data["offsets"].tolist(), data["ids"], data["units"]
        n_passages = int(data["sizes"][0])
    texts = [Text(tuple(ids[a:b].tolist()), tuple(units[a:b].tolist())) for a, b in pairwise(offsets)]
    return texts[:n_passages], texts[n_passages:]


class Order:
    """Batches of a list of texts, by number: shuffled anew every epoch, texts of like length together."""

    def __init__(self, texts: Sequence[Text], *, batch: int, seed: str) -> None:
        self.texts = texts
        self.batch = min(batch, len(texts))
        self.seed = seed
        self.epoch = lru_cache(maxsize=1)(self._epoch)

    def __getitem__(self, number: int) -> list[Text]:
        """The texts of batch `number`, from 0."""
        per_epoch = len(self.texts) // self.batch
        chosen = self.epoch(number // per_epoch)[number % per_epoch]
        return [self.texts[i] for i in chosen]

    def _epoch(self, number: int) -> list[list[int]]:
        chance = random.Random(f"{self.seed}/epoch/{number}")
        order = list(range(len(self.texts)))
        chance.shuffle(order)
        order = order[: len(order) // self.batch * self.batch]
        found: list[list[int]] = []
        for start in range(0, len(order), POOL * self.batch):
            pool = sorted(order[start : start + POOL * self.batch], key=lambda i: (len(self.texts[i].ids), i))
            found += [pool[a : a + self.batch] for a in range(0, len(pool), self.batch)]
        chance.shuffle(found)
        return found


class Schedule:
    """Which texts a step reads: a fixed share of the steps, spread evenly, reads parallel sentences."""

    def __init__(self, texts: Texts, settings: Pretraining) -> None:
        self.passages = Order(texts.passages, batch=settings.batch, seed=f"{settings.seed}/passages")
        self.parallel = Order(texts.parallel, batch=settings.batch, seed=f"{settings.seed}/parallel")
        self.share = settings.parallel_share if texts.parallel else 0.0

    def __getitem__(self, number: int) -> list[Text]:
        """The texts of step `number`, from 0."""
        before, after = int(number * self.share), int((number + 1) * self.share)
        return self.parallel[before] if after > before else self.passages[number - before]
