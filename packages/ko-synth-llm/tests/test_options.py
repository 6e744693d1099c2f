"""Options in groups: each field of a group is an option, and `--help` shows it under the group's title."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import typer
from ko_synth_llm._options import grouped
from typer.testing import CliRunner

Near = Annotated[float, typer.Option(help="Similarity.")]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What passes.

    A second line, which is no title.
    """

    source: Annotated[Path, typer.Option(help="Where from.")]
    near: Near = 0.5
    names: Annotated[list[str], typer.Option(help="Of what.")] = field(default_factory=lambda: ["a"])


@dataclass(frozen=True, kw_only=True)
class Others:
    """Others."""

    near: Near = 0.1


def said(*arguments: str) -> str:
    app = typer.Typer()

    @app.command()
    @grouped
    def look(place: Annotated[str, typer.Argument()], bounds: Bounds, seed: int = 42) -> None:
        """Look at a place."""
        print(place, bounds.source, bounds.near, bounds.names, seed)

    return CliRunner().invoke(app, arguments, env={"TERM": "dumb", "COLUMNS": "100"}).output


def test_a_group_arrives_with_what_was_given_and_its_own_defaults() -> None:
    assert said("here", "--source", "a.txt") == "here a.txt 0.5 ['a'] 42\n"
    given = ("--near", "0.7", "--names", "b", "--names", "c", "--seed", "1")
    assert said("here", "--source", "a.txt", *given) == "here a.txt 0.7 ['b', 'c'] 1\n"


def test_a_field_without_a_default_must_be_given() -> None:
    assert "Missing option '--source'" in said("here")


def test_help_shows_a_group_under_the_first_line_of_its_docstring() -> None:
    _, options, group = said("--help").partition(" What passes ")
    assert options == " What passes "
    assert [name for name in ("--source", "--near", "--names", "--seed") if name in group] == [
        "--source",
        "--near",
        "--names",
    ]


def test_two_groups_cannot_have_an_option_of_one_name() -> None:
    def look(bounds: Bounds, others: Others) -> None: ...

    with pytest.raises(ValueError, match="duplicate parameter name: 'near'"):
        grouped(look)
