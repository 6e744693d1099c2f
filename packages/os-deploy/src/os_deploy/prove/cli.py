"""The commands that prove a deployment: run, parity and bench."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from os_deploy._files import InputError, Manifest, Output, read_json, write_json
from os_deploy._options import grouped
from os_deploy.options import Access, DenseQueries, ModeName, Name, Url, connect, make_searcher, read_embeddings

if TYPE_CHECKING:
    from os_deploy.searching import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How is searched."""

    mode: ModeName = "sparse"
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages of each query.")] = 100
    dense_queries: DenseQueries = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What was deployed and is compared."""

    export: Annotated[Path, typer.Option(help="The export folder.")]
    passages: Annotated[Path, typer.Option(help="The BEIR folder that was deployed.")]
    vectors: Annotated[Path, typer.Option(help="Its vectors.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked."""

    queries: Annotated[Path, typer.Option(help="queries.jsonl; the same for all.")]
    qrels: Annotated[Path | None, typer.Option(help="Judgements (BEIR) of the queries, for nDCG@10.")] = None
    dense_queries: DenseQueries = None

    def paths(self) -> list[Path]:
        """The files given."""
        return [path for path in (self.queries, self.qrels, self.dense_queries) if path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How much is asked."""

    clients: Annotated[str, typer.Option(help="How many ask at once, one measurement each.")] = "1,4,16"
    n_queries: Annotated[int, typer.Option(min=1, help="Queries of each measurement.")] = 500
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="Of each measurement: what is slow is asked fewer queries.")
    ] = 60.0
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages of each query.")] = 10

    def at_once(self) -> list[int]:
        """The numbers of clients; InputError where they are none."""
        if not all(part.isdecimal() and 0 < int(part) <= 256 for part in self.clients.split(",")):
            raise InputError(f"--clients: found {self.clients!r}, wanted numbers with commas, such as 1,4,16")
        return [int(part) for part in self.clients.split(",")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(run)
    app.command()(parity)
    app.command()(bench)


def check_mode(mode: str) -> "Mode":
    """The mode of that name; InputError where there is none."""
    from os_deploy.searching import MODES

    for known in MODES:
        if mode == known:
            return known
    raise InputError(f"--mode: found {mode!r}, wanted one of {', '.join(MODES)}")


@grouped
def run(
    name: Name,
    queries: Annotated[Path, typer.Argument(help="queries.jsonl of a BEIR folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The TREC run to write.")],
    *,
    search: Search,
    timing: Annotated[Path | None, typer.Option(help="Also write what a query cost, as JSON.")] = None,
    access: Access,
) -> None:
    """Run a file of queries through OpenSearch into a TREC run."""
    from os_deploy import __version__
    from os_deploy.passages import read_queries, write_run
    from os_deploy.prove.quality import run_queries

    wanted, asked = check_mode(search.mode), read_queries(queries)
    with connect(access.url) as cluster:
        embeddings = read_embeddings(search.dense_queries, asked)
        searcher = make_searcher(cluster, name, access.export, embeddings=embeddings)
        found, cost = run_queries(searcher, asked, mode=wanted, k=search.k)
    write_run(output, found, name=search.mode)
    if timing is not None:
        write_json(timing, cost)
    parameters = {"name": name, "mode": search.mode, "k": search.k}
    made = [Output(path=output, format="run", n_records=sum(map(len, found.values())))]
    Manifest(
        package="os-deploy", package_version=__version__, parameters=parameters, inputs=[queries], outputs=made
    ).write()
    typer.echo(f"{output}: {len(asked)} queries, {cost.query_ms:.2f} ms each")


@grouped
def parity(
    name: Name,
    deployed: Deployed,
    *,
    queries: Annotated[Path | None, typer.Option(help="queries.jsonl; default: titles of passages.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="How many passages and queries to compare.")] = 200,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the findings as JSON here.")] = None,
    url: Url = None,
) -> None:
    """Compare the server with this machine: vectors, query weights, top 10. Exit 1 where they differ."""
    from os_deploy import __version__
    from os_deploy.findings import inspection, write_inspection
    from os_deploy.passages import read_queries
    from os_deploy.prove.proof import prove

    asked = [q.text for q in read_queries(queries)][:texts] if queries else []
    with connect(url) as cluster:
        searcher = make_searcher(cluster, name, deployed.export)
        findings = prove(searcher, **asdict(deployed), queries=asked, n_texts=texts)
    for finding in findings:
        typer.echo(finding.line())
    if output is not None:
        write_inspection(output, inspection(name, findings))
        inputs = [*asdict(deployed).values(), *([queries] if queries else [])]
        made = [Output(path=output, format="inspection")]
        Manifest(package="os-deploy", package_version=__version__, inputs=inputs, outputs=made).write()
    if not all(f.ok for f in findings):
        raise InputError(f"{name}: the server differs from this machine")


@grouped
def bench(
    names: Annotated[list[str], typer.Argument(help="Deployments to compare.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="bench.json; bench.png is drawn beside it.")],
    *,
    asked: Asked,
    measuring: Measuring,
    access: Access,
) -> None:
    """Measure every kind of query that the deployments answer: latency, throughput, bytes, and what it finds.

    A deployment with SEISMIC is compared with one of the same passages that is exact: name both.
    """
    from os_deploy import __version__
    from os_deploy.passages import read_qrels, read_queries
    from os_deploy.prove.bench import Effort, index_size, judge, make_bench, measure
    from os_deploy.prove.plots import draw
    from os_deploy.prove.tables import table

    at_once, k = measuring.at_once(), measuring.k
    queries = read_queries(asked.queries)
    if not queries:
        raise InputError(f"{asked.queries}: found no query, wanted at least one")
    judged = read_qrels(asked.qrels) if asked.qrels else None
    embeddings, texts = read_embeddings(asked.dense_queries, queries), [q.text for q in queries]
    effort = Effort(concurrencies=at_once, n_queries=measuring.n_queries, max_s=measuring.max_seconds, k=k)
    rows = []
    with connect(access.url, n_connections=max(at_once)) as cluster:
        searchers = [make_searcher(cluster, name, access.export, embeddings=embeddings) for name in names]
        indices = [index_size(cluster, searcher.record) for searcher in searchers]
        quality = list(judge(searchers, queries, judged))
        for searcher in searchers:
            for row in measure(searcher, texts, effort):
                typer.echo(f"{row.name} {row.mode} x{row.concurrency}: p50 {row.p50_ms:.2f} ms", err=True)
                rows.append(row)
    found = make_bench(rows, indices, quality, k=k)
    write_json(output, found)
    draw(read_json(output, type(found)), output.with_suffix(".png"))
    parameters = {"names": names, **asdict(measuring)}
    made = [Output(path=output, format="bench"), Output(path=output.with_suffix(".png"), format="png")]
    Manifest(
        package="os-deploy", package_version=__version__, parameters=parameters, inputs=asked.paths(), outputs=made
    ).write()
    for line in table(found):
        typer.echo(line)
