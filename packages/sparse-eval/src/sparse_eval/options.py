"""The options of the commands, in groups: what a run is judged by, what a system costs, what a report shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Named = Annotated[list[str] | None, typer.Option(metavar="NAME=FILE")]
Queries = Annotated[Path | None, typer.Option(help="queries.jsonl: slices by metadata.lang and metadata.kind.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What runs are judged by."""

    qrels: Annotated[Path, typer.Option(help="BEIR qrels: query-id, corpus-id and score, parted by tabs.")]
    queries: Queries = None
    seed: Annotated[int, typer.Option(help="Of the bootstrap and the randomization test.")] = 42
    resamples: Annotated[int, typer.Option(min=100, help="Draws of the bootstrap and the randomization test.")] = 10_000

    def paths(self) -> list[Path]:
        """The files given."""
        return [path for path in (self.qrels, self.queries) if path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What tells the cost of the system."""

    vectors: Annotated[Path | None, typer.Option(help="Document vectors: active terms.")] = None
    query_vectors: Annotated[Path | None, typer.Option(help="Query vectors: active terms and, with both, FLOPS.")] = (
        None
    )
    timing: Annotated[Path | None, typer.Option(help="What the search cost: milliseconds per query.")] = None

    def paths(self) -> list[Path]:
        """The files given."""
        return [path for path in (self.vectors, self.query_vectors, self.timing) if path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What tells the cost of each system."""

    metrics: Annotated[list[Path] | None, typer.Option(help="What `judge` wrote: the facts of its system.")] = None
    vectors: Named = None
    query_vectors: Named = None
    timing: Named = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explaining:
    """What runs are explained with."""

    qrels: Annotated[Path | None, typer.Option(help="Needed with runs.")] = None
    queries: Queries = None
    passages: Annotated[Path | None, typer.Option(help="BEIR folder or corpus.jsonl: the texts.")] = None

    def paths(self) -> list[Path]:
        """The files given."""
        return [path for path in (self.qrels, self.queries, self.passages) if path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows."""

    plots: Annotated[Path | None, typer.Option(help="What `plot` wrote: its pictures are put into the page.")] = None
    better: Annotated[str, typer.Option(help="System whose wins and losses are shown; by default the last run.")] = ""
    than: Annotated[str, typer.Option(help="System it is held against; by default the run before it.")] = ""
    shown: Annotated[int, typer.Option(min=1, help="Queries in each list.")] = 10
