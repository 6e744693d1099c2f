"""A trained model as a sentence-transformers `SparseEncoder` directory, written and read without importing it.

sentence-transformers takes fourteen seconds to import and the folder is a few small JSON files and safetensors, so
they are written here; a test loads the folder with plain `SparseEncoder(path)` and compares every weight.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import msgspec
import torch
from safetensors.torch import save_file
from torch import Tensor

from sparse_encoder._files import InputError, read_json, whole
from sparse_encoder.backbone import Backbone
from sparse_encoder.backbone_folder import read_backbone, read_tensors, write_parts
from sparse_encoder.head import Activation
from sparse_encoder.layouts import (
    INFERENCE_FREE,
    ONE_ENCODER,
    TRANSFORMER_CONFIG,
    TWO_ENCODERS,
    Layout,
    layout_of,
    module_configs,
)
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.limits import read_max_active_terms, read_max_tokens
from sparse_encoder.tokenizer_build import write_tokenizer
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseModel:
    """What a model folder holds: document side, query side, tokenizer and limits."""

    bert: Backbone
    idf: Tensor
    """(vocab), the weight of each token in a query; where queries have an encoder, 0 for special tokens and 1 else."""
    vocabulary: Vocabulary
    max_tokens: int
    max_active_terms: int
    lexical: LexicalChannel | None = None
    query: Backbone | None = None
    """What encodes queries: None where they are bags of tokens, `bert` itself where one network encodes both."""
    activation: Activation = "log1p"
    trained_idf: bool = False
    """Whether the weights of the tokens in a query were trained, not counted."""

    @property
    def layout(self) -> Layout:
        """Where the folder keeps its modules."""
        if self.query is None:
            return INFERENCE_FREE
        return ONE_ENCODER if self.query is self.bert else TWO_ENCODERS


def write_model(model: SparseModel, path: Path, *, extra: Mapping[str, str] = {}) -> None:
    """Writes the folder whole; `extra` are further text files by name, such as a model card."""
    layout = model.layout
    with whole(path) as part:
        for folder in (layout.document, layout.pooling, layout.query, layout.query_pooling):
            (part / folder).mkdir(parents=True, exist_ok=True)
        for name, value in _configs(model).items():
            (part / name).write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        _write_network(model, model.bert, part / layout.document)
        if model.query is None:
            write_tokenizer(model.vocabulary.tokenizer, part / layout.query, max_tokens=model.max_tokens)
            weights = {"weight": model.idf.detach().contiguous().cpu()}
            save_file(weights, part / layout.query / "model.safetensors", metadata={"format": "pt"})
        elif model.query is not model.bert:
            _write_network(model, model.query, part / layout.query)
        if model.lexical is not None:
            _write_lexical(model.lexical, part, layout.lexical)
        for name, text in extra.items():
            (part / name).write_text(text, encoding="utf-8")
        for file in part.rglob("*.safetensors"):
            file.chmod(0o644)


def _write_network(model: SparseModel, network: Backbone, folder: Path) -> None:
    write_parts(network, model.vocabulary.tokenizer, folder, max_tokens=model.max_tokens)
    config = json.dumps(TRANSFORMER_CONFIG, ensure_ascii=False, indent=2) + "\n"
    (folder / "sentence_bert_config.json").write_text(config, encoding="utf-8")


def _write_lexical(lexical: LexicalChannel, part: Path, folder: str) -> None:
    """The channel's weights, and its module's source at the root, where `trust_remote_code=True` looks for it."""
    (part / folder).mkdir()
    weights = {name: tensor.detach().contiguous().cpu() for name, tensor in lexical.state_dict().items()}
    save_file(weights, part / folder / "model.safetensors", metadata={"format": "pt"})
    config = json.dumps({"vocab_size": len(lexical.gate)}, indent=2) + "\n"
    (part / folder / "config.json").write_text(config, encoding="utf-8")
    source = files("sparse_encoder").joinpath("carried/lexical_channel.py").read_text(encoding="utf-8")
    (part / "lexical_channel.py").write_text(source, encoding="utf-8")


def _configs(model: SparseModel) -> dict[str, object]:
    layout = model.layout
    function = ACTIVATION_FUNCTIONS[model.activation]
    pooling = {"pooling_strategy": "max", "activation_function": function, "embedding_dimension": None}
    versions = {"sentence_transformers": version("sentence-transformers"), "pytorch": version("torch")}
    encoder = {
        "__version__": {**versions, "transformers": version("transformers")},
        "default_prompt_name": None,
        "max_active_dims": model.max_active_terms,
        "model_type": "SparseEncoder",
        "prompts": {"document": "", "query": ""},
        "similarity_fn_name": "dot",
    }
    configs = {
        f"{layout.pooling}/config.json": pooling,
        "config_sentence_transformers.json": encoder,
        **module_configs(layout, lexical=model.lexical is not None),
    }
    if layout.query_pooling:
        configs[f"{layout.query_pooling}/config.json"] = pooling
    elif layout.query:
        configs[f"{layout.query}/config.json"] = {"frozen": not model.trained_idf}
    return configs


ACTIVATION_FUNCTIONS: Mapping[Activation, str] = {"log1p": "relu", "double_log1p": "log1p_relu"}
"""What sentence-transformers calls them: what comes before its own log1p."""


class _PoolingConfig(msgspec.Struct, kw_only=True):
    pooling_strategy: str = "max"
    activation_function: str = "relu"


class _QueryConfig(msgspec.Struct, kw_only=True):
    frozen: bool = True


def read_model(path: Path) -> SparseModel:
    """Reads a folder that `write_model` wrote; InputError says what is missing or of another kind."""
    layout = layout_of(path)
    vocabulary = read_vocabulary(path / layout.document)
    n_tokens = len(vocabulary.tokens)
    bert = read_backbone(path / layout.document).eval()
    query = read_backbone(path / layout.query).eval() if layout == TWO_ENCODERS else None
    idf, trained = _read_idf(path / layout.query, vocabulary) if layout == INFERENCE_FREE else (ones(vocabulary), False)
    n_rows = [len(network.output_bias()) for network in (bert, query) if network is not None]
    if {n_tokens, *n_rows, len(idf)} != {n_tokens}:
        raise InputError(
            f"{path}: the tokenizer has {n_tokens} tokens, the model {n_rows[-1]} and the "
            f"query weights {len(idf)}; wanted as many of each"
        )
    return SparseModel(
        bert=bert,
        idf=idf,
        vocabulary=vocabulary,
        max_tokens=min(read_max_tokens(path / layout.document), bert.longest),
        max_active_terms=read_max_active_terms(path, n_tokens=n_tokens),
        lexical=read_lexical(path / layout.lexical, n_tokens) if (path / layout.lexical).is_dir() else None,
        query=bert if layout == ONE_ENCODER else query,
        activation=_read_activation(path / layout.pooling / "config.json"),
        trained_idf=trained,
    )


def ones(vocabulary: Vocabulary) -> Tensor:
    """(vocab) of 1, 0 for special tokens: the query weights of a model whose queries have an encoder."""
    weights = torch.ones(len(vocabulary.tokens))
    weights[list(vocabulary.special_ids)] = 0.0
    return weights


def _read_idf(folder: Path, vocabulary: Vocabulary) -> tuple[Tensor, bool]:
    found = read_tensors(folder / "model.safetensors")
    if "weight" not in found:
        raise InputError(f"{folder / 'model.safetensors'}: lacks 'weight'; wanted one for each token")
    config = read_json(folder / "config.json", _QueryConfig)
    return found["weight"].float(), not config.frozen


def _read_activation(file: Path) -> Activation:
    config = read_json(file, _PoolingConfig)
    for name, function in ACTIVATION_FUNCTIONS.items():
        if config.pooling_strategy == "max" and config.activation_function == function:
            return name
    raise InputError(
        f"{file}: pools by {config.pooling_strategy!r} of {config.activation_function!r}; wanted max, relu"
    )


def read_lexical(folder: Path, vocab_size: int) -> LexicalChannel:
    """Reads the lexical channel of a model folder; InputError where it is not one of `vocab_size` tokens."""
    lexical = LexicalChannel(vocab_size, mean_length=1.0)
    found = read_tensors(folder / "model.safetensors")
    if found.keys() != lexical.state_dict().keys() or len(found["gate"]) != vocab_size:
        raise InputError(f"{folder}: is no lexical channel of {vocab_size} tokens")
    lexical.load_state_dict(found)
    return lexical
