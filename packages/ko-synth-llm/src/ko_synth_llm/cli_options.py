"""Options that several commands have, and how they are read.

In a module of its own, since commands live in several.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ._files import InputError

Ask = Annotated[
    list[str],
    typer.Option("--ask", metavar="NAME=A,B", help="Ask for these, not the drawn ones: styles=question,english"),
]
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A built-in task or a task's folder.")]
Input = Annotated[Path, typer.Argument(metavar="INPUT", help="JSON Lines (or .gz), or a folder with corpus.jsonl.")]
Answers = Annotated[Path, typer.Argument(metavar="ANSWERS", help="What `run` wrote.")]
Rejects = Annotated[Path | None, typer.Option("--rejected", help="By default NAME.rejected.jsonl beside the output.")]
OutputPath = Annotated[Path, typer.Option("-o", "--output", help="The file to write.")]


def version() -> str:
    from importlib.metadata import version

    return version("ko-synth-llm")


def check_places(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """InputError where a file would be written over that is read here, written twice or is a folder; None is none."""
    inputs = {path.resolve() for path in read if path is not None}
    outputs: set[Path] = set()
    for path in (path for path in written if path is not None):
        place = path.resolve()
        if place in inputs:
            raise InputError(f"{path}: is read here and would be written over: give another -o")
        if place in outputs:
            raise InputError(f"{path}: would be written twice: give the outputs different names")
        if place.is_dir():
            raise InputError(f"{path}: is a folder, wanted a file to write")
        outputs.add(place)


def asked_items(options: list[str]) -> dict[str, list[str]]:
    """`--ask` options as lists.

    >>> asked_items(["styles=question,english"])
    {'styles': ['question', 'english']}
    """
    asked = {}
    for option in options:
        name, sign, items = option.partition("=")
        if not (name and sign and items):
            raise InputError(f"--ask {option}: wanted NAME=A,B, such as styles=question,english")
        asked[name] = [item.strip() for item in items.split(",")]
    return asked
