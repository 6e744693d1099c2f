"""Options that several commands share, and what every command does at its end.

Apart from the commands, so that an option reads and means the same wherever it is met.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining.settings import Variant

PACKAGE = "sparse-mining"

Passages = Annotated[Path, typer.Argument(metavar="PASSAGES", help="BEIR folder holding corpus.jsonl, or that file")]
Out = Annotated[Path, typer.Option("-o", "--output", help="Where the result goes")]
Seed = Annotated[int, typer.Option(help="Of everything random")]
VariantOption = Annotated[Variant, typer.Option(help="Of BM25: okapi and plus are rank_bm25's")]
K1 = Annotated[float, typer.Option(help="Of BM25: where term frequency saturates")]
B = Annotated[float, typer.Option(help="Of BM25: how much of a document's length is discounted")]
Dimensions = Annotated[int, typer.Option(min=1, help="Of dense vectors made here")]


def package_version() -> str:
    """The version of this package that is installed."""
    return version(PACKAGE)


def log(text: str) -> None:
    """Writes a line to stderr: stdout is for results."""
    print(text, file=sys.stderr)
