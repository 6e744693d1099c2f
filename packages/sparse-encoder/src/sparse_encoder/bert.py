"""The masked language models of BERT, RoBERTa and XLM-RoBERTa in plain torch; parameters as `BertForMaskedLM` has them.

Why not transformers' own: importing it takes ten seconds, of which a short run would notice every one, and this one
can hand the head its hidden states without the logits and is traced into TorchScript that old servers run.
"""

import math
from typing import Literal

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparse_encoder.attention import attend
from sparse_encoder.backbone import Backbone
from sparse_encoder.linear import Activation, added, linear, unchanged

SIZES = {"tiny": (2, 128), "small": (3, 256), "medium": (6, 384), "base": (12, 768)}
"""Layers and width of the sizes trained from scratch; heads are 64 wide, the inner layer four times the width."""


class BertConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of transformers' `config.json` that decide what is computed."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    pad_token_id: int = 0
    model_type: Literal["bert", "roberta", "xlm-roberta"] = "bert"

    @property
    def first_position(self) -> int:
        """Position of a text's first token; RoBERTa counts from after the padding's id."""
        return 0 if self.model_type == "bert" else self.pad_token_id + 1


def bert_config(size: str, *, vocab_size: int, max_tokens: int) -> BertConfig:
    """The configuration of a named size.

    >>> bert_config("tiny", vocab_size=8000, max_tokens=256).num_attention_heads
    2
    """
    layers, width = SIZES[size]
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        max_position_embeddings=max_tokens,
    )


class Bert(Backbone):
    """The model; `state_dict` has exactly the keys that `BertForMaskedLM.save_pretrained` writes.

    RoBERTa is the same network: it counts positions from another number and names its head otherwise.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.longest = config.max_position_embeddings - config.first_position
        self.bert = nn.ModuleDict({"embeddings": Embeddings(config), "encoder": Encoder(config)})
        self.cls = nn.ModuleDict({"predictions": Predictions(config)})

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, tokens) to (batch, tokens, width): the states that the output matrix is multiplied with."""
        visible = attention_mask[:, None, None, :].to(torch.bool)
        states: Tensor = self.bert["encoder"](self.bert["embeddings"](input_ids, attention_mask), visible)
        transformed: Tensor = self.cls["predictions"](states)
        return transformed

    def output_weight(self) -> Tensor:
        """(vocab, width): the word embeddings, which are tied."""
        weight: Tensor = self.bert["embeddings"].word_embeddings.weight  # type: ignore[assignment, union-attr]
        return weight

    def output_bias(self) -> Tensor:
        """(vocab)."""
        bias: Tensor = self.cls["predictions"].bias  # type: ignore[assignment]
        return bias

    def saved_config(self) -> dict[str, object]:
        """transformers' `config.json` of this model."""
        return {
            "architectures": [ARCHITECTURES[self.config.model_type]],
            "model_type": self.config.model_type,
            "dtype": "float32",
            "tie_word_embeddings": True,
            **msgspec.to_builtins(self.config),
        }

    def saved_names(self) -> dict[str, str]:
        """Name of every tensor in transformers' `model.safetensors`."""
        names = super().saved_names()
        if self.config.model_type == "bert":
            return names
        for ours, theirs in ROBERTA_NAMES.items():
            names = {name: saved.replace(ours, theirs) for name, saved in names.items()}
        return names


ARCHITECTURES = {"bert": "BertForMaskedLM", "roberta": "RobertaForMaskedLM", "xlm-roberta": "XLMRobertaForMaskedLM"}
"""transformers' class for each `model_type`."""
ROBERTA_NAMES = {
    "cls.predictions.transform.dense.": "lm_head.dense.",
    "cls.predictions.transform.LayerNorm.": "lm_head.layer_norm.",
    "cls.predictions.bias": "lm_head.bias",
    "bert.": "roberta.",
}
"""What RoBERTa calls the parts that BERT has as well."""


class Embeddings(nn.Module):
    """Words plus positions plus one constant type, normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.first_position = config.first_position
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        if self.first_position:
            places = self.position_embeddings(mask.cumsum(dim=1) * mask + self.first_position - 1)
        else:
            places = self.position_embeddings.weight[: input_ids.shape[1]]
        added = self.word_embeddings(input_ids) + places + self.token_type_embeddings.weight[0]
        normal: Tensor = self.dropout(self.LayerNorm(added))
        return normal


class Encoder(nn.Module):
    """The layers, one after the other."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, states: Tensor, visible: Tensor) -> Tensor:
        for layer in self.layer:
            states = layer(states, visible)
        return states


class Layer(nn.Module):
    """Attention, then the inner layer, each added to what came in and normalised after."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(config), "output": Residual(config, config.hidden_size)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(config.hidden_size, config.intermediate_size)})
        self.output = Residual(config, config.intermediate_size)

    def forward(self, states: Tensor, visible: Tensor) -> Tensor:
        attended = self.attention["output"](self.attention["self"](states, visible), states)
        (inner,) = linear(attended, self.intermediate["dense"])
        result: Tensor = self.output(inner, attended, activation=F.gelu)
        return result


class SelfAttention(nn.Module):
    """Scaled dot-product attention over the visible tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, states: Tensor, visible: Tensor) -> Tensor:
        heads = (*states.shape[:2], self.n_heads, states.shape[2] // self.n_heads)
        parts = linear(states, self.query, self.key, self.value)
        q, k, v = (part.view(heads).transpose(1, 2) for part in parts)
        return attend(q, k, v, visible, dropout=self.dropout if self.training else 0.0)


class Residual(nn.Module):
    """A linear layer behind an activation, whose result is added to `before` and normalised."""

    def __init__(self, config: BertConfig, inner: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, before: Tensor, *, activation: Activation = unchanged) -> Tensor:
        (mixed,) = linear(states, self.dense, activation=activation)
        result: Tensor = self.LayerNorm(added(self.dropout(mixed), before))
        return result


class Predictions(nn.Module):
    """The transform before the output matrix, and the output bias."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        dense = nn.Linear(config.hidden_size, config.hidden_size)
        norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.transform = nn.ModuleDict({"dense": dense, "LayerNorm": norm})

    def forward(self, states: Tensor) -> Tensor:
        result: Tensor = self.transform["LayerNorm"](F.gelu(self.transform["dense"](states)))
        return result


def start_lexical(
    model: Bert,
    *,
    twins: list[tuple[int, int]],
    silent: tuple[int, ...],
    threshold: float,
    seed: int,
    vectors: Tensor | None = None,
) -> None:
    """Sets the weights so that the model is a bag of words before its first step; writes into `model`.

    Every layer adds almost nothing to the token embeddings, which are nearly orthogonal, and the transform passes
    them through (gelu is the identity far above zero, and the norm takes the shift away again). A token's own logit
    is then OWN, all others stay below the negative bias, `threshold`. Twins share a part of their embeddings:
    a document with `##엔진` also answers `엔진`. Tokens in `silent` get a bias that no logit reaches.

    vectors: (vocab, width) unit vectors of what tokens mean; each is KNOWN of its token's embedding, and the rest
    stays random, so that neighbours are near the threshold and not above it.
    """
    random = torch.Generator().manual_seed(seed)
    width = model.config.hidden_size
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter.fill_(1.0)
            elif name.endswith("bias") or "token_type" in name:
                parameter.zero_()
            elif name.endswith(("query.weight", "key.weight", "value.weight", "intermediate.dense.weight")):
                parameter.copy_(_normal(parameter.shape, random) / math.sqrt(width))
            else:
                parameter.copy_(_normal(parameter.shape, random) * 0.02 / math.sqrt(width))
        words = F.normalize(_normal((model.config.vocab_size, width), random), dim=1)
        for start, inside in twins:
            words[inside] = F.normalize(words[start] + TWIN_NOISE * words[inside], dim=0)
        if vectors is not None:
            words = F.normalize(math.sqrt(KNOWN) * vectors + math.sqrt(1 - KNOWN) * words, dim=1)
        model.output_weight().copy_(words * OWN / math.sqrt(width))
        model.output_bias().fill_(-threshold)
        model.output_bias()[list(silent)] = SILENT
        transform = model.cls["predictions"].transform
        transform["dense"].weight.copy_(torch.eye(width))  # type: ignore[index, union-attr]
        transform["dense"].bias.fill_(6.0)  # type: ignore[index, union-attr]


OWN = 8.0
"""Logit of a token for itself before the first step, bias aside."""
THRESHOLD = 4.0
"""Negative output bias: random directions of width 128 overlap by less than half."""
THRESHOLD_BESIDE_COUNTS = 5.5
"""The same where a lexical channel already gives a text's own tokens most of their weight."""
TWIN_NOISE = 1.3
"""Length of the part of an inside form's embedding that is its own, against its start form's 1."""
KNOWN = 0.6
"""Share of a token's embedding, by its square, that its given vector is."""
SILENT = -10_000.0
"""Bias of tokens that must never be active; within the range of half precision."""


def _normal(shape: tuple[int, ...] | torch.Size, random: torch.Generator) -> Tensor:
    return torch.randn(tuple(shape), generator=random)
