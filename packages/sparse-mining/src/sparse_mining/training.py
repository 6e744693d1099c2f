"""Training data: from files of pairs to `train.jsonl`, `val.jsonl` and `metadata.json`.

The rules are in `splits`, `negatives` and `mining`; this is the order in which they are called, and the counting.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import msgspec

from sparse_mining._files import InputError, Manifest, Output, claim_work, clear_work, sha256, write_json, write_jsonl
from sparse_mining.groups import Group, write_groups
from sparse_mining.judges import judge
from sparse_mining.miners import Share, miners
from sparse_mining.mining import BATCH, Mined, Plan, Sources, mine, refuse_too_few
from sparse_mining.negatives import false_negatives, read_duplicates, read_qrels
from sparse_mining.pairs import Pair, normal, read_pairs
from sparse_mining.passages import Collection, read_collection, read_queries
from sparse_mining.searchers import Choices
from sparse_mining.shards import fingerprint, in_shards
from sparse_mining.splits import Divided, Rules, divide


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that groups are made of."""

    passages: Path
    pairs: Sequence[Path]
    miners: Sequence[Share]
    duplicates: Path | None = None
    qrels: Sequence[Path] = ()
    excluded_queries: Sequence[Path] = ()
    searched: Sequence[Path] = ()
    """Files that searchers and judges are made of: index, embeddings, vectors, IDF, tokenizer, scores."""

    def paths(self) -> list[Path]:
        """All of them that are given."""
        duplicates = [self.duplicates] if self.duplicates else []
        return [*self.pairs, *duplicates, *self.qrels, *self.excluded_queries, *self.searched]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where results and partial work go."""

    folder: Path
    work: Path
    """Removed when all is done."""
    audit: Path | None = None


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit: a candidate that was left out."""

    q_id: str
    query: str
    positive: str
    d_id: str
    doc: str
    reason: str
    source: str
    score: float


@dataclass
class Tally:
    """Counts of one side, kept while its groups stream by."""

    n_groups: int = 0
    n_short: int = 0
    """Groups with fewer hard negatives than asked; easy ones stand in."""
    labels: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    n_unjudged: int = 0
    """Hard negatives that the judge has no score for."""
    shared: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """Sum over groups, by two miners, of the share of what the one saw that the other saw too."""

    def add(self, mined: Mined, plan: Plan) -> None:
        """Counts a group."""
        group = mined.group
        self.n_groups += 1
        self.n_short += group.labels.count("hard") < plan.n_hard
        self.n_unjudged += mined.n_unjudged
        self.labels.update(group.labels)
        self.sources.update(source.rpartition("@")[0] for source in group.sources)
        self.dropped.update(mined.n_dropped)
        for miner, other, share in mined.shared:
            self.shared[miner, other] += share

    def record(self) -> dict[str, object]:
        """As it stands in `metadata.json`."""
        return {
            "n_groups": self.n_groups,
            "n_short_of_hard": self.n_short,
            "labels": dict(sorted(self.labels.items())),
            "sources": dict(sorted(self.sources.items())),
            "dropped": dict(sorted(self.dropped.items())),
            "n_unjudged": self.n_unjudged,
            "overlap": {
                f"{miner} in {other}": round(total / self.n_groups, 4)
                for (miner, other), total in sorted(self.shared.items())
            },
        }


def make_groups(inputs: Inputs, places: Places, *, plan: Plan, rules: Rules, choices: Choices) -> str:
    """Writes the three files and returns a line that sums them up; InputError before anything is searched."""
    started = time.time()
    collection = read_collection(inputs.passages)
    pairs = read_pairs(inputs.pairs, collection)
    excluded = {normal(query.text) for path in inputs.excluded_queries for query in read_queries(path)}
    divided = divide(pairs, collection, rules, excluded=excluded)
    if not divided.train:
        raise InputError(f"{inputs.pairs[0]}: no pair is left to train on: left out were {dict(divided.left_out)}")
    refuse_too_few(collection, plan)
    sources = _sources(inputs, collection, pairs, plan=plan, choices=choices)
    claim_work(places.work)
    facts = [miner.facts() for miner in sources.miners]
    sides = {"train": divided.train, "val": divided.val}
    folder, tallies = places.folder, {side: Tally() for side in sides}
    mined = {
        side: _kept(chosen, collection, sources, plan=plan, places=places, described=(side, facts, inputs))
        for side, chosen in sides.items()
    }
    for side, stream in mined.items():
        write_groups(folder / f"{side}.jsonl", _counted(stream(), tallies[side], plan))
    if places.audit is not None:
        write_jsonl(places.audit, _audit((m for stream in mined.values() for m in stream()), collection))
    write_json(folder / "metadata.json", _metadata(divided, tallies, facts, plan=plan, rules=rules))
    _write_manifest(inputs, collection, places, tallies=tallies, seed=plan.seed, started=started)
    clear_work(places.work)
    n_short = sum(tally.n_short for tally in tallies.values())
    return (
        f"{folder}: {tallies['train'].n_groups} groups to train and {tallies['val'].n_groups} to validate on; "
        f"{n_short} had fewer than {plan.n_hard} hard negatives; left out {dict(divided.left_out)}"
    )


def _sources(inputs: Inputs, collection: Collection, pairs: Sequence[Pair], *, plan: Plan, choices: Choices) -> Sources:
    filters = false_negatives(
        collection,
        pairs,
        duplicates=read_duplicates(inputs.duplicates) if inputs.duplicates else {},
        judged=read_qrels(inputs.qrels, collection),
    )
    scorer, found = miners(inputs.miners, collection, choices)
    asked = judge(plan.judge, collection, titles=plan.titles) if plan.judge else None
    return Sources(scorer=scorer, miners=found, filters=filters, judge=asked)


def _kept(
    pairs: Sequence[Pair],
    collection: Collection,
    sources: Sources,
    *,
    plan: Plan,
    places: Places,
    described: tuple[str, object, Inputs],
) -> Callable[[], Iterator[Mined]]:
    """A stream of groups that can be started again: what was mined once lies in the work folder."""
    side, facts, inputs = described
    audited = places.audit is not None
    key = fingerprint(plan, audited, facts, [sha256(file) for file in [collection.path, *inputs.paths()]], pairs)

    def make(first: int, last: int) -> Iterator[Mined]:
        return mine(pairs[first:last], collection, sources=sources, plan=plan, audited=audited)

    return lambda: in_shards(places.work / side, key, n_items=len(pairs), size=BATCH, make=make, kind=Mined)


def _audit(mined: Iterable[Mined], collection: Collection) -> Iterator[Audited]:
    for m in mined:
        for drop in m.dropped:
            passage = collection.passages[drop.candidate.row]
            yield Audited(
                q_id=m.group.q_id,
                query=m.group.query,
                positive=m.group.d_ids[0],
                d_id=passage.id,
                doc=passage.text,
                reason=drop.reason,
                source=f"{drop.candidate.source}@{drop.candidate.rank}",
                score=round(drop.candidate.score, 6),
            )


def _counted(mined: Iterable[Mined], tally: Tally, plan: Plan) -> Iterator[Group]:
    for one in mined:
        tally.add(one, plan)
        yield one.group


def _metadata(
    divided: Divided, tallies: Mapping[str, Tally], facts: Sequence[object], *, plan: Plan, rules: Rules
) -> dict[str, object]:
    kinds = {"train": _kinds(divided.train), "val": _kinds(divided.val)}
    return {
        "format": "mining",
        "version": 1,
        "plan": plan,
        "rules": {
            "val_share": rules.val_share,
            "val_kinds": sorted(rules.val_kinds),
            "max_synthetic_ratio": rules.max_synthetic_ratio,
            "max_equal_queries": rules.max_equal_queries,
        },
        "miners": facts,
        "pairs_left_out": dict(sorted(divided.left_out.items())),
        "splits": {side: {**tally.record(), "kinds": kinds[side]} for side, tally in tallies.items()},
    }


def _kinds(pairs: Iterable[Pair]) -> dict[str, int]:
    return dict(sorted(Counter(pair.kind for pair in pairs).items()))


def _write_manifest(
    inputs: Inputs, collection: Collection, places: Places, *, tallies: Mapping[str, Tally], seed: int, started: float
) -> None:
    folder = places.folder
    audits = [Output(path=places.audit, format="audit")] if places.audit else []
    groups = [
        Output(path=folder / f"{side}.jsonl", format="groups", n_records=tally.n_groups)
        for side, tally in tallies.items()
    ]
    Manifest(
        package="sparse-mining",
        package_version=version("sparse-mining"),
        seed=seed,
        inputs=[collection.path, *inputs.paths()],
        outputs=[*groups, Output(path=folder / "metadata.json", format="mining"), *audits],
        counts={f"n_{side}": tally.n_groups for side, tally in tallies.items()},
        started=started,
    ).write()
