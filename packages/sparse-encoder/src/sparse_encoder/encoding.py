"""Passages to sparse vectors by PyTorch: sorted by length, in batches that fit a cache, on a CPU or a GPU."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparse_encoder._files import InputError
from sparse_encoder.eight_bit import in_eight_bits
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.network import Network, padded
from sparse_encoder.pruning import Pruning, Terms, prune, prune_terms
from sparse_encoder.screening import Screen, has_byte_products
from sparse_encoder.shards import by_length


class TorchEncoder:
    """A model folder's document side, moved to a device."""

    def __init__(self, model: SparseModel, *, int8: bool = False, device: str = "cpu") -> None:
        """int8: the backbone's layers multiply in 8 bits too, which changes the vectors a little."""
        place = torch.device(device)
        if int8 and not has_byte_products(place):
            raise InputError(f"--int8 by torch wants a processor with VNNI; this {device} has none: leave it out")
        self.tokens = model.vocabulary.tokens
        self.max_active_terms = model.max_active_terms
        self.model = model
        self.device = place
        bert = in_eight_bits(model.bert) if int8 else model.bert
        lexical = model.lexical.to(place) if model.lexical is not None else None
        self.network = Network(bert=bert.to(place), idf=model.idf, lexical=lexical, activation=model.activation)
        self.screen: Screen | None = None
        if has_byte_products(place):
            weight, bias = bert.output_weight().detach(), bert.output_bias().detach()
            self.screen = Screen(weight, bias, activation=model.activation)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
        """The terms of each text, in the order given; a text of no known token has none."""
        tokens = self.model.vocabulary.encode(texts, max_tokens=self.model.max_tokens, special=True)
        found: dict[int, Terms] = {}
        for chosen in by_length(tokens):
            found.update(zip(chosen, self._terms([tokens[i] for i in chosen], pruning), strict=True))
        return [found[i] for i in range(len(texts))]

    def _terms(self, texts: Sequence[Sequence[int]], pruning: Pruning) -> list[Terms]:
        if self.screen is None:
            return [prune(row.numpy(), pruning) for row in self.network.weights(texts, None).cpu()]
        ids, mask = padded(texts, device=self.device)
        counted: Tensor | None = None
        if self.network.lexical is not None:
            counted = self.network.lexical(ids, mask, None)
        found = self.screen.terms(self.network.bert.hidden(ids, mask), mask, counted, top_k=pruning.top_k)
        return [prune_terms(kept.numpy(), weights.numpy(), pruning) for kept, weights in found]


def encode_texts(model: SparseModel, texts: Sequence[str], *, pruning: Pruning) -> list[Terms]:
    """Token ids, ascending, and weights of each text, in the order given; a text of no known token has none."""
    return TorchEncoder(model).encode(texts, pruning=pruning)
