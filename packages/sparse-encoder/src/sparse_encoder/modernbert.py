"""ModernBERT's masked language model in plain torch, with the parameter names of transformers' `ModernBertForMaskedLM`.

Source: Warner et al. 2024, arXiv:2412.13663: rotary positions, gated inner layers, norms before the layers, and most
layers see only their neighbourhood.
"""

from typing import Literal

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparse_encoder.attention import attend
from sparse_encoder.backbone import Backbone
from sparse_encoder.linear import linear

Reach = Literal["full_attention", "sliding_attention"]


class Rope(msgspec.Struct, frozen=True, kw_only=True):
    """How fast rotary positions turn."""

    rope_theta: float
    rope_type: Literal["default"] = "default"


class ModernBertConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of transformers' `config.json` that decide what is computed."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 8192
    hidden_activation: Literal["gelu"] = "gelu"
    classifier_activation: Literal["gelu"] = "gelu"
    norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    classifier_bias: bool = False
    decoder_bias: bool = True
    embedding_dropout: float = 0.0
    attention_dropout: float = 0.0
    mlp_dropout: float = 0.0
    local_attention: int = 128
    """Tokens that a sliding layer sees, half of them on either side."""
    layer_types: list[Reach] = []
    rope_parameters: dict[Reach, Rope] = {}
    global_attn_every_n_layers: int = 3
    """With the two thetas: how folders made before transformers 5 say the two fields above."""
    global_rope_theta: float = 160_000.0
    local_rope_theta: float = 10_000.0
    pad_token_id: int | None = 0
    model_type: Literal["modernbert"] = "modernbert"

    def __post_init__(self) -> None:
        if self.layer_types and len(self.layer_types) != self.num_hidden_layers:
            raise ValueError(f"{len(self.layer_types)} 'layer_types' for {self.num_hidden_layers} layers")

    def reach(self, layer: int) -> Reach:
        """Which tokens a layer sees."""
        if self.layer_types:
            return self.layer_types[layer]
        return "sliding_attention" if layer % self.global_attn_every_n_layers else "full_attention"

    def theta(self, reach: Reach) -> float:
        """The base of the rotary frequencies of a layer of that reach."""
        if reach in self.rope_parameters:
            return self.rope_parameters[reach].rope_theta
        return self.local_rope_theta if reach == "sliding_attention" else self.global_rope_theta


class ModernBert(Backbone):
    """The model; `state_dict` has exactly the keys that `ModernBertForMaskedLM.save_pretrained` writes."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.config = config
        self.longest = config.max_position_embeddings
        self.model = nn.ModuleDict(
            {
                "embeddings": Embeddings(config),
                "layers": nn.ModuleList(Layer(config, number) for number in range(config.num_hidden_layers)),
                "final_norm": _norm(config),
            }
        )
        dense = nn.Linear(config.hidden_size, config.hidden_size, bias=config.classifier_bias)
        self.head = nn.ModuleDict({"dense": dense, "norm": _norm(config)})
        self.decoder = nn.ParameterDict({"bias": nn.Parameter(torch.zeros(config.vocab_size))})

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, tokens) to (batch, tokens, width): the states that the output matrix is multiplied with."""
        config = self.config
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        apart = (places[:, None] - places[None]).abs()
        # padding sees itself, so that no row of an attention is empty
        seen = attention_mask[:, None, None, :].to(torch.bool) | (apart == 0)
        visible = {"full_attention": seen, "sliding_attention": seen & (apart <= config.local_attention // 2)}
        turns = {reach: rotation(places, config, reach) for reach in {config.reach(n) for n in range(self.n_layers)}}
        states: Tensor = self.model["embeddings"](input_ids)
        layers: nn.ModuleList = self.model["layers"]  # type: ignore[assignment]
        for number, layer in enumerate(layers):
            reach = config.reach(number)
            states = layer(states, visible[reach], turns[reach])
        states = self.model["final_norm"](states)
        transformed: Tensor = self.head["norm"](F.gelu(self.head["dense"](states)))
        return transformed

    @property
    def n_layers(self) -> int:
        """Layers."""
        return self.config.num_hidden_layers

    def output_weight(self) -> Tensor:
        """(vocab, width): the word embeddings, which are tied."""
        weight: Tensor = self.model["embeddings"].tok_embeddings.weight  # type: ignore[assignment, union-attr]
        return weight

    def output_bias(self) -> Tensor:
        """(vocab)."""
        bias: Tensor = self.decoder["bias"]
        return bias

    def saved_config(self) -> dict[str, object]:
        """transformers' `config.json` of this model, as transformers 5 has it."""
        config = self.config
        reaches: list[Reach] = ["full_attention", "sliding_attention"]
        fields = msgspec.to_builtins(config) | {
            "layer_types": [config.reach(number) for number in range(self.n_layers)],
            "rope_parameters": {r: {"rope_theta": config.theta(r), "rope_type": "default"} for r in reaches},
        }
        older = ("global_attn_every_n_layers", "global_rope_theta", "local_rope_theta")
        return {
            "architectures": ["ModernBertForMaskedLM"],
            "dtype": "float32",
            "tie_word_embeddings": True,
            **{name: value for name, value in fields.items() if name not in older},
        }


class Embeddings(nn.Module):
    """Words, normalised; positions are in the attention."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.norm = _norm(config)
        self.drop = nn.Dropout(config.embedding_dropout)

    def forward(self, input_ids: Tensor) -> Tensor:
        states: Tensor = self.drop(self.norm(self.tok_embeddings(input_ids)))
        return states


class Layer(nn.Module):
    """Attention and a gated inner layer, each normalised before and added to what came in."""

    def __init__(self, config: ModernBertConfig, number: int) -> None:
        super().__init__()
        # the first layer's input comes out of a norm already
        self.attn_norm = _norm(config) if number else nn.Identity()
        self.attn = Attention(config)
        self.mlp_norm = _norm(config)
        wide = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=config.mlp_bias)
        back = nn.Linear(config.intermediate_size, config.hidden_size, bias=config.mlp_bias)
        self.mlp = nn.ModuleDict({"Wi": wide, "Wo": back})
        self.dropout = config.mlp_dropout

    def forward(self, states: Tensor, visible: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        states = states + self.attn(self.attn_norm(states), visible, turn)
        (wide,) = linear(self.mlp_norm(states), self.mlp["Wi"])
        if self.training and self.dropout:
            result: Tensor = states + self.mlp["Wo"](F.dropout(gated(wide), self.dropout))
            return result
        (inner,) = linear(wide, self.mlp["Wo"], activation=gated)
        return states + inner


class Attention(nn.Module):
    """Scaled dot-product attention with rotary positions."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=config.attention_bias)
        self.Wo = nn.Linear(config.hidden_size, config.hidden_size, bias=config.attention_bias)

    def forward(self, states: Tensor, visible: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        parts = (*states.shape[:2], 3, self.n_heads, states.shape[2] // self.n_heads)
        (mixed,) = linear(states, self.Wqkv)
        q, k, v = mixed.view(parts).permute(2, 0, 3, 1, 4).unbind(0)
        dropout = self.dropout if self.training else 0.0
        attended = attend(rotated(q, turn), rotated(k, turn), v, visible, dropout=dropout)
        (result,) = linear(attended, self.Wo)
        return F.dropout(result, self.dropout, training=self.training)


def gated(wide: Tensor) -> Tensor:
    """(..., 2 inner) to (..., inner): GELU of the first half times the second (Shazeer 2020, arXiv:2002.05202).

    >>> gated(torch.tensor([0.0, 10.0, 2.0, 3.0]))
    tensor([ 0., 30.])
    """
    inner, gate = wide.chunk(2, dim=-1)
    return F.gelu(inner) * gate


def rotation(places: Tensor, config: ModernBertConfig, reach: Reach) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every place's angles: (tokens, head width) each (Su et al. 2021, arXiv:2104.09864)."""
    width = config.hidden_size // config.num_attention_heads
    steps = torch.arange(0, width, 2, dtype=torch.float32, device=places.device) / width
    angles = places[:, None].float() / config.theta(reach) ** steps
    both = torch.cat([angles, angles], dim=-1)
    return both.cos(), both.sin()


def rotated(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """x turned by its places' angles, halves of the width paired; angles in float32."""
    cosine, sine = turn
    first, second = x.float().chunk(2, dim=-1)
    return (x.float() * cosine + torch.cat([-second, first], dim=-1) * sine).to(x.dtype)


def _norm(config: ModernBertConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)
