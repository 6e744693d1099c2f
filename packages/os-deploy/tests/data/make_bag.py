"""Makes `bag.pt`, the network of the tests: a bag of tokens, each weighing 1 + (id mod 7) / 4, special ids left out.

Run by hand with torch installed: python make_bag.py N_TOKENS. It is kept in the repository so that no test needs torch.
"""

import sys
from pathlib import Path

import torch

N_SPECIAL = 5


class Bag(torch.nn.Module):
    """{"input_ids", "attention_mask"}: (batch, length) -> {"output": (batch, vocabulary)}."""

    def __init__(self, n_tokens: int) -> None:
        super().__init__()
        ids = torch.arange(n_tokens)
        weights = 1 + (ids % 7).float() / 4
        self.register_buffer("weights", torch.where(ids < N_SPECIAL, 0.0, weights))

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The weights of the tokens that are there."""
        one_hot = torch.nn.functional.one_hot(features["input_ids"], self.weights.shape[0])
        present = (one_hot * features["attention_mask"].unsqueeze(-1)).amax(dim=1)
        return {"output": present.float() * self.weights}


if __name__ == "__main__":
    bag = Bag(int(sys.argv[1])).eval()
    example = {"input_ids": torch.tensor([[2, 5, 3]]), "attention_mask": torch.ones(1, 3, dtype=torch.long)}
    torch.jit.trace(bag, (example,), strict=False).save(str(Path(__file__).with_name("bag.pt")))
