"""The command that makes a masked language model for `train` to start from."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from sparse_encoder._files import Manifest, Output, claim_work, clear_work
from sparse_encoder.output_folder import check_output_folder


def pretrain(
    recipe: Annotated[Path, typer.Argument(help="YAML; its paths are relative to its own folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    work: Annotated[Path | None, typer.Option(help="Folder for checkpoints; default beside the output.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
) -> None:
    """Pretrains a masked language model on passages; killed and called again, it ends with the same bytes."""
    import sys

    import msgspec

    from sparse_encoder.allocation import spare_pages

    spare_pages()
    from sparse_encoder.backbone_folder import write_backbone
    from sparse_encoder.history import history_text
    from sparse_encoder.pretraining import pretrain
    from sparse_encoder.pretraining_recipe import pretraining_inputs, read_pretraining
    from sparse_encoder.settings import naming

    settings = read_pretraining(recipe)
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    check_output_folder(output, inputs=[recipe, *pretraining_inputs(settings)])
    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"recipe": settings},
        seed=settings.seed,
        inputs=[recipe, *pretraining_inputs(settings)],
        outputs=[Output(path=output, format="backbone")],
    )
    checkpoints = work or output.with_name(f".{output.name}.work")
    claim_work(checkpoints)
    with naming(recipe):
        found = pretrain(settings, work=checkpoints, log=lambda line: print(line, file=sys.stderr, flush=True))
    write_backbone(
        found.backbone,
        found.vocabulary.tokenizer,
        output,
        max_tokens=settings.model.max_tokens,
        extra={"training_history.json": history_text(found.history)},
    )
    manifest.write()
    clear_work(checkpoints)
