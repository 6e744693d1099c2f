"""The document side as one module that a server runs: ids and mask in, a weight per token of the vocabulary out."""

import torch
from torch import Tensor, nn

from sparse_encoder.backbone import Backbone
from sparse_encoder.head import Activation, activate
from sparse_encoder.lexical import LexicalChannel


class DocumentEncoder(nn.Module):
    """Ids and mask (batch, tokens) to pruned weights (batch, vocab); nothing here depends on the values of a trace.

    The product is formed for all tokens at once, as both TorchScript and ONNX want; the maximum comes before the
    activation all the same.
    """

    def __init__(
        self,
        bert: Backbone,
        lexical: LexicalChannel | None,
        *,
        max_active_terms: int,
        activation: Activation = "log1p",
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.bert = bert
        self.lexical = lexical
        self.max_active_terms = max_active_terms

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.bert.hidden(input_ids, attention_mask)
        logits = hidden @ self.bert.output_weight().T
        hidden_ones = (attention_mask == 0).unsqueeze(-1)
        pooled = logits.masked_fill(hidden_ones, -1e30).amax(dim=1)
        weights = activate(pooled + self.bert.output_bias(), activation=self.activation)
        if self.lexical is not None:
            weights = weights + self.lexical(input_ids, attention_mask, None)
        if self.max_active_terms < weights.shape[1]:
            top = weights.topk(self.max_active_terms, dim=1)
            weights = torch.zeros_like(weights).scatter(1, top.indices, top.values)
        return weights


class ServerEncoder(nn.Module):
    """The same behind the interface of ML Commons: a dictionary in, `{"output": weights}` out."""

    def __init__(self, encoder: DocumentEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"output": self.encoder(features["input_ids"], features["attention_mask"])}
