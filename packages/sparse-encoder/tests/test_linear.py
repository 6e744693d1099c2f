import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
import torch.nn.functional as F
from sparse_encoder.bert import Bert, Layer, bert_config
from sparse_encoder.linear import linear, unchanged
from sparse_encoder.modernbert import gated
from torch import Tensor, nn

IN_BF16: Callable[[], AbstractContextManager[object]] = lambda: torch.autocast("cpu", dtype=torch.bfloat16)  # noqa: E731


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an activation gives is large enough to be computed again."""
    monkeypatch.setattr("sparse_encoder.linear.WORTHWHILE", 0)


class Hidden(nn.Module):
    """A backbone's hidden states, for the tracer."""

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.bert.hidden(ids, mask)


def example(width: int, *layers: nn.Linear) -> tuple[Tensor, list[Tensor]]:
    """Two texts of three tokens, and all that has a gradient."""
    torch.manual_seed(3)
    states = torch.randn(2, 3, width, requires_grad=True)
    return states, [states, *(p for layer in layers for p in layer.parameters())]


def kept_bytes(computed: Callable[[], object]) -> dict[tuple[int, ...], int]:
    """Bytes that autograd keeps for the way back, by shape, each tensor once."""
    found: dict[int, tuple[tuple[int, ...], int]] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = (tuple(tensor.shape), storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        kept = computed()  # noqa: F841 - what is alive has an address of its own
    totals: dict[tuple[int, ...], int] = {}
    for shape, n_bytes in found.values():
        totals[shape] = totals.get(shape, 0) + n_bytes
    return totals


@pytest.mark.parametrize("precision", [nullcontext, IN_BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("activation", [unchanged, F.gelu, gated], ids=["none", "gelu", "gated"])
def test_values_and_gradients_are_those_of_plain_autograd_to_the_bit(
    activation: Callable[[Tensor], Tensor], precision: Callable[[], AbstractContextManager[object]]
) -> None:
    first, second = nn.Linear(8, 16), nn.Linear(8 if activation is gated else 16, 5)
    states, trained = example(8, first, second)
    weights = torch.randn(2, 3, 5)
    with precision():
        (ours,) = linear(*linear(states, first), second, activation=activation)
        plain = second(activation(first(states)))
    assert torch.equal(ours, plain)
    found = torch.autograd.grad((ours.float() * weights).sum(), trained)
    wanted = torch.autograd.grad((plain.float() * weights).sum(), trained)
    assert [g.dtype for g in found] == [torch.float32] * 5
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_layer_without_bias_has_the_gradients_of_plain_autograd() -> None:
    layer = nn.Linear(8, 4, bias=False)
    states, trained = example(8, layer)
    (ours,) = linear(states, layer, activation=F.gelu)
    found = torch.autograd.grad(ours.square().sum(), trained)
    wanted = torch.autograd.grad(layer(F.gelu(states)).square().sum(), trained)
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_the_gradient_of_a_known_product_is_known() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, -1.0]]))
        layer.bias.copy_(torch.tensor([0.5]))
    states = torch.tensor([[[2.0, -4.0]]], requires_grad=True)
    (result,) = linear(states, layer, activation=torch.relu)
    assert result.tolist() == [[[6.5]]]
    of_states, of_weight, of_bias = torch.autograd.grad(result.sum(), [states, layer.weight, layer.bias])
    assert of_states.tolist() == [[[3.0, 0.0]]]
    assert of_weight.tolist() == [[2.0, 0.0]]
    assert of_bias.tolist() == [1.0]


def test_what_an_activation_gives_is_not_kept() -> None:
    layer = nn.Linear(16, 4)
    states, _ = example(16, layer)
    assert kept_bytes(lambda: linear(states, layer, activation=F.gelu)) == {(2, 3, 16): 2 * 3 * 16 * 4, (4, 16): 256}


def test_what_is_small_is_kept_and_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = nn.Linear(16, 4)
    states, trained = example(16, layer)
    again = torch.autograd.grad(linear(states, layer, activation=F.gelu)[0].sum(), trained)
    monkeypatch.setattr("sparse_encoder.linear.WORTHWHILE", 2 * 3 * 16 * 4 + 1)
    kept = kept_bytes(lambda: linear(states, layer, activation=F.gelu))
    assert kept == {(2, 3, 16): 2 * 2 * 3 * 16 * 4, (4, 16): 256}, "what goes into GELU and what comes out"
    once = torch.autograd.grad(linear(states, layer, activation=F.gelu)[0].sum(), trained)
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


def test_in_bf16_several_layers_keep_one_copy_of_their_input_and_none_of_their_weights() -> None:
    layers = [nn.Linear(16, 4), nn.Linear(16, 4)]
    states, _ = example(16, *layers)

    def product() -> object:
        with IN_BF16():
            return linear(states, *layers)

    assert kept_bytes(product) == {(2, 3, 16): 2 * 3 * 16 * 2, (4, 16): 2 * 256}


def test_a_layer_of_bert_keeps_twelve_times_its_input_and_not_sixteen() -> None:
    """Input, query, key, value, attention's result, two sums before norms, one norm, four of the inner layer."""
    layer = Layer(bert_config("tiny", vocab_size=50, max_tokens=64))
    states = torch.randn(4, 32, 128, requires_grad=True)
    visible = torch.ones(4, 1, 1, 32, dtype=torch.bool)
    own = {tuple(p.shape) for p in layer.parameters()}
    kept = kept_bytes(lambda: layer(states, visible))
    of_texts = sum(n for shape, n in kept.items() if shape not in own)
    assert 12.0 <= of_texts / (states.numel() * 4) < 12.2


def test_a_trace_and_inference_call_the_layers_themselves() -> None:
    bert = Bert(bert_config("tiny", vocab_size=50, max_tokens=64)).eval()
    ids = torch.tensor([[2, 5, 6, 3]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of its own age and of every shape that it reads
        traced = torch.jit.trace(Hidden(bert), (ids, torch.ones_like(ids)))
    assert "PythonOp" not in str(traced.inlined_graph)
    with torch.no_grad():
        states = torch.randn(1, 2, 128)
        assert linear(states, nn.Identity())[0] is states
