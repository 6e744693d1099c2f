"""The commands that make a trained model ready for others."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sparse_encoder._files import Manifest, Output, manifest_path, read_json, sha256, write_json, write_text

ModelFolder = Annotated[Path, typer.Argument(help="A model folder, as train writes it.")]


def shrink(
    model: ModelFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    largest_mb: Annotated[float, typer.Option(min=0, help="Refuse a folder above so many million bytes.")] = 24.0,
) -> None:
    """Writes the model in fp16, to ship: it loads and computes in fp32 wherever it loaded before."""
    from sparse_encoder.origin import read_origin
    from sparse_encoder.shrinking import shrink

    origin = read_origin(model)
    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"dtype": "fp16", "largest_mb": largest_mb} | ({"made_from": origin} if origin else {}),
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


def card(
    model: ModelFolder,
    about: Annotated[Path, typer.Option(help="YAML: name, summary, license, data, limits.")],
    metrics: Annotated[list[str], typer.Option(metavar="SET=METRICS.JSON", help="Of sparse-eval; repeatable.")] = [],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default README.md in the model.")] = None,
) -> None:
    """Writes the model card with the hub's metadata, from the folder, its manifest, metrics and what people say."""
    from sparse_encoder.card import card, read_about, read_metrics

    pairs = [pair.partition("=") for pair in metrics]
    if any(not name or not path for name, _, path in pairs):
        raise typer.BadParameter("--metrics wants SET=METRICS.JSON, such as welfare=metrics.json")
    text = card(model, read_about(about), {name: read_metrics(Path(path)) for name, _, path in pairs})
    place = output or model / "README.md"
    write_text(place, text)
    if place.resolve().parent == model.resolve():
        _tell_manifest(model)
    typer.echo(f"{place}", err=True)


def _tell_manifest(model: Path) -> None:
    """Gives the manifest beside the folder the folder's hash with the card in it."""
    from sparse_encoder.origin import Origin

    path = manifest_path(model)
    if not path.is_file():
        return
    manifest, outputs = read_json(path, dict[str, object]), read_json(path, Origin).outputs
    found = sha256(model)
    changed = [{**o, "sha256": found} if o.get("path") == model.name else o for o in outputs]
    write_json(path, {**manifest, "outputs": changed})


def push(
    model: ModelFolder,
    repository: Annotated[str, typer.Argument(help="On the hub: owner/name.")],
    private: Annotated[bool, typer.Option(help="Make the repository private if it is new.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the files that would go, and send nothing.")] = False,
) -> None:
    """Uploads a model with its card; the token is HF_TOKEN of the environment, another hub is HF_ENDPOINT."""
    from sparse_encoder.pushing import check_repository, files_to_push, push

    check_repository(repository)
    if dry_run:
        for file in files_to_push(model):
            typer.echo(f"{file.stat().st_size:>12,}  {file.relative_to(model).as_posix()}")
        return
    typer.echo(push(model, repository, private=private))
