"""The command `mine`, whose options come in groups: what a group holds, where it is sought, what is left out.

Kept to reading options: what they mean is in `training`, `mining`, `negatives`, `bounds` and `splits`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparse_mining._files import InputError
from sparse_mining._options import grouped
from sparse_mining.bounds import Bounds, Margin, by_miner, window
from sparse_mining.groups import Sampling, Scale
from sparse_mining.options import K1, B, Dimensions, Passages, Seed, VariantOption, log

if TYPE_CHECKING:
    from sparse_mining.miners import Share
    from sparse_mining.mining import Plan
    from sparse_mining.searchers import Choices
    from sparse_mining.splits import Rules

Pairs = Annotated[list[Path], typer.Argument(metavar="PAIRS...", help="Files of pairs")]
Folder = Annotated[Path, typer.Option("-o", "--output", help="Folder for train.jsonl, val.jsonl, metadata.json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a group is to hold."""

    hard: Annotated[int, typer.Option(min=0, help="Hard negatives per query")] = 7
    easy: Annotated[int, typer.Option(min=0, help="Random negatives per query")] = 3
    miners: Annotated[
        str, typer.Option(help="bm25[:ANALYSER], dense, clusters[:FOLDER], sparse:VECTORS; NAME=N sets a quota")
    ] = "bm25,dense"
    scores: Annotated[Scale, typer.Option(help="graded: 10 > hard > easy; raw: the first miner's")] = "graded"
    titles: Annotated[bool, typer.Option("--titles", help="Documents carry their titles")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which of what a miner finds are hard negatives."""

    window: Annotated[str, typer.Option(help="Ranks they are sought in, FIRST:LAST")] = "1:100"
    sampling: Annotated[Sampling, typer.Option(help="top: the best of the window; random: drawn from it")] = "top"
    min_score: Annotated[list[str] | None, typer.Option(help="Lowest score, or MINER=SCORE; repeat")] = None
    max_score: Annotated[list[str] | None, typer.Option(help="Highest score, or MINER=SCORE; repeat")] = None
    relative_margin: Annotated[
        float, typer.Option(help="A negative scores at most (1 - this) of its positive; -1: off")
    ] = 0.05
    absolute_margin: Annotated[
        float, typer.Option(help="A negative scores this much below its positive; -1: off")
    ] = -1.0
    margin_rank: Annotated[
        int,
        typer.Option(min=0, help="Margins take a positive for no worse than the miner's result of this rank; 0: off"),
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What is known to answer, and so is no negative."""

    duplicates: Annotated[Path | None, typer.Option(help="duplicate_clusters.jsonl")] = None
    qrels: Annotated[list[Path] | None, typer.Option(help="qrels whose relevant passages are no negatives")] = None
    judge: Annotated[
        str, typer.Option(help="cross:MODEL, bi:MODEL or groups that `score` wrote: whose scores tell answers")
    ] = ""
    judge_threshold: Annotated[float, typer.Option(help="A candidate that the judge scores above is left out")] = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """What miners search with."""

    index: Annotated[Path | None, typer.Option(help="Folder that index wrote, for bm25")] = None
    variant: VariantOption = "lucene"
    k1: K1 = 1.2
    b: B = 0.75
    repeats: Annotated[bool, typer.Option(help="Count a query term as often as it stands there, in bm25")] = False
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for dense and clusters")] = None
    dimensions: Dimensions = 128
    query_vectors: Annotated[Path | None, typer.Option(help="Sparse vectors of the queries, for sparse")] = None
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for sparse")] = None
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json, for sparse")] = None
    threads: Annotated[int, typer.Option(min=1, help="Threads that search inverted lists")] = 1

    def files(self) -> list[Path]:
        """Those given."""
        given = (self.index, self.embeddings, self.query_vectors, self.query_idf, self.query_tokenizer)
        return [path for path in given if path is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dividing:
    """Which pairs are used, and on which side."""

    exclude_queries: Annotated[list[Path] | None, typer.Option(help="Evaluation queries that must not be used")] = None
    max_equal_queries: Annotated[
        int, typer.Option(min=0, help="No query is used whose text more than so many have; 0: off")
    ] = 10
    max_synthetic_ratio: Annotated[float, typer.Option(min=0, help="Generated pairs per real one in train")] = 1.0
    val_kinds: Annotated[str, typer.Option(help="Kinds in val")] = "title,first_sentence,heading,question"
    val_share: Annotated[float, typer.Option(min=0, max=0.9, help="Of documents, where pairs have no split")] = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is written beside the groups, and kept meanwhile."""

    audit: Annotated[Path | None, typer.Option(help="Where each candidate left out goes, with its reason")] = None
    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None


@grouped
def mine(
    passages: Passages,
    pairs: Pairs,
    output: Folder,
    wanted: Wanted,
    limits: Limits,
    answering: Answering,
    searching: Searching,
    dividing: Dividing,
    keeping: Keeping,
    seed: Seed = 42,
) -> None:
    """Mines training groups: a positive, hard negatives of several miners, easy ones at random."""
    from sparse_mining import training
    from sparse_mining.judges import judge_file
    from sparse_mining.miners import shares
    from sparse_mining.searchers import files_of

    found = shares(wanted.miners, wanted.hard)
    inputs = training.Inputs(
        passages=passages,
        pairs=pairs,
        miners=found,
        duplicates=answering.duplicates,
        qrels=answering.qrels or [],
        excluded_queries=dividing.exclude_queries or [],
        searched=[*files_of([share.spec for share in found]), *searching.files(), *judge_file(answering.judge)],
    )
    places = training.Places(
        folder=output, audit=keeping.audit, work=keeping.work or output.with_name(f".{output.name}.work")
    )
    plan = _plan(found, wanted, limits, answering, seed)
    rules, choices = _rules(dividing, seed), _choices(searching, seed)
    log(training.make_groups(inputs, places, plan=plan, rules=rules, choices=choices))


def _plan(found: "list[Share]", wanted: Wanted, limits: Limits, answering: Answering, seed: int) -> "Plan":
    from sparse_mining.mining import Plan

    names = [share.name for share in found]
    margin = Margin(
        relative=limits.relative_margin if limits.relative_margin >= 0 else None,
        absolute=limits.absolute_margin if limits.absolute_margin >= 0 else None,
        rank=limits.margin_rank,
    )
    ranks = window(limits.window)
    if margin.rank > ranks.last:
        raise InputError(f"--margin-rank {margin.rank}: wanted a rank of --window {limits.window}, or 0")
    return Plan(
        quotas={share.name: share.quota for share in found},
        n_easy=wanted.easy,
        window=ranks,
        sampling=limits.sampling,
        bounds=Bounds(
            margin=margin,
            floors=by_miner(limits.min_score or [], names, option="--min-score"),
            ceilings=by_miner(limits.max_score or [], names, option="--max-score"),
        ),
        judge=answering.judge,
        threshold=answering.judge_threshold,
        scale=wanted.scores,
        titles=wanted.titles,
        seed=seed,
    )


def _rules(dividing: Dividing, seed: int) -> "Rules":
    from sparse_mining.splits import Rules, val_kinds_of

    return Rules(
        val_share=dividing.val_share,
        val_kinds=val_kinds_of(dividing.val_kinds),
        max_synthetic_ratio=dividing.max_synthetic_ratio,
        max_equal_queries=dividing.max_equal_queries,
        seed=seed,
    )


def _choices(searching: Searching, seed: int) -> "Choices":
    from sparse_mining.searchers import Choices
    from sparse_mining.settings import Settings

    return Choices(
        settings=Settings(variant=searching.variant, k1=searching.k1, b=searching.b),
        repeats=searching.repeats,
        index=searching.index,
        threads=searching.threads,
        dimensions=searching.dimensions,
        embeddings=searching.embeddings,
        query_vectors=searching.query_vectors,
        query_idf=searching.query_idf,
        query_tokenizer=searching.query_tokenizer,
        seed=seed,
    )
