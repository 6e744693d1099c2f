"""Started by test_triton_head.py with TRITON_INTERPRET=1: the kernel on the CPU, against torch."""

import torch
from sparse_encoder.head import _largest_and_places
from sparse_encoder.triton_head import fused_max_logits, is_usable


def main() -> None:
    """Shapes that fill no block of the kernel, with padding, a text of nothing but padding, and ties."""
    random = torch.Generator().manual_seed(1)
    for n_texts, n_tokens, width, n_terms in ((3, 5, 16, 7), (2, 33, 40, 130)):
        hidden = torch.randn(n_texts, n_tokens, width, generator=random)
        weight = torch.randn(n_terms, width, generator=random)
        weight[1] = 0.0
        mask = (torch.rand(n_texts, n_tokens, generator=random) < 0.7).long()
        mask[0] = 1
        mask[-1] = 0
        values, places = fused_max_logits(hidden, mask, weight)
        wanted, wanted_places = _largest_and_places(hidden, mask, weight)
        torch.testing.assert_close(values, wanted, rtol=1e-5, atol=1e-5)
        assert torch.equal(places, wanted_places)
    assert is_usable(torch.device("cpu"), torch.float32)
    print("same")


if __name__ == "__main__":
    main()
