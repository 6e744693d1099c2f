"""The command line of sparse-eval: judge, compare, plot, report."""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_eval import __version__
from sparse_eval._files import InputError, Manifest, Output, exit_on_error

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)

Qrels = Annotated[Path, typer.Option(help="BEIR qrels: query-id, corpus-id and score, parted by tabs.")]
Queries = Annotated[Path | None, typer.Option(help="queries.jsonl: slices by metadata.lang and metadata.kind.")]
NamedRuns = Annotated[list[str], typer.Argument(metavar="NAME=RUN...", help="TREC runs, each with its system's name.")]
Seed = Annotated[int, typer.Option(help="Of the bootstrap and the randomization test.")]
Resamples = Annotated[int, typer.Option(min=100, help="Draws of the bootstrap and of the randomization test.")]
Named = Annotated[list[str] | None, typer.Option(metavar="NAME=FILE")]


@app.command()
def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A TREC run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The metrics, as JSON.")],
    *,
    qrels: Qrels,
    system: Annotated[str, typer.Option(help="The system's name.")],
    queries: Queries = None,
    vectors: Annotated[Path | None, typer.Option(help="Document vectors: active terms.")] = None,
    query_vectors: Annotated[
        Path | None, typer.Option(help="Query vectors: active terms and, with both, FLOPS.")
    ] = None,
    timing: Annotated[Path | None, typer.Option(help="What the search cost: milliseconds per query.")] = None,
    seed: Seed = 42,
    resamples: Resamples = 10_000,
) -> None:
    """Judges one run, overall and by slice, with bootstrap intervals; a table goes to stdout."""
    from sparse_eval.comparison import Draws, System, measure
    from sparse_eval.facts import gather_facts
    from sparse_eval.layout import write_laid_out
    from sparse_eval.records import read_queries
    from sparse_eval.runs import read_qrels, read_run
    from sparse_eval.table import metrics_table

    started = time.time()
    facts = gather_facts(vectors=vectors, query_vectors=query_vectors, timing=timing)
    known = read_queries(queries) if queries else None
    judged = System(name=system, run=read_run(run), facts=facts)
    metrics = measure(judged, read_qrels(qrels), queries=known, draws=Draws(seed=seed, n_resamples=resamples))
    write_laid_out(output, metrics)
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"system": system, "resamples": resamples},
        seed=seed,
        inputs=[path for path in (run, qrels, queries, vectors, query_vectors, timing) if path],
        outputs=[Output(path=output, format="metrics", n_records=len(metrics.measures))],
        started=started,
    ).write()
    print(metrics_table(metrics))


@app.command()
def compare(
    runs: NamedRuns,
    output: Annotated[Path, typer.Option("--output", "-o", help="The comparison, as JSON.")],
    *,
    qrels: Qrels,
    queries: Queries = None,
    metrics: Annotated[list[Path] | None, typer.Option(help="What `judge` wrote: the facts of its system.")] = None,
    vectors: Named = None,
    query_vectors: Named = None,
    timing: Named = None,
    seed: Seed = 42,
    resamples: Resamples = 10_000,
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
        metrics=metrics or [],
        vectors=named_files(vectors or []),
        query_vectors=named_files(query_vectors or []),
        timing=named_files(timing or []),
    )
    judgements, known = read_qrels(qrels), read_queries(queries) if queries else None
    draws = Draws(seed=seed, n_resamples=resamples)
    comparison = put_side_by_side(files.systems(), judgements, queries=known, draws=draws)
    write_laid_out(output, comparison)
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"systems": list(comparison.systems), "resamples": resamples},
        seed=seed,
        inputs=[*files.paths(), qrels, *([queries] if queries else [])],
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
def report(
    comparison: Annotated[Path, typer.Argument(metavar="COMPARISON", help="What `compare` wrote.")],
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=RUN]...", help="Runs to explain queries by.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, as HTML.")],
    qrels: Annotated[Path | None, typer.Option(help="Needed with runs.")] = None,
    queries: Queries = None,
    passages: Annotated[Path | None, typer.Option(help="BEIR folder or corpus.jsonl: the texts.")] = None,
    plots: Annotated[Path | None, typer.Option(help="What `plot` wrote: its pictures are put into the page.")] = None,
    better: Annotated[str, typer.Option(help="System whose wins and losses are shown; by default the last run.")] = "",
    than: Annotated[str, typer.Option(help="System it is held against; by default the run before it.")] = "",
    shown: Annotated[int, typer.Option(min=1, help="Queries in each list.")] = 10,
) -> None:
    """Writes one self-contained HTML page: tables, tests, pictures, and the queries where two systems differ."""
    from sparse_eval._files import write_text
    from sparse_eval.records import read_comparison
    from sparse_eval.report import report_page
    from sparse_eval.sources import Question, explain_runs, named_files

    started = time.time()
    found = read_comparison(comparison)
    named = named_files(runs or [])
    if named and qrels is None:
        raise typer.BadParameter("runs cannot be explained without --qrels")
    question = Question(better=better, than=than, n_shown=shown)
    explained = (
        explain_runs(named, qrels, queries=queries, passages=passages, question=question) if named and qrels else None
    )
    pictures = _pictures(plots) if plots else []
    write_text(output, report_page(found, explained, plots=pictures))
    Manifest(
        package="sparse-eval",
        package_version=__version__,
        parameters={"better": better, "than": than, "shown": shown},
        inputs=[comparison, *named.values(), *(path for path in (qrels, queries, passages) if path), *pictures],
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
