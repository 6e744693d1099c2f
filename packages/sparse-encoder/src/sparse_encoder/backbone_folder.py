"""Folders of masked language models, ours or transformers': config.json and model.safetensors.

What is computed here is written out in `bert.py` and `modernbert.py`; any other architecture is refused by name.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from sparse_encoder._files import InputError, read_json, whole
from sparse_encoder.backbone import Backbone
from sparse_encoder.bert import Bert, BertConfig
from sparse_encoder.modernbert import ModernBert, ModernBertConfig
from sparse_encoder.tokenizer_build import write_tokenizer

KINDS = ("bert", "roberta", "xlm-roberta", "modernbert")
"""`model_type` of the architectures that are computed here."""
OUTPUT_WEIGHTS = ("cls.predictions.decoder.weight", "lm_head.decoder.weight", "decoder.weight")
"""Where transformers keeps the output matrix, if it is not left out for being the word embeddings."""
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def read_backbone(path: Path, *, vocab_size: int = 0) -> Backbone:
    """Reads a masked language model; InputError names an architecture or setting that is not computed here.

    vocab_size: tokens of the tokenizer, where that has fewer than the model: rows padded to a round number, which no
    text can reach, are cut off. 0 keeps all.
    """
    backbone = _built(path / "config.json", vocab_size)
    file = path / "model.safetensors"
    found = read_tensors(file)
    for old, new in OLD_NAMES.items():
        found = {name.replace(old, new): tensor for name, tensor in found.items()}
    names = backbone.saved_names()
    if isinstance(backbone, ModernBert) and "decoder.bias" not in found:
        found["decoder.bias"] = backbone.output_bias().detach()
    missing = sorted(saved for saved in names.values() if saved not in found)
    if missing:
        raise InputError(f"{file}: lacks {missing[0]!r} and {len(missing) - 1} other tensors")
    _refuse_untied(file, backbone, found)
    rows = {name: len(tensor) for name, tensor in backbone.state_dict().items()}
    weights = {name: found[saved].float()[: rows[name]].clone() for name, saved in names.items()}
    backbone.load_state_dict(weights, assign=True)
    for parameter in backbone.parameters():
        parameter.requires_grad_(True)
    return backbone


def _built(file: Path, vocab_size: int) -> Backbone:
    """The model of a config.json, its weights still to come.

    Not on the meta device, where drawing weights imports torch's compiler: four seconds.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; wanted a folder of a masked language model, as transformers saves it")
    kind = read_json(file, _Kind)
    if kind.model_type not in KINDS:
        raise InputError(
            f"{file}: is a {kind.model_type!r}, which is not computed here; wanted one of {', '.join(KINDS)}"
        )
    if kind.hidden_act != "gelu":
        raise InputError(f"{file}: is a {kind.model_type!r} with {kind.hidden_act!r}; wanted gelu")
    if 0 < kind.vocab_size < vocab_size:
        raise InputError(f"{file}: the model has {kind.vocab_size} tokens, fewer than its tokenizer's {vocab_size}")
    if kind.model_type == "modernbert":
        modern = msgspec.structs.replace(read_json(file, ModernBertConfig), decoder_bias=True)
        return ModernBert(msgspec.structs.replace(modern, vocab_size=vocab_size or modern.vocab_size))
    config = read_json(file, BertConfig)
    return Bert(msgspec.structs.replace(config, vocab_size=vocab_size or config.vocab_size))


def _refuse_untied(file: Path, backbone: Backbone, found: dict[str, Tensor]) -> None:
    words = next(saved for name, saved in backbone.saved_names().items() if _is_words(name))
    for name in OUTPUT_WEIGHTS:
        if name in found and not found[name].equal(found[words]):
            raise InputError(f"{file}: {name!r} is not the word embeddings; wanted a model whose embeddings are tied")


def _is_words(name: str) -> bool:
    return name.endswith(("word_embeddings.weight", "tok_embeddings.weight"))


class _Kind(msgspec.Struct, kw_only=True):
    model_type: str
    vocab_size: int = 0
    hidden_act: str = "gelu"


def write_backbone(
    backbone: Backbone, tokenizer: Tokenizer, path: Path, *, max_tokens: int, extra: Mapping[str, str] = {}
) -> None:
    """Writes a folder that `AutoModelForMaskedLM` and `model.start_from` take; `extra` are further text files."""
    with whole(path) as part:
        part.mkdir(parents=True)
        write_parts(backbone, tokenizer, part, max_tokens=max_tokens)
        for name, text in extra.items():
            (part / name).write_text(text, encoding="utf-8")


def write_parts(backbone: Backbone, tokenizer: Tokenizer, folder: Path, *, max_tokens: int) -> None:
    """Writes config, weights and tokenizer into an existing folder."""
    config = json.dumps(backbone.saved_config(), ensure_ascii=False, indent=2) + "\n"
    (folder / "config.json").write_text(config, encoding="utf-8")
    save_file(backbone_weights(backbone), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    write_tokenizer(tokenizer, folder, max_tokens=max_tokens)


def widened(backbone: Backbone, rows: Tensor, bias: Tensor) -> Backbone:
    """The model with more tokens: `rows` (new, width) after its word embeddings and `bias` (new) after its bias."""
    added = {id(backbone.output_weight()): rows, id(backbone.output_bias()): bias}
    n_tokens = len(backbone.output_bias()) + len(bias)
    if isinstance(backbone, ModernBert):
        wide: Backbone = ModernBert(msgspec.structs.replace(backbone.config, vocab_size=n_tokens))
    elif isinstance(backbone, Bert):
        wide = Bert(msgspec.structs.replace(backbone.config, vocab_size=n_tokens))
    else:
        raise TypeError(f"{type(backbone).__name__} has no known configuration")
    with torch.no_grad():
        for (_, old), new in zip(backbone.named_parameters(), wide.parameters(), strict=True):
            new.copy_(torch.cat([old, added[id(old)]]) if id(old) in added else old)
    return wide


def backbone_weights(backbone: Backbone) -> dict[str, Tensor]:
    """The tensors of transformers' `model.safetensors`."""
    names = backbone.saved_names()
    return {names[name]: tensor.detach().contiguous().cpu() for name, tensor in backbone.state_dict().items()}


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Reads a safetensors file; InputError where it is none."""
    if not file.exists() and file.with_name("pytorch_model.bin").exists():
        raise InputError(
            f"{file}: no such file, only a pickle, which is not read here; save the model again with "
            f"transformers' save_pretrained"
        )
    if not file.exists() and file.with_name(f"{file.name}.index.json").exists():
        raise InputError(f"{file}: the weights are in several files; save them in one: save_pretrained(max_shard_size)")
    try:
        found: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file}: is not a safetensors file: {error}") from error
    return found
