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
from safetensors.torch import save_file
from torch import Tensor

from sparse_encoder._files import InputError, read_json, whole
from sparse_encoder.backbone import Backbone
from sparse_encoder.backbone_folder import backbone_weights, read_backbone, read_tensors
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.tokenizer_build import write_tokenizer
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary

DOCUMENT = "document_0_Transformer"
POOLING = "document_1_SpladePooling"
QUERY = "query_0_SparseStaticEmbedding"
LEXICAL = "document_2_LexicalChannel"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseModel:
    """What a model folder holds: document side, query weights, tokenizer and limits."""

    bert: Backbone
    idf: Tensor
    """(vocab), the weight of each token in a query."""
    vocabulary: Vocabulary
    max_tokens: int
    max_active_terms: int
    lexical: LexicalChannel | None = None


def write_model(model: SparseModel, path: Path, *, extra: Mapping[str, str] = {}) -> None:
    """Writes the folder whole; `extra` are further text files by name, such as a model card."""
    with whole(path) as part:
        for folder in (DOCUMENT, POOLING, QUERY):
            (part / folder).mkdir(parents=True)
        for name, value in _configs(model).items():
            (part / name).write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        for name in (DOCUMENT, QUERY):
            write_tokenizer(model.vocabulary.tokenizer, part / name, max_tokens=model.max_tokens)
        save_file(backbone_weights(model.bert), part / DOCUMENT / "model.safetensors", metadata={"format": "pt"})
        save_file(
            {"weight": model.idf.contiguous().cpu()}, part / QUERY / "model.safetensors", metadata={"format": "pt"}
        )
        if model.lexical is not None:
            _write_lexical(model.lexical, part)
        for name, text in extra.items():
            (part / name).write_text(text, encoding="utf-8")
        for file in part.rglob("*.safetensors"):
            file.chmod(0o644)


def _write_lexical(lexical: LexicalChannel, part: Path) -> None:
    """The channel's weights, and its module's source at the root, where `trust_remote_code=True` looks for it."""
    (part / LEXICAL).mkdir()
    weights = {name: tensor.detach().contiguous().cpu() for name, tensor in lexical.state_dict().items()}
    save_file(weights, part / LEXICAL / "model.safetensors", metadata={"format": "pt"})
    config = json.dumps({"vocab_size": len(lexical.gate)}, indent=2) + "\n"
    (part / LEXICAL / "config.json").write_text(config, encoding="utf-8")
    source = files("sparse_encoder").joinpath("carried/lexical_channel.py").read_text(encoding="utf-8")
    (part / "lexical_channel.py").write_text(source, encoding="utf-8")


def _configs(model: SparseModel) -> dict[str, object]:
    library = "sentence_transformers"
    transformer = {
        "transformer_task": "fill-mask",
        "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
        "module_output_name": "token_embeddings",
    }
    pooling = {"pooling_strategy": "max", "activation_function": "relu", "embedding_dimension": None}
    types = {
        QUERY: f"{library}.sparse_encoder.modules.sparse_static_embedding.SparseStaticEmbedding",
        DOCUMENT: f"{library}.base.modules.transformer.Transformer",
        POOLING: f"{library}.sparse_encoder.modules.splade_pooling.SpladePooling",
    }
    if model.lexical is not None:
        types[LEXICAL] = "lexical_channel.LexicalChannel"
    router = {
        "types": types,
        "structure": {"query": [QUERY], "document": [name for name in types if name != QUERY]},
        "parameters": {"default_route": "document", "allow_empty_key": True, "route_mappings": {}},
    }
    versions = {"sentence_transformers": version("sentence-transformers"), "pytorch": version("torch")}
    encoder = {
        "__version__": {**versions, "transformers": version("transformers")},
        "default_prompt_name": None,
        "max_active_dims": model.max_active_terms,
        "model_type": "SparseEncoder",
        "prompts": {"document": "", "query": ""},
        "similarity_fn_name": "dot",
    }
    modules = [{"idx": 0, "name": "0", "path": "", "type": f"{library}.base.modules.router.Router"}]
    return {
        f"{DOCUMENT}/config.json": model.bert.saved_config(),
        f"{DOCUMENT}/sentence_bert_config.json": transformer,
        f"{POOLING}/config.json": pooling,
        f"{QUERY}/config.json": {"frozen": True},
        "router_config.json": router,
        "config_sentence_transformers.json": encoder,
        "modules.json": modules,
    }


class _EncoderConfig(msgspec.Struct, kw_only=True):
    max_active_dims: int | None = None


class _TokenizerConfig(msgspec.Struct, kw_only=True):
    model_max_length: float = 512


def read_model(path: Path) -> SparseModel:
    """Reads a folder that `write_model` wrote; InputError says what is missing or of another kind."""
    if not (path / "modules.json").is_file():
        raise InputError(f"{path}: is not a model folder: no modules.json; make one with: sparse-encoder train")
    if not (path / DOCUMENT / "config.json").is_file() or not (path / QUERY / "model.safetensors").is_file():
        raise InputError(f"{path}: is not an inference-free model of this package: wanted {DOCUMENT} and {QUERY}")
    vocabulary = read_vocabulary(path / DOCUMENT)
    bert = read_backbone(path / DOCUMENT)
    idf = read_tensors(path / QUERY / "model.safetensors")["weight"].float()
    limits = read_json(path / "config_sentence_transformers.json", _EncoderConfig)
    lengths = read_json(path / DOCUMENT / "tokenizer_config.json", _TokenizerConfig)
    n_rows = len(bert.output_bias())
    if not len(vocabulary.tokens) == n_rows == len(idf):
        raise InputError(
            f"{path}: the tokenizer has {len(vocabulary.tokens)} tokens, the model {n_rows} and the "
            f"query weights {len(idf)}; wanted as many of each"
        )
    return SparseModel(
        bert=bert.eval(),
        idf=idf,
        vocabulary=vocabulary,
        max_tokens=min(int(lengths.model_max_length), bert.longest),
        max_active_terms=limits.max_active_dims or len(vocabulary.tokens),
        lexical=read_lexical(path / LEXICAL, len(vocabulary.tokens)) if (path / LEXICAL).is_dir() else None,
    )


def read_lexical(folder: Path, vocab_size: int) -> LexicalChannel:
    """Reads the lexical channel of a model folder; InputError where it is not one of `vocab_size` tokens."""
    lexical = LexicalChannel(vocab_size, mean_length=1.0)
    found = read_tensors(folder / "model.safetensors")
    if found.keys() != lexical.state_dict().keys() or len(found["gate"]) != vocab_size:
        raise InputError(f"{folder}: is no lexical channel of {vocab_size} tokens")
    lexical.load_state_dict(found)
    return lexical
