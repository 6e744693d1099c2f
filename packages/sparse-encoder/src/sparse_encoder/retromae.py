"""RetroMAE's weak decoder: one layer that rebuilds a text of which little is left from its first token's state.

It can only do so if that state holds what the text says (Xiao et al. 2022, arXiv:2205.12035). The decoder is thrown
away after pretraining; unlike the paper's, all its places see the same masked text.
"""

import torch
from torch import Tensor, nn

from sparse_encoder.bert import BertConfig, Layer


class Decoder(nn.Module):
    """States of a masked text from its word embeddings and one vector for the whole."""

    def __init__(self, width: int, *, max_tokens: int, generator: torch.Generator) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=1,
            hidden_size=width,
            num_hidden_layers=1,
            num_attention_heads=max(1, width // 64),
            intermediate_size=4 * width,
        )
        self.norm = nn.LayerNorm(width)
        self.positions = nn.Parameter(torch.zeros(max_tokens, width))
        self.layer = Layer(config)
        with torch.no_grad():
            for parameter in [p for p in self.parameters() if p.dim() > 1]:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * config.initializer_range)
            for name, bias in self.layer.named_parameters():
                if name.endswith("bias"):
                    bias.zero_()

    def forward(self, whole: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """whole (batch, width) and words (batch, tokens, width), of which the first is replaced by it."""
        seen = torch.cat([whole[:, None], words[:, 1:]], dim=1)
        states = self.norm(seen + self.positions[: words.shape[1]])
        result: Tensor = self.layer(states, mask[:, None, None, :].to(torch.bool))
        return result
