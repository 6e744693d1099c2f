"""What this package needs of a masked language model: hidden states, and the output matrix and bias apart.

The models themselves are `bert.py` (BERT, RoBERTa, XLM-RoBERTa) and `modernbert.py`; `backbone_folder.py` reads and
writes their folders.
"""

from torch import Tensor, nn


class Backbone(nn.Module):
    """A masked language model whose output matrix is its word embeddings."""

    longest: int
    """Tokens of a text, special ones included, that it has positions for."""

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, tokens) ids and 0/1 mask to (batch, tokens, width), ready for the output matrix."""
        raise NotImplementedError

    def output_weight(self) -> Tensor:
        """(vocab, width): the word embeddings, which are tied."""
        raise NotImplementedError

    def output_bias(self) -> Tensor:
        """(vocab)."""
        raise NotImplementedError

    def saved_config(self) -> dict[str, object]:
        """transformers' `config.json` of this model."""
        raise NotImplementedError

    def saved_names(self) -> dict[str, str]:
        """Name of every tensor of `state_dict` in transformers' `model.safetensors`, in the model's order."""
        return {name: name for name in self.state_dict()}
