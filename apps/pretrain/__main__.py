"""`uv run apps/pretrain`: from documents to a searchable Korean sparse model, one stage after the other.

A run lives in `datasets/<run>/`; DVC skips what has not changed and brings earlier outputs back.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pretrain.errors import PipelineError
from pretrain.recipe import read_recipe
from pretrain.runs import DEFAULT_RECIPE, Run, list_runs, open_run

app = typer.Typer(
    pretty_exceptions_enable=False, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)

RecipeFile = Annotated[
    Path, typer.Option(help="a recipe file; see apps/pretrain/recipes", show_default="recipes/mini.yaml")
]
RunName = Annotated[str, typer.Option("--run", help="the run's folder under datasets/; default: the recipe's name")]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    recipe: RecipeFile = DEFAULT_RECIPE,
    name: RunName = "",
    until: Annotated[str, typer.Option(help="stop after this stage")] = "",
    force: Annotated[list[str] | None, typer.Option(help="run this stage again although nothing changed")] = None,
) -> None:
    """Run a recipe: train, improve, compare and export a Korean sparse retrieval model."""
    if context.invoked_subcommand is None:
        from pretrain.runner import run_stages

        run_stages(Run.of(read_recipe(recipe), name), until=until, forced=tuple(force or ()))


@app.command()
def status(recipe: RecipeFile = DEFAULT_RECIPE, name: RunName = "") -> None:
    """Say which stages would run, and why."""
    from pretrain.runner import print_status

    print_status(Run.of(read_recipe(recipe), name))


@app.command()
def restore(version: Annotated[str, typer.Argument(help="such as 0001")] = "", name: RunName = "mini") -> None:
    """Bring the outputs of an earlier run back; without VERSION, list the versions."""
    from pretrain.history import print_versions, restore_version

    found = open_run(name)
    restore_version(found, version) if version else print_versions(found)


@app.command()
def clean(
    stage: Annotated[str, typer.Argument(help="only this stage's outputs and partial work")] = "",
    name: RunName = "mini",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Remove a run's outputs, or one stage's; the history and its cache stay."""
    found = open_run(name)
    paths = found.removable(stage)
    print("\n".join(f"would remove {path}" for path in paths), file=sys.stderr)
    if paths and (yes or typer.confirm("Remove them?", err=True)):
        found.remove(paths, stage=stage)


@app.command("list")
def list_() -> None:
    """List the runs under datasets/, newest first."""
    print(list_runs())


if __name__ == "__main__":
    try:
        app(prog_name="uv run apps/pretrain")
    except PipelineError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'the run'}: {error.strerror}; what was complete is kept: run it again")
