"""Adds BM25's saturated term frequency of a document's own tokens, gated per token, to its learned weights.

This file travels with the model: sentence-transformers has no module that counts tokens.
"""

from typing import ClassVar

import torch
from sentence_transformers.base.modules.module import Module
from torch import Tensor


class LexicalChannel(Module):
    """sentence_embedding + relu(gate_v) * tf (k1 + 1) / (tf + k1 (1 - b + b * length / mean_length))."""

    config_keys: ClassVar[list[str]] = ["vocab_size"]

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.gate = torch.nn.Parameter(torch.ones(vocab_size))
        self.shape = torch.nn.Parameter(torch.tensor([1.2, 0.75]))
        self.register_buffer("mean_length", torch.tensor(100.0))

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        mask = features["attention_mask"].to(self.gate.dtype)
        counts = self.gate.new_zeros((len(mask), self.vocab_size))
        counts = counts.scatter_add(1, features["input_ids"], mask)
        k1, b = self.shape[0].clamp(min=0.1), self.shape[1].clamp(min=0.0, max=1.0)
        norm = k1 * (1 - b + b * mask.sum(dim=1, keepdim=True) / self.mean_length)
        own = self.gate.relu() * counts * (k1 + 1) / (counts + norm)
        features["sentence_embedding"] = features["sentence_embedding"] + own
        return features

    def get_embedding_dimension(self) -> int:
        return self.vocab_size

    def save(self, output_path: str, *args: object, safe_serialization: bool = True, **kwargs: object) -> None:
        self.save_config(output_path)
        self.save_torch_weights(output_path, safe_serialization=safe_serialization)

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        **kwargs: object,
    ) -> "LexicalChannel":
        hub = {"token": token, "cache_folder": cache_folder, "revision": revision, "local_files_only": local_files_only}
        config = cls.load_config(model_name_or_path=model_name_or_path, subfolder=subfolder, **hub)
        model: LexicalChannel = cls.load_torch_weights(
            model_name_or_path=model_name_or_path, subfolder=subfolder, model=cls(**config), **hub
        )
        return model
