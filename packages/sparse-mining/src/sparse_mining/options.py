"""Options that several commands share, and what every command does at its end.

Apart from the commands, so that an option reads and means the same wherever it is met.
"""

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, get_type_hints

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


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of a dataclass are that dataclass's fields, each an option of its own.

    So a command of thirty options is written, and read, as a few groups of them.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            hints |= get_type_hints(groups[name], include_extras=True)
            flat += inspect.signature(groups[name]).parameters.values()
        else:
            flat.append(parameter)
    flat = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in flat]

    @functools.wraps(command)
    def run(**given: object) -> None:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **made)

    run.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in flat}
    return run


def package_version() -> str:
    """The version of this package that is installed."""
    return version(PACKAGE)


def log(text: str) -> None:
    """Writes a line to stderr: stdout is for results."""
    print(text, file=sys.stderr)
