from typing import Any

import pytest
import sparse_encoder.head as head
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_encoder.head import activate, max_logits
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def example(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(3, 5, 4, generator=random).requires_grad_()
    weight = torch.randn(7, 4, generator=random).requires_grad_()
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
    return hidden, mask, weight


def plain(hidden: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    logits = (hidden @ weight.T).masked_fill(mask[:, :, None] == 0, -1e30)
    return logits.amax(dim=1).relu().log1p()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 20, 1 << 22]))
def test_value_and_gradients_equal_plain_autograd(seed: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "CHUNK_LOGITS", chunk)
        hidden, mask, weight = example(seed)
        ours, wanted = activate(max_logits(hidden, mask, weight)), plain(hidden, mask, weight)
        torch.testing.assert_close(ours, wanted)
        coefficients = torch.randn(ours.shape, generator=torch.Generator().manual_seed(seed))
        found = torch.autograd.grad((ours * coefficients).sum(), (hidden, weight))
        expected = torch.autograd.grad((wanted * coefficients).sum(), (hidden, weight))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 20, 1 << 22]), st.sampled_from(["sparse", "dense"]))
def test_the_ways_back_of_a_gpu_equal_plain_autograd(seed: int, chunk: int, way: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "CHUNK_LOGITS", chunk)
        hidden, mask, weight = example(seed)
        values, places = head._largest_and_places(hidden.detach(), mask, weight.detach())
        logits = (hidden @ weight.T).masked_fill(mask[:, :, None] == 0, -1e30).amax(dim=1)
        torch.testing.assert_close(values, logits)
        gradient = torch.randn(values.shape, generator=torch.Generator().manual_seed(seed)).relu()
        backward = head._backward_sparse if way == "sparse" else head._backward_dense
        found = backward(gradient, hidden.detach(), weight.detach(), places)
        expected = torch.autograd.grad((logits * gradient).sum(), (hidden, weight))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_padding_never_wins_the_maximum() -> None:
    hidden = torch.tensor([[[-1.0], [5.0]]])
    assert max_logits(hidden, torch.tensor([[1, 0]]), torch.tensor([[1.0]])).tolist() == [[-1.0]]


def test_a_leak_raises_inactive_terms_and_never_lowers_them() -> None:
    logits = torch.tensor([-1.0, -1.0, 1.0], requires_grad=True)
    weights = activate(logits, leak=0.1)
    assert weights.detach().tolist() == pytest.approx([0.0, 0.0, 0.6931472])
    (gradient,) = torch.autograd.grad(weights @ torch.tensor([-2.0, 3.0, 1.0]), logits)
    assert gradient.tolist() == pytest.approx([-0.2, 0.0, 0.5])


def test_no_leak_is_plain_relu() -> None:
    logits = torch.tensor([-1.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(activate(logits).sum(), logits)
    assert gradient.tolist() == [0.0]


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.n = max([self.n, *(t.numel() for t in tree_leaves(found) if isinstance(t, Tensor))])
        return found


def test_no_tensor_of_batch_by_tokens_by_vocabulary_is_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "CHUNK_LOGITS", 1)
    hidden = torch.randn(8, 16, 4).requires_grad_()
    weight = torch.randn(64, 4).requires_grad_()
    with Largest() as largest:
        pooled = activate(max_logits(hidden, torch.ones(8, 16, dtype=torch.long), weight))
        torch.autograd.grad(pooled[:, :8].sum(), (hidden, weight))
    assert largest.n == 16 * 64, "the logits of one text"


def test_many_active_terms_are_added_up_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, mask, weight = example(3)
    at_once = torch.autograd.grad(max_logits(hidden, mask, weight).sum(), (hidden, weight))
    monkeypatch.setattr(head, "CHUNK_LOGITS", 4)
    torch.testing.assert_close(torch.autograd.grad(max_logits(hidden, mask, weight).sum(), (hidden, weight)), at_once)
