"""The lexical channel: BM25's saturated, length-normalised term frequency of a document's own tokens, gated.

Queries are tokens times IDF, so adding this to the learned weights makes one vector in one index score like a sum of
BM25 and the model. The gate of every term is trained: a particle's closes, a name's stays open.
"""

import torch
from torch import Tensor, nn


class LexicalChannel(nn.Module):
    """relu(gate_v) * tf (k1 + 1) / (tf + k1 (1 - b + b * length / mean_length)), for the tokens of the text.

    Source: Robertson and Zaragoza 2009, without the IDF, which is the query's; the gate is ours.
    """

    mean_length: Tensor

    def __init__(self, vocab_size: int, *, mean_length: float, gate: float = 1.0) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.full((vocab_size,), gate))
        self.shape = nn.Parameter(torch.tensor([1.2, 0.75]))
        self.register_buffer("mean_length", torch.tensor(mean_length))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, columns: Tensor | None) -> Tensor:
        """(batch, tokens) ids and mask to (batch, columns) weights; columns None is the whole vocabulary."""
        counts = self.gate.new_zeros((input_ids.shape[0], self.gate.shape[0]))
        counts = counts.scatter_add(1, input_ids, attention_mask.to(counts.dtype))
        length = attention_mask.sum(dim=1, keepdim=True).to(counts.dtype)
        gate: Tensor = self.gate
        if columns is not None:
            counts, gate = counts[:, columns], gate[columns]
        k1, b = self.shape[0].clamp(min=0.1), self.shape[1].clamp(min=0.0, max=1.0)
        norm = k1 * (1 - b + b * length / self.mean_length)
        return gate.relu() * counts * (k1 + 1) / (counts + norm)

    @torch.no_grad()
    def trust(self, factor: float) -> None:
        """Lets counts weigh that much more beside what the network expands to."""
        self.gate.mul_(factor)
