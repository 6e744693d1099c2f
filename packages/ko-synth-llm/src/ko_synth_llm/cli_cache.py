"""The commands `cache stats`, `cache export` and `cache prune`.

An export is a recording, so that paid answers can be kept in a repository and replayed.
"""

from pathlib import Path
from typing import Annotated

import typer

from ._files import InputError, Manifest, Output, write_jsonl
from .cache import Cache
from .cli_options import OutputPath, version

app = typer.Typer(help="Look into the cache, export it as a recording, or remove answers.", no_args_is_help=True)

CachePath = Annotated[Path, typer.Argument(metavar="CACHE", help="The SQLite file.")]


def opened(path: Path) -> Cache:
    """An existing cache; a misspelt name is not made into a new one."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return Cache(path)


@app.command()
def stats(path: CachePath) -> None:
    """Count answers and bytes by task and model."""
    with opened(path) as cache:
        for row in cache.stats():
            print(f"{row.task}\t{row.task_version}\t{row.model}\t{row.n_answers} answers\t{row.n_bytes} bytes")


@app.command()
def export(path: CachePath, output: OutputPath) -> None:
    """Write all answers as a recording that `--backend recorded:FILE` replays."""
    with opened(path) as cache:
        n_records = write_jsonl(output, cache.export())
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        inputs=[path],
        outputs=[Output(path=output, format="recordings", n_records=n_records)],
    ).write()
    print(f"{n_records} answers")


@app.command()
def prune(
    path: CachePath,
    task: Annotated[str, typer.Option("--task", help="Only this task's answers.")] = "",
    model: Annotated[str, typer.Option("--model", help="Only this model's answers.")] = "",
    older_than_days: Annotated[float, typer.Option("--older-than-days", min=0.0, help="Only older ones.")] = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
) -> None:
    """Remove answers; at least one option says which."""
    if not (task or model or older_than_days or everything):
        raise typer.BadParameter("say which answers: --task, --model, --older-than-days or --all")
    with opened(path) as cache:
        n = cache.prune(task=task or None, model=model or None, older_than_s=older_than_days * 86400)
    print(f"removed {n} answers")
