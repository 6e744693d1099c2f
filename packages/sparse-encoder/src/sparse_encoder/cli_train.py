"""The commands `train` and `curve`: a recipe to a model, and its history to a picture."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparse_encoder._files import InputError, Manifest, Output, write_text

if TYPE_CHECKING:
    from sparse_encoder.monitors import Monitor
    from sparse_encoder.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run writes."""

    output: Path
    work: Path
    history: Path | None
    curve: Path | None


def train(
    recipe: Annotated[Path, typer.Argument(help="YAML; its paths are relative to its own folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    work: Annotated[Path | None, typer.Option(help="Folder for checkpoints; default beside the output.")] = None,
    history: Annotated[Path | None, typer.Option(help="A second place for training_history.json.")] = None,
    curve: Annotated[Path | None, typer.Option(help="Also draw the history as a PNG; wants matplotlib.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    target_active_terms: Annotated[
        int | None, typer.Option(min=1, help="Instead of the recipe's: terms of a document to hold.")
    ] = None,
    tensorboard: Annotated[
        bool | None, typer.Option(help="Curves in OUTPUT.tensorboard; default where it is installed.")
    ] = None,
    wandb: Annotated[str, typer.Option(help="Project of Weights & Biases to log to.")] = "",
) -> None:
    """Trains a model by a recipe; killed and called again, it goes on and ends with the same bytes.

    On several GPUs: torchrun --nproc-per-node 4 -m sparse_encoder train recipe.yaml -o model
    """
    import msgspec

    from sparse_encoder.recipe import read_recipe

    settings = read_recipe(recipe)
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    if target_active_terms is not None:
        settings = msgspec.structs.replace(settings, target_active_terms=target_active_terms)
    folder = work or output.with_name(f".{output.name}.work")
    places = Places(output=output, work=folder, history=history, curve=curve)
    try:
        monitors = _monitors(output, tensorboard=tensorboard, project=wandb)
        if curve:
            from sparse_encoder.curve import require_matplotlib

            require_matplotlib()
    except ImportError as error:
        raise InputError(f"{error}; nothing was trained") from error
    _train(settings, recipe, places, monitors)


def curve(
    history: Annotated[Path, typer.Argument(help="training_history.json, which a model folder holds.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")],
) -> None:
    """Draws a training history: loss, nDCG@10, active terms and learning rate."""
    from sparse_encoder.curve import draw_curve
    from sparse_encoder.history import read_history

    try:
        draw_curve(read_history(history / "training_history.json" if history.is_dir() else history), output)
    except ImportError as error:
        raise InputError(str(error)) from error


def _monitors(output: Path, *, tensorboard: bool | None, project: str) -> "list[Monitor]":
    """TensorBoard where it is asked for or installed, and Weights & Biases where a project is named."""
    from sparse_encoder.monitors import TensorBoard, WeightsAndBiases, has_tensorboard
    from sparse_encoder.processes import is_first_process

    if not is_first_process():
        return []
    found: list[Monitor] = []
    if tensorboard or (tensorboard is None and has_tensorboard()):
        found.append(TensorBoard(output.with_name(f"{output.name}.tensorboard")))
    if project:
        found.append(WeightsAndBiases(project, folder=output.with_name(f"{output.name}.wandb"), name=output.name))
    return found


def _train(settings: "Recipe", recipe: Path, places: Places, monitors: "list[Monitor]") -> None:
    from sparse_encoder.history import history_text
    from sparse_encoder.model_folder import write_model
    from sparse_encoder.processes import is_first_process
    from sparse_encoder.training import inputs, to_stderr, train

    outputs = [Output(path=places.output, format="model")]
    if places.history:
        outputs.append(Output(path=places.history, format="training_history"))
    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"recipe": settings},
        seed=settings.seed,
        inputs=[recipe, *inputs(settings)],
        outputs=outputs,
    )
    with ExitStack() as stack:
        for monitor in monitors:
            stack.callback(monitor.close)
        trained = train(settings, work=places.work, log=to_stderr, monitors=monitors)
    if not is_first_process():
        return
    text = history_text(trained.history)
    write_model(trained.model, places.output, extra={"training_history.json": text})
    if places.history:
        write_text(places.history, text)
    if places.curve:
        from sparse_encoder.curve import draw_curve

        draw_curve(trained.history, places.curve)
    manifest.write()
    shutil.rmtree(places.work, ignore_errors=True)
