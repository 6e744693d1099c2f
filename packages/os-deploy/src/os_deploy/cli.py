"""The command line `os-deploy`.

Commands import what they need when they run, so that `--help` answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from os_deploy._files import InputError, Manifest, Output, exit_on_error
from os_deploy.server import commands

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)
app.add_typer(commands.app, name="server")


@app.callback()
def os_deploy() -> None:
    """Put a sparse model and a corpus into OpenSearch and prove that it serves."""


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


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)
