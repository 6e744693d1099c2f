"""The commands that make a trained model ready for others."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sparse_encoder._files import Manifest, Output

ModelFolder = Annotated[Path, typer.Argument(help="A model folder, as train writes it.")]


def shrink(
    model: ModelFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    largest_mb: Annotated[float, typer.Option(min=0, help="Refuse a folder above so many million bytes.")] = 24.0,
) -> None:
    """Writes the model in fp16, to ship: it loads and computes in fp32 wherever it loaded before."""
    from sparse_encoder.shrinking import shrink

    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"dtype": "fp16", "largest_mb": largest_mb},
        inputs=[model],
        outputs=[Output(path=output, format="model")],
    )
    done = shrink(model, output, largest_bytes=round(largest_mb * 1e6))
    manifest.write()
    typer.echo(
        f"{done.n_bytes / 1e6:.1f} MB of {done.n_bytes_before / 1e6:.1f}, weights rounded by at most "
        f"{done.largest_rounding:.1e} of themselves: {output}",
        err=True,
    )
