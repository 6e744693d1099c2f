"""The commands that turn answers into what others read: `filter` for queries, `verdicts` for synonyms.

Both read answers of `run` and write formats that other packages know.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ._files import InputError, Manifest, Output, read_json, read_jsonl, whole, write_json, write_jsonl, write_text
from ._options import grouped
from .cli_options import Answers, OutputPath, Rejects, check_places, version
from .filters import Bounds, Filter, Passage, QueryFilters, Reranked, RoundTrip
from .metadata import GenerationMetadata, Generators, metadata
from .outcomes import Answered, Rejected
from .pairs import Pair, Split, Tally, pairs_of, read_passages, read_splits
from .records import corpus_of
from .verdicts import Verdict, read_candidates, verdicts_of


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a reranker's scores."""

    query_id: str
    doc_id: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFor:
    """What the queries were written for."""

    passages: Annotated[Path, typer.Option(help="The passages that the queries were written for.")]
    pairs: Annotated[Path | None, typer.Option(help="Pairs whose documents' splits are taken over.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """What the filters let pass."""

    min_hangul: Annotated[float, typer.Option(min=0, max=1, help="Share of Hangul in Korean queries.")] = 0.8
    max_copied: Annotated[float, typer.Option(min=0, max=1, help="Share copied from the passage.")] = 0.6
    near: Annotated[float, typer.Option(min=0, max=1, help="Similarity of near duplicates.")] = 0.8
    max_crowd: Annotated[int, typer.Option(min=1, help="Kept queries that may be alike.")] = 3

    def bounds(self) -> Bounds:
        return Bounds(min_hangul=self.min_hangul, max_copied=self.max_copied, near=self.near, max_crowd=self.max_crowd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search engine and a reranker found with these queries."""

    run: Annotated[Path | None, typer.Option(help="TREC run of these queries: keep round trips.")] = None
    top_k: Annotated[int, typer.Option(min=1, help="Rank that a round trip must reach.")] = 10
    scores: Annotated[Path | None, typer.Option(help="JSON Lines query_id, doc_id, score of a reranker.")] = None
    min_score: Annotated[float, typer.Option(help="Lowest score that is kept.")] = 0.5

    def filters(self) -> dict[str, Filter]:
        """A filter for each file given."""
        found: dict[str, Filter] = {}
        if self.run is not None:
            found["round_trip"] = RoundTrip(read_ranks(self.run), self.top_k)
        if self.scores is not None:
            found["reranker"] = Reranked(read_scores(self.scores), self.min_score)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is written beside the pairs."""

    rejected: Rejects = None
    summary: Annotated[
        Path | None, typer.Option("--metadata", help="By default generation_metadata.json beside the output.")
    ] = None


@grouped
def filter_command(
    answers: Answers,
    output: OutputPath,
    written_for: WrittenFor,
    strictness: Strictness,
    searched: Searched,
    beside: Beside,
) -> None:
    """Filter generated queries into pairs; every query that is dropped is in the rejects with its reason.

    ANSWERS.rejected.jsonl, which `run` leaves beside its answers, is counted in the metadata.
    """
    bounds, pairs = strictness.bounds(), written_for.pairs
    rejected = beside.rejected or output.with_name(f"{output.stem}.rejected.jsonl")
    summary = beside.summary or output.with_name("generation_metadata.json")
    read = [answers, unanswered_of(answers), corpus_of(written_for.passages), pairs, searched.run, searched.scores]
    check_places(read, [output, rejected, summary])
    corpus = read_passages(written_for.passages)
    filters = QueryFilters(bounds, corpus.values())
    filters.filters |= searched.filters()
    inputs = (answers, written_for.passages, pairs, searched.run, searched.scores)
    filtering = Filtering(
        answers=answers,
        output=output,
        rejected=rejected,
        summary=summary,
        inputs=[path for path in inputs if path is not None],
        parameters={"bounds": bounds, "top_k": searched.top_k, "min_score": searched.min_score},
    )
    filter_answers(filtering, corpus, filters, splits=read_splits(pairs) if pairs is not None else None)


def unanswered_of(answers: Path) -> Path:
    """Where `run` wrote the records that got no answer."""
    return answers.with_name(f"{answers.stem}.rejected.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtering:
    """What one filtering reads and writes, and what its manifest says of how."""

    answers: Path
    output: Path
    rejected: Path
    summary: Path
    inputs: Sequence[Path]
    parameters: Mapping[str, object]


def filter_answers(
    job: Filtering, corpus: Mapping[str, Passage], filters: QueryFilters, *, splits: Mapping[str, Split] | None
) -> None:
    """Filters, writes pairs, rejects, metadata and a manifest, and says on stdout what was kept."""
    started = time.time()
    tally, generators = Tally(), Generators()
    stream = generators.noted(read_jsonl(job.answers, Answered))
    write_sorted(pairs_of(stream, corpus, filters, splits=splits, tally=tally), job.output, job.rejected)
    unanswered = unanswered_of(job.answers)
    failures = read_jsonl(unanswered, Rejected) if unanswered.is_file() else iter(())
    made = metadata(tally, generators, filters=list(filters.filters), bounds=filters.bounds, unanswered=failures)
    write_json(job.summary, made)
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        parameters=job.parameters,
        inputs=job.inputs,
        outputs=[
            Output(path=job.output, format="pairs", n_records=tally.n_kept),
            Output(path=job.rejected, format="rejects", n_records=tally.n_queries - tally.n_kept),
            Output(path=job.summary, format="generation_metadata"),
        ],
        counts={"queries": tally.n_queries, "kept": tally.n_kept, **tally.reasons},
        started=started,
    ).write()
    print(f"kept {tally.n_kept} of {tally.n_queries} queries ({made.accept_rate:.1%}) of {tally.n_answers} answers")
    for reason in made.rejected:
        if reason.n:
            print(f"  {reason.reason}\t{reason.n}")


def verdicts_command(
    answers: Answers,
    output: OutputPath,
    candidates: Annotated[Path, typer.Option("--candidates", help="The synonym candidates that were judged.")],
) -> None:
    """Write the verdicts of `synonym_judge` for `ko-synonyms merge`."""
    started = time.time()
    check_places([answers, candidates], [output])
    known = read_candidates(candidates)
    yes_or_no: Counter[str] = Counter()
    n_records = write_jsonl(output, _counted(verdicts_of(read_jsonl(answers, Answered), known), yes_or_no))
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        inputs=[answers, candidates],
        outputs=[Output(path=output, format="synonym_verdicts", n_records=n_records)],
        counts={"candidates": len(known), **yes_or_no},
        started=started,
    ).write()
    print(f"{yes_or_no['yes']} yes, {yes_or_no['no']} no, {len(known) - n_records} candidates without a verdict")


def _counted(verdicts: Iterable[Verdict], counts: Counter[str]) -> Iterator[Verdict]:
    for verdict in verdicts:
        counts[verdict.verdict] += 1
        yield verdict


def write_sorted(outcomes: Iterable[Pair | Rejected], kept: Path, dropped: Path) -> None:
    """Writes pairs and rejects to their files in one pass, both whole or neither."""
    encoder = msgspec.json.Encoder()
    with (
        whole(dropped) as dropped_part,
        dropped_part.open("wb") as rejects,
        whole(kept) as kept_part,
        kept_part.open("wb") as pairs,
    ):
        for outcome in outcomes:
            (rejects if isinstance(outcome, Rejected) else pairs).write(encoder.encode(outcome) + b"\n")


def read_ranks(path: Path) -> dict[tuple[str, str], int]:
    """(query_id, doc_id) -> rank of a TREC run."""
    ranks = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != 6 or not parts[3].isdigit():
            raise InputError(f"{path}:{number}: wanted 'query_id Q0 doc_id rank score system', found {line!r}")
        ranks[parts[0], parts[2]] = int(parts[3])
    return ranks


def read_scores(path: Path) -> dict[tuple[str, str], float]:
    """(query_id, doc_id) -> score of a reranker."""
    return {(line.query_id, line.doc_id): line.score for line in read_jsonl(path, Score)}


def report_command(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="What `filter` wrote, with its rejects beside it.")],
    output: OutputPath,
    passages: Annotated[Path, typer.Option("--passages", help="The passages that the queries were written for.")],
    shown: Annotated[int, typer.Option("--shown", min=0, help="Queries of either side to read.")] = 50,
    seed: Annotated[int, typer.Option("--seed", help="Of the drawing.")] = 42,
) -> None:
    """Write a report on kept and rejected queries: OUTPUT as a page, and as JSON beside it."""
    from .report import html, make_report

    started = time.time()
    dropped = pairs.with_name(f"{pairs.stem}.rejected.jsonl")
    summary = pairs.with_name("generation_metadata.json")
    table = output.with_suffix(".json")
    check_places([pairs, dropped, summary, corpus_of(passages)], [output, table])
    made = make_report(
        list(read_jsonl(pairs, Pair)),
        list(read_jsonl(dropped, Rejected)) if dropped.is_file() else [],
        read_passages(passages),
        summary=read_json(summary, GenerationMetadata) if summary.is_file() else None,
        n_shown=shown,
        seed=seed,
    )
    write_text(output, html(made))
    write_json(table, made)
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        parameters={"shown": shown},
        seed=seed,
        inputs=[pairs, dropped, summary, passages],
        outputs=[Output(path=output, format="report"), Output(path=table, format="generation_report")],
        started=started,
    ).write()
    print(f"{made.n_kept} kept, {made.n_rejected} rejected: {output}")
