"""The commands `os-deploy server ...`."""

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from os_deploy._files import InputError
from os_deploy._options import grouped

app = typer.Typer(no_args_is_help=True, help="A real OpenSearch for development and tests, without Docker or Java.")

Name = Annotated[str, typer.Option("--name", help="Which server, where there are several.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """What is started."""

    port: Annotated[int, typer.Option(help="HTTP port of the first node.")] = 9200
    heap: Annotated[str, typer.Option(help="Java heap of each node.")] = "1g"
    nodes: Annotated[int, typer.Option(help="How many nodes.")] = 1
    quick: Annotated[bool, typer.Option(help="Start sooner, run slower: not for benchmarks.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What it can do."""

    models: Annotated[bool, typer.Option(help="With ML Commons, for models on the server (x86_64 Linux).")] = True
    security: Annotated[bool, typer.Option(help="With TLS and users, for trying clients.")] = False
    setting: Annotated[list[str] | None, typer.Option(help="One more line of opensearch.yml: name=value.")] = None


@app.command()
@grouped
def start(nodes: Nodes, abilities: Abilities, name: Name = "default") -> None:
    """Assemble the server where needed, start it in the background and print its address when it is ready."""
    from os_deploy.server.process import start as start_server
    from os_deploy.server.spec import ServerSpec, server_folder

    url = os.environ.get("OPENSEARCH_URL")
    if url:
        raise InputError(f"OPENSEARCH_URL is set to {url}: that cluster is used, and none is started: unset it first")
    spec = ServerSpec(
        port=nodes.port,
        heap=nodes.heap,
        n_nodes=nodes.nodes,
        quick=nodes.quick,
        models=abilities.models,
        security=abilities.security,
        settings=tuple(abilities.setting or ()),
    )
    server = start_server(spec, server_folder(name))
    if abilities.models and not server.models:
        typer.echo(
            "models on the server run on x86_64 Linux only; vectors made by the client and query_tokens work", err=True
        )
    if server.security:
        typer.echo(f"export OPENSEARCH_CA_FILE={server.ca_file}", err=True)
        typer.echo(f"export OPENSEARCH_CREDENTIALS_FILE={server.credentials_file}", err=True)
    typer.echo(server.url)


@app.command()
def stop(name: Name = "default") -> None:
    """Stop the server; its indices stay for the next start."""
    from os_deploy.server.process import stop as stop_server
    from os_deploy.server.spec import server_folder

    typer.echo("stopped" if stop_server(server_folder(name)) else "not running")


@app.command()
def status(name: Name = "default") -> None:
    """Print where the server answers, or that it does not: exit 1 then."""
    from os_deploy.server.process import find
    from os_deploy.server.spec import server_folder

    server = find(server_folder(name))
    if server is None:
        typer.echo("not running")
        raise typer.Exit(1)
    typer.echo(f"running at {server.url}, process {', '.join(map(str, server.pids))}")


@app.command()
def logs(
    name: Name = "default",
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines of each node.")] = 50,
) -> None:
    """Print the last lines that each node wrote."""
    from os_deploy.server.process import log_tail
    from os_deploy.server.spec import server_folder

    for line in log_tail(server_folder(name), lines):
        typer.echo(line)
