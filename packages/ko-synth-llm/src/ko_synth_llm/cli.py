"""The command line: one verb for each thing to do; results on stdout, log and progress on stderr.

Heavy imports happen inside the commands, so that `--help` is quick.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ._files import Manifest, Output, exit_on_error, read_jsonl, write_jsonl
from .cli_cache import app as cache_app
from .cli_convert import convert_command
from .cli_filter import filter_command, report_command, verdicts_command
from .cli_options import Ask, Input, OutputPath, TaskName, asked_items, check_places, version
from .cli_run import run_command

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False)
app.command("run")(run_command)
app.command("filter")(filter_command)
app.command("convert")(convert_command)
app.command("verdicts")(verdicts_command)
app.command("report")(report_command)
app.add_typer(cache_app, name="cache")


def main() -> None:
    exit_on_error(app)


@app.command()
def tasks() -> None:
    """List the built-in tasks."""
    from .tasks import built_in_tasks, load_task

    for name in built_in_tasks():
        file = load_task(name).file
        print(f"{name}\t{file.version}\t{file.description}")


@app.command()
def new_task(folder: Annotated[Path, typer.Argument(help="The folder to make; its name is the task's.")]) -> None:
    """Write a starting folder for a task of your own."""
    from .new_task import write_new_task

    write_new_task(folder)
    print(f"{folder}: edit task.toml, prompt.j2, schema.json and examples.jsonl, then: ko-synth-llm run {folder} ...")


@app.command()
def show(
    task: TaskName,
    source: Input,
    all_records: Annotated[bool, typer.Option("--all", help="Every record, as JSON Lines to --output.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where --all writes.")] = None,
    ask: Ask = [],
) -> None:
    """Print the exact messages that a model gets for a record, or write those of every record."""
    from .asking import Asking
    from .prompts import show as shown
    from .records import corpus_of, read_record, read_records
    from .shown import shown_record
    from .tasks import load_task

    asking = Asking(load_task(task), asked=asked_items(ask))
    if not all_records:
        print(shown(asking.conversation(read_record(source)).messages))
        return
    if output is None:
        raise typer.BadParameter("--all needs -o FILE")
    check_places([corpus_of(source)], [output])
    n_records = write_jsonl(output, (shown_record(asking, record) for record in read_records(source)))
    Manifest(
        package="ko-synth-llm",
        package_version=version(),
        parameters={"task": task, "ask": ask, "task_sha256": asking.task.sha256},
        inputs=[source],
        outputs=[Output(path=output, format="messages", n_records=n_records)],
    ).write()
    print(f"{n_records} records", file=sys.stderr)


@app.command()
def rekey(
    task: TaskName,
    source: Input,
    recording: Annotated[Path, typer.Option("--recording", help="The recording to re-key.")],
    output: OutputPath,
    accept_changed: Annotated[
        bool, typer.Option("--accept-changed", help="Keep replies whose record's text has changed under the same id.")
    ] = False,
) -> None:
    """Give recorded replies the ids and text hashes of today's records, where their text is still there.

    Replies that answer no record are written to OUTPUT.left.jsonl rather than dropped.
    """
    from .asking import Asking
    from .recordings import RecordedReply, unique
    from .recordings import rekey as rekeyed
    from .records import read_records
    from .tasks import load_task

    asking = Asking(load_task(task))
    keys = [(asking.record_id(record), asking.text_sha256(record)) for record in read_records(source)]
    lines = list(unique(read_jsonl(recording, RecordedReply)))
    done = rekeyed(lines, keys, task=asking.task.name, accept_changed=accept_changed)
    write_jsonl(output, done.lines)
    if done.left:
        write_jsonl(output.with_suffix(".left.jsonl"), done.left)
    print(f"kept {done.n_kept}, moved {done.n_moved}, changed {done.n_changed}, without a record {len(done.left)}")
    if done.missing:
        print(f"{len(done.missing)} records have no reply, such as {', '.join(done.missing[:3])}", file=sys.stderr)
