"""The command line `os-deploy`.

Commands import what they need when they run, so that `--help` answers at once.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from os_deploy._files import InputError, Manifest, Output, exit_on_error
from os_deploy._options import grouped
from os_deploy.options import Access, ModeName, Name, Url, connect, make_searcher
from os_deploy.prove import cli as prove_cli
from os_deploy.server import cli as server_cli

if TYPE_CHECKING:
    from os_deploy.cluster import Cluster
    from os_deploy.removal import Removal

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)
app.add_typer(server_cli.app, name="server")
prove_cli.add_to(app)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What later versions are held to."""

    queries: Annotated[Path | None, typer.Option(help="Judged queries.")] = None
    qrels: Annotated[Path | None, typer.Option(help="Their judgements (BEIR).")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown."""

    k: Annotated[int, typer.Option("-k", min=1, help="How many passages.")] = 10
    explain: Annotated[bool, typer.Option(help="Also show the text and what each matching term adds.")] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False


@app.callback()
def os_deploy() -> None:
    """Put a sparse model and a corpus into OpenSearch and prove that it serves.

    The cluster is the recipe's, --url's or OPENSEARCH_URL's; who we are comes from OPENSEARCH_USER and
    OPENSEARCH_PASSWORD or OPENSEARCH_CREDENTIALS_FILE, trust from OPENSEARCH_CA_FILE or OPENSEARCH_FINGERPRINT.
    """


@app.command()
def check(
    deploy_dir: Annotated[Path, typer.Argument(help="What `sparse-encoder export` wrote.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the findings as JSON here.")] = None,
) -> None:
    """Check an export folder without a cluster: one line a finding, exit 1 where something fails."""
    from os_deploy import __version__
    from os_deploy.checks import check_folder
    from os_deploy.findings import inspection, write_inspection

    findings = check_folder(deploy_dir)
    for finding in findings:
        typer.echo(finding.line())
    if output is not None:
        write_inspection(output, inspection(deploy_dir.name, findings))
        made = Output(path=output, format="inspection")
        Manifest(package="os-deploy", package_version=__version__, inputs=[deploy_dir], outputs=[made]).write()
    n_failed = sum(not f.ok for f in findings)
    if n_failed:
        raise InputError(f"{deploy_dir}: {n_failed} of {len(findings)} checks failed")


@app.command()
@grouped
def init(
    export: Annotated[Path, typer.Argument(help="What `sparse-encoder export` wrote.")],
    passages: Annotated[Path, typer.Option(help="The BEIR folder to search in.")],
    vectors: Annotated[Path | None, typer.Option(help="The passages' vectors; the server encodes otherwise.")] = None,
    *,
    judged: Judged,
    name: Annotated[str, typer.Option(help="Of the deployment; default: the folder that the export lies in.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: deploy.yaml beside it.")] = None,
) -> None:
    """Write a deploy.yaml for an export, ready to deploy; one that is there is left alone."""
    from os_deploy._files import write_text
    from os_deploy.draft import Draft, Gate, index_alias

    path = output or export.resolve().parent / "deploy.yaml"
    if path.exists():
        raise InputError(f"{path}: there already, wanted none: it may have been changed, so write another with -o")
    if (judged.queries is None) != (judged.qrels is None):
        raise InputError("--queries, --qrels: found one of them, wanted both or none")
    gate = Gate(queries=judged.queries, qrels=judged.qrels) if judged.queries and judged.qrels else None
    alias = index_alias(name or export.resolve().parent.name)
    draft = Draft(export=export, passages=passages, vectors=vectors, name=alias, gate=gate)
    write_text(path, draft.text(path))
    typer.echo(f"{path}: next: os-deploy deploy {path}")


@app.command()
def deploy(
    recipe: Annotated[Path, typer.Argument(help="deploy.yaml")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write what was done as JSON.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for progress; default: beside the recipe.")] = None,
    may_fix: Annotated[
        bool, typer.Option("--fix-settings", help="Change cluster settings that are in the way.")
    ] = False,
    url: Url = None,
) -> None:
    """Deploy a recipe: check, upload models, build the index, prove it, and only then move the alias to it.

    Run again after a failure it goes on; run again after success it changes nothing.
    """
    import msgspec

    from os_deploy import __version__
    from os_deploy._files import claim_work, clear_work, write_json
    from os_deploy.deployment import Deployer, work_folder
    from os_deploy.recipe import read_recipe

    read = read_recipe(recipe)
    place = work or work_folder(recipe, read.name)
    with connect(url or read.url, n_connections=read.ingest.workers + 1) as cluster:
        claim_work(place)
        deployer = Deployer(cluster=cluster, recipe=read, work=place, may_fix_settings=may_fix, report=_log)
        done = deployer.run()
    for finding in done.proof:
        typer.echo(finding.line())
    typer.echo(f"{done.name} is {done.index}: {done.n_passages} passages, {done.n_sent} sent now")
    if output is not None:
        write_json(output, done)
        parameters = msgspec.to_builtins(read)
        inputs = [Path(p) for p in (read.export, read.passages, read.vectors) if p]
        made = [Output(path=output, format="deployment")]
        Manifest(
            package="os-deploy",
            package_version=__version__,
            parameters=parameters,
            inputs=[recipe, *inputs],
            outputs=made,
        ).write()
    clear_work(place)


@app.command()
@grouped
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    *,
    name: Annotated[str | None, typer.Option(help="The deployment; may be left out where there is one.")] = None,
    mode: ModeName = "sparse",
    shown: Shown,
    access: Access,
) -> None:
    """Search a deployment."""
    import msgspec

    wanted = prove_cli.check_mode(mode)
    with connect(access.url) as cluster:
        searcher = make_searcher(cluster, name, access.export)
        results = searcher.search(text, mode=wanted, k=shown.k, explain=shown.explain)
    for rank, result in enumerate(results, start=1):
        if shown.as_json:
            typer.echo(msgspec.json.encode(result).decode())
            continue
        typer.echo(f"{rank:>3}  {result.score:9.4f}  {result.doc_id}  {result.title}")
        if shown.explain:
            typer.echo(f"     {result.text}")
            typer.echo("     " + ", ".join(f"{term} {weight:.3f}" for term, weight in result.terms.items()))


@app.command()
def versions(name: Name, url: Url = None) -> None:
    """List the versions of a deployment and which of them serves."""
    from os_deploy.removal import list_versions

    with connect(url) as cluster:
        for version in list_versions(cluster, name):
            state = "serves" if version.serves else "complete" if version.complete else "unfinished"
            typer.echo(f"{version.version:>4}  {version.index}  {version.n_passages} passages  {state}")


@app.command()
def rollback(
    name: Name,
    to: Annotated[int | None, typer.Option(help="Which version; default: the one before.")] = None,
    url: Url = None,
) -> None:
    """Let an earlier version serve again, in one atomic call."""
    from os_deploy.versions import roll_back

    with connect(url) as cluster:
        typer.echo(f"{name} is served by {roll_back(cluster, name, to=to).index}")


@app.command()
def prune(
    name: Name,
    keep: Annotated[int, typer.Option(min=0, help="Complete versions to keep beside the one that serves.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = None,
) -> None:
    """Delete old versions, after naming what goes."""
    from os_deploy.removal import plan_prune
    from os_deploy.versions import old_versions

    with connect(url) as cluster:
        _remove(cluster, plan_prune(cluster, old_versions(cluster, name, keep=keep)), yes=yes)


@app.command()
def remove(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, url: Url = None
) -> None:
    """Undo a deployment: its indices, pipelines and models, after naming them. What others use stays."""
    from os_deploy.removal import plan_removal

    with connect(url) as cluster:
        _remove(cluster, plan_removal(cluster, name), yes=yes)


@app.command()
def role(
    name: Name,
    reader: Annotated[bool, typer.Option("--reader", help="Of who only searches.")] = False,
    may_fix: Annotated[bool, typer.Option("--fix-settings", help="With the right to change cluster settings.")] = False,
) -> None:
    """Print the rights that deploying NAME needs, and no more, as a role of the security plugin."""
    import json

    from os_deploy.roles import deployer_role, reader_role

    typer.echo(json.dumps(reader_role(name) if reader else deployer_role(name, fix_settings=may_fix), indent=2))


def _remove(cluster: "Cluster", plan: "Removal", *, yes: bool) -> None:
    from os_deploy.removal import remove as delete

    lines = plan.lines()
    for line in lines or ["nothing to delete"]:
        typer.echo(line)
    if lines and not yes and not typer.confirm("delete these?"):
        raise InputError("nothing was deleted")
    delete(cluster, plan)


def _log(line: str) -> None:
    typer.echo(line, err=True)


def main() -> None:
    """Runs the command line."""
    # without a handler Python prints opensearch-py's warnings, which repeat our own errors
    logging.getLogger("opensearch").addHandler(logging.NullHandler())
    exit_on_error(app)
