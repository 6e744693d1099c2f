"""The command line of sparse-eval: judge, compare, plot, report."""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_eval import __version__
from sparse_eval._files import InputError, Manifest, Output, exit_on_error
from sparse_eval._options import grouped
from sparse_eval.options import Cost, Costs, Explaining, Judging, Shown

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)

NamedRuns = Annotated[list[str], typer.Argument(metavar="NAME=RUN...", help="TREC runs, each with its system's name.")]


@app.command()
@grouped
def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A TREC run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The metrics, as JSON.")],
    *,
    system: Annotated[str, typer.Option(help="The system's name.")],
    judging: Judging,
    cost: Cost,
) -> None:
    """Judges one run, overall and by slice, with bootstrap intervals; a table goes to stdout."""
    from sparse_eval.comparison import Draws, System, measure
    from sparse_eval.facts import gather_facts
    from sparse_eval.layout import write_laid_out
    from sparse_eval.records import read_queries
    from sparse_eval.runs import read_qrels, read_run
    from sparse_eval.table import metrics_table

    started = time.time()
    facts = gather_facts(vectors=cost.vectors, query_vectors=cost.query_vectors, timing=cost.timing)
    known = read_queries(judging.queries) if judging.queries else None
    judged = System(name=system, run=read_run(run), facts=facts)
    draws = Draws(seed=judging.seed, n_resamples=judging.resamples)
    metrics = measure(judged, read_qrels(judging.qrels), queries=known, draws=draws)
    write_laid_out(output, metrics)
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"system": system, "resamples": judging.resamples},
        seed=judging.seed,
        inputs=[run, *judging.paths(), *cost.paths()],
        outputs=[Output(path=output, format="metrics", n_records=len(metrics.measures))],
        started=started,
    ).write()
    print(metrics_table(metrics))


@app.command()
@grouped
def compare(
    runs: NamedRuns,
    output: Annotated[Path, typer.Option("--output", "-o", help="The comparison, as JSON.")],
    *,
    judging: Judging,
    costs: Costs,
) -> None:
    """Compares systems on the same queries, every pair tested; tables go to stdout."""
    from sparse_eval.comparison import Draws
    from sparse_eval.comparison import compare as put_side_by_side
    from sparse_eval.layout import write_laid_out
    from sparse_eval.records import read_queries
    from sparse_eval.runs import read_qrels
    from sparse_eval.sources import Sources, named_files
    from sparse_eval.table import comparison_table

    started = time.time()
    files = Sources(
        runs=named_files(runs),
        metrics=costs.metrics or [],
        vectors=named_files(costs.vectors or []),
        query_vectors=named_files(costs.query_vectors or []),
        timing=named_files(costs.timing or []),
    )
    judgements, known = read_qrels(judging.qrels), read_queries(judging.queries) if judging.queries else None
    draws = Draws(seed=judging.seed, n_resamples=judging.resamples)
    comparison = put_side_by_side(files.systems(), judgements, queries=known, draws=draws)
    write_laid_out(output, comparison)
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"systems": list(comparison.systems), "resamples": judging.resamples},
        seed=judging.seed,
        inputs=[*files.paths(), *judging.paths()],
        outputs=[Output(path=output, format="comparison", n_records=len(comparison.rows))],
        started=started,
    ).write()
    print(comparison_table(comparison))


@app.command()
def plot(
    comparison: Annotated[Path, typer.Argument(metavar="COMPARISON", help="What `compare` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the three PNG files.")],
) -> None:
    """Draws quality.png, by_slice.png and efficiency.png; their paths go to stdout."""
    from sparse_eval._files import whole
    from sparse_eval.plots import write_plots
    from sparse_eval.records import read_comparison

    started = time.time()
    found = read_comparison(comparison)
    with whole(output) as part:
        part.mkdir(parents=True)
        names = [path.name for path in write_plots(part, found)]
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        inputs=[comparison],
        outputs=[Output(path=output, format="plots", n_records=len(names))],
        started=started,
    ).write()
    for name in names:
        print(output / name)


@app.command()
@grouped
def report(
    comparison: Annotated[Path, typer.Argument(metavar="COMPARISON", help="What `compare` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, as HTML.")],
    *,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=RUN]...", help="Runs to explain queries by.")
    ] = None,
    explaining: Explaining,
    shown: Shown,
) -> None:
    """Writes one self-contained HTML page: tables, tests, pictures, and the queries where two systems differ."""
    from sparse_eval._files import write_text
    from sparse_eval.records import read_comparison
    from sparse_eval.report import report_page
    from sparse_eval.sources import Question, explain_runs, named_files

    started = time.time()
    found = read_comparison(comparison)
    named = named_files(runs or [])
    if named and explaining.qrels is None:
        raise typer.BadParameter("runs cannot be explained without --qrels")
    question = Question(better=shown.better, than=shown.than, n_shown=shown.shown)
    explained = None
    if named and explaining.qrels:
        explained = explain_runs(
            named, explaining.qrels, queries=explaining.queries, passages=explaining.passages, question=question
        )
    pictures = _pictures(shown.plots) if shown.plots else []
    write_text(output, report_page(found, explained, plots=pictures))
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"better": shown.better, "than": shown.than, "shown": shown.shown},
        inputs=[comparison, *named.values(), *explaining.paths(), *pictures],
        outputs=[Output(path=output, format="report")],
        started=started,
    ).write()
    print(output)


def _pictures(folder: Path) -> list[Path]:
    pictures = [folder / name for name in ("quality.png", "by_slice.png", "efficiency.png")]
    for path in pictures:
        if not path.is_file():
            raise InputError(f"{path}: no such file: make it with `sparse-eval plot`")
    return pictures


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)
