"""The settings of pretraining: masked language modelling on passages, before any pair is seen."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sparse_encoder._files import InputError
from sparse_encoder.hub import start_folder
from sparse_encoder.recipe import Count, Length, Number, Positive, Share, Weight
from sparse_encoder.settings import read_settings

Masked = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class PretrainedModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is pretrained."""

    size: Literal["tiny", "small", "medium", "base"] = "tiny"
    """From scratch: tiny 2x128, small 3x256, medium 6x384, base 12x768."""
    start_from: str = ""
    """Instead of from scratch: a folder or a name on the hub, as in `train`."""
    tokenizer: str = ""
    """Left out with `start_from`, it is that model's own."""
    max_tokens: Length = 256
    """Tokens that the model has positions for."""


class WeakDecoder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """RetroMAE's second loss: one layer rebuilds a text of which little is left from the first token's state."""

    weight: Weight = 0.0
    """0 leaves it out."""
    mask: Masked = 0.5
    """Share of the text's morphemes that the decoder does not see."""


class Pretraining(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a pretraining run."""

    model: PretrainedModel = PretrainedModel()
    passages: list[str]
    """BEIR folders or JSON Lines files of passages."""
    parallel: str = ""
    """Korean and English sentences, joined into one text each, so that either explains the other's masked words."""
    parallel_share: Share = 0.25
    """Share of the batches made of them, if there are any."""
    tokens: Annotated[int, msgspec.Meta(ge=8)] = 128
    """Longer passages are cut into runs of so many tokens."""
    mask: Masked = 0.3
    """Share of a text's morphemes that are to be told; of these 80 % are masked, 10 % replaced, 10 % left."""
    whole_morphemes: bool = True
    """Whether all tokens of a morpheme are masked together; kiwi is needed then, and the first reading takes longer."""
    decoder: WeakDecoder = WeakDecoder()
    steps: Number = 1000
    batch: Number = 32
    """Texts a step."""
    learning_rate: Positive = 1e-3
    warmup: Share = 0.06
    """Share of the steps over which the rate grows; after it the rate falls linearly to 0."""
    weight_decay: Weight = 0.01
    clip: Positive = 1.0
    """Largest norm of a gradient."""
    precision: Literal["fp32", "bf16", "auto"] = "auto"
    """auto: bf16 products where the device has them, fp32 elsewhere."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: a CUDA GPU where there is one."""
    held_out: Count = 256
    """Texts kept for validation, at most one in twenty; 0 keeps none."""
    evaluate_every: Count = 0
    """Steps between evaluations on them; 0 evaluates once, at the end."""
    checkpoint_every: Number = 100
    seed: int = 42


def read_pretraining(path: Path) -> Pretraining:
    """Reads the YAML settings; paths in them are relative to their own folder and become absolute."""
    settings = read_settings(path, Pretraining)
    folder = path.resolve().parent
    if not settings.passages:
        raise InputError(f"{path}: 'passages' is empty; wanted at least one file or folder of passages")
    model = settings.model
    start = str(start_folder(model.start_from, beside=folder)) if model.start_from else ""
    tokenizer = str(folder / model.tokenizer) if model.tokenizer else start
    if not tokenizer:
        raise InputError(f"{path}: 'model.tokenizer' is missing; wanted what `sparse-encoder tokenizer build` writes")
    if settings.tokens > model.max_tokens:
        raise InputError(f"{path}: 'tokens' is {settings.tokens}, more than 'model.max_tokens', {model.max_tokens}")
    return msgspec.structs.replace(
        settings,
        model=msgspec.structs.replace(model, tokenizer=tokenizer, start_from=start),
        passages=[str(folder / name) for name in settings.passages],
        parallel=str(folder / settings.parallel) if settings.parallel else "",
    )


def pretraining_inputs(settings: Pretraining) -> list[Path]:
    """The files that a pretraining run reads."""
    return list(pretraining_files(settings).values())


def pretraining_files(settings: Pretraining) -> dict[str, Path]:
    """They by the setting that names them."""
    named = {f"passages[{i}]": name for i, name in enumerate(settings.passages)}
    named |= {
        "parallel": settings.parallel,
        "model.tokenizer": settings.model.tokenizer,
        "model.start_from": settings.model.start_from,
    }
    return {name: Path(path) for name, path in named.items() if path}
