"""The command line: `sparse-mining index | search | fuse | embed | mine | score | check | stats`.

Commands import what they need when they run, so that `--help` is quick.
"""

import typer

from sparse_mining import cli_embed, cli_mining, cli_search, cli_training
from sparse_mining._files import exit_on_error

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False)
app.command()(cli_search.index)
app.command()(cli_search.search)
app.command()(cli_search.fuse)
app.command()(cli_embed.embed)
app.command()(cli_mining.mine)
app.command()(cli_training.score)
app.command()(cli_training.check)
app.command()(cli_training.stats)


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)
