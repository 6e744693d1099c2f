"""The commands `train` and `curve`: a recipe to a model, and its history to a picture."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparse_encoder._files import InputError, Manifest, Output, claim_work, clear_work, write_text
from sparse_encoder._options import grouped
from sparse_encoder.output_folder import check_output_folder

if TYPE_CHECKING:
    from sparse_encoder.monitors import Monitor
    from sparse_encoder.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is written beside the model."""

    work: Annotated[Path | None, typer.Option(help="Folder for checkpoints; default beside the output.")] = None
    history: Annotated[Path | None, typer.Option(help="A second place for training_history.json.")] = None
    curve: Annotated[Path | None, typer.Option(help="Also draw the history as a PNG; wants matplotlib.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is taken instead of the recipe's."""

    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None
    target_active_terms: Annotated[int | None, typer.Option(min=1, help="Terms of a document to hold.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Where to watch it."""

    tensorboard: Annotated[
        bool | None, typer.Option(help="Curves in OUTPUT.tensorboard; default where it is installed.")
    ] = None
    wandb: Annotated[str, typer.Option(help="Project of Weights & Biases to log to.")] = ""


@grouped
def train(
    recipe: Annotated[Path, typer.Argument(help="YAML; its paths are relative to its own folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    *,
    beside: Beside,
    changed: Changed,
    watching: Watching,
) -> None:
    """Trains a model by a recipe; killed and called again, it goes on and ends with the same bytes.

    On several GPUs: torchrun --nproc-per-node 4 -m sparse_encoder train recipe.yaml -o model
    """
    import msgspec

    from sparse_encoder.allocation import spare_pages

    spare_pages()
    from sparse_encoder.material import inputs
    from sparse_encoder.recipe import read_recipe

    instead = {name: value for name, value in asdict(changed).items() if value is not None}
    settings = msgspec.structs.replace(read_recipe(recipe), **instead)
    check_output_folder(output, inputs=[recipe, *inputs(settings)])
    try:
        monitors = _monitors(output, watching)
        if beside.curve:
            from sparse_encoder.curve import require_matplotlib

            require_matplotlib()
    except ImportError as error:
        raise InputError(f"{error}; nothing was trained") from error
    _train(settings, recipe, output, beside, monitors)


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


def _monitors(output: Path, watching: Watching) -> "list[Monitor]":
    """TensorBoard where it is asked for or installed, and Weights & Biases where a project is named."""
    from sparse_encoder.monitors import TensorBoard, WeightsAndBiases, has_tensorboard
    from sparse_encoder.processes import is_first_process

    if not is_first_process():
        return []
    found: list[Monitor] = []
    if watching.tensorboard or (watching.tensorboard is None and has_tensorboard()):
        found.append(TensorBoard(output.with_name(f"{output.name}.tensorboard")))
    if watching.wandb:
        beside = output.with_name(f"{output.name}.wandb")
        found.append(WeightsAndBiases(watching.wandb, folder=beside, name=output.name))
    return found


def _train(settings: "Recipe", recipe: Path, output: Path, beside: Beside, monitors: "list[Monitor]") -> None:
    from sparse_encoder.history import history_text
    from sparse_encoder.model_folder import write_model
    from sparse_encoder.processes import is_first_process
    from sparse_encoder.settings import naming
    from sparse_encoder.training import inputs, to_stderr, train

    work = beside.work or output.with_name(f".{output.name}.work")
    outputs = [Output(path=output, format="model")]
    if beside.history:
        outputs.append(Output(path=beside.history, format="training_history"))
    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"recipe": settings},
        seed=settings.seed,
        inputs=[recipe, *inputs(settings)],
        outputs=outputs,
    )
    claim_work(work)
    with ExitStack() as stack, naming(recipe):
        for monitor in monitors:
            stack.callback(monitor.close)
        trained = train(settings, work=work, log=to_stderr, monitors=monitors)
    if not is_first_process():
        return
    text = history_text(trained.history)
    write_model(trained.model, output, extra={"training_history.json": text})
    if beside.history:
        write_text(beside.history, text)
    if beside.curve:
        from sparse_encoder.curve import draw_curve

        draw_curve(trained.history, beside.curve)
    manifest.write()
    clear_work(work)
