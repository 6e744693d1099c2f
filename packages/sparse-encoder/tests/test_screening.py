import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_encoder.bert import Bert, bert_config
from sparse_encoder.head import Activation, activate, max_logits
from sparse_encoder.network import Network
from sparse_encoder.pruning import Pruning, prune, prune_terms
from sparse_encoder.screening import Screen, active_logits


def both(
    seed: int, *, spread: float, top_k: int, lexical: bool, activation: Activation
) -> list[tuple[list[int], list[int], float]]:
    """Ids by screening, ids by the whole product and the largest difference of a weight, of five texts."""
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(5, 7, 16, generator=random) * spread
    mask = (torch.arange(7)[None] < torch.tensor([7, 1, 3, 6, 7])[:, None]).long()
    weight, bias = torch.randn(60, 16, generator=random), torch.randn(60, generator=random) - 3
    counted = (torch.rand(5, 60, generator=random) - 0.8).relu() * 5 if lexical else None
    pruning = Pruning(top_k=top_k)
    dense = activate(max_logits(hidden, mask, weight) + bias, activation=activation)
    dense = dense if counted is None else dense + counted
    screen = Screen(weight, bias, activation=activation)
    found = []
    with torch.inference_mode():
        for row, (ids, weights) in zip(dense, screen.terms(hidden, mask, counted, top_k=top_k), strict=True):
            kept, values = prune_terms(ids.numpy(), weights.numpy(), pruning)
            wanted, exact = prune(row.numpy(), pruning)
            difference = float(np.abs(values - exact).max(initial=0.0)) if len(values) == len(exact) else 1.0
            found.append((kept.tolist(), wanted.tolist(), difference))
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.1, 1.0, 20.0]),
    st.sampled_from([1, 5, 60]),
    st.booleans(),
    st.sampled_from(["log1p", "double_log1p"]),
)
def test_screening_finds_what_the_whole_product_finds(
    seed: int, spread: float, top_k: int, lexical: bool, activation: Activation
) -> None:
    for ids, wanted, difference in both(seed, spread=spread, top_k=top_k, lexical=lexical, activation=activation):
        assert ids == wanted
        assert difference < 1e-4


def test_few_terms_are_weighed_exactly() -> None:
    random = torch.Generator().manual_seed(0)
    weight = torch.nn.functional.normalize(torch.randn(5000, 64, generator=random), dim=1)
    hidden = torch.nn.functional.layer_norm(torch.randn(1, 9, 64, generator=random), (64,))
    with torch.inference_mode():
        ((ids, _),) = Screen(weight, torch.zeros(5000)).terms(hidden, torch.ones(1, 9), None, top_k=50)
    assert 50 <= len(ids) < 200


@pytest.mark.parametrize("value", [0.0, 1e-20])
def test_texts_and_terms_of_zeros_have_bounds_too(value: float) -> None:
    with torch.inference_mode():
        screen = Screen(torch.full((3, 4), value), torch.tensor([-1.0, 0.5, 1.0]))
        ((ids, weights),) = screen.terms(torch.zeros(1, 2, 4), torch.ones(1, 2), None, top_k=3)
    np.testing.assert_allclose(
        prune_terms(ids.numpy(), weights.numpy(), Pruning(top_k=3))[1], [0.405465, 0.693147], rtol=1e-5
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3]), st.sampled_from([-3.0, 0.0, 3.0]))
def test_screened_training_equals_plain_autograd(seed: int, leak: float, bias: float) -> None:
    random = torch.Generator().manual_seed(seed)
    hidden = [torch.randn(n, tokens, 16, generator=random).requires_grad_() for n, tokens in ((2, 4), (3, 7))]
    masks = [torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]]), torch.ones(3, 7, dtype=torch.long)]
    weight = torch.randn(60, 16, generator=random).requires_grad_()
    offset = (torch.randn(60, generator=random) + bias).requires_grad_()
    coefficients = torch.randn(5, 60, generator=random)
    pieces = list(zip(hidden, masks, strict=True))
    parameters = [*hidden, weight, offset]
    ours = active_logits(pieces, weight, offset, Screen(weight.detach(), offset.detach()))
    wanted = torch.cat([max_logits(h, m, weight) for h, m in pieces]) + offset
    torch.testing.assert_close(ours.relu(), wanted.relu(), rtol=1e-5, atol=1e-5)
    found = torch.autograd.grad((activate(ours, leak=leak) * coefficients).sum(), parameters)
    expected = torch.autograd.grad((activate(wanted, leak=leak) * coefficients).sum(), parameters)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_network_over_many_terms_has_the_gradients_of_one_that_is_not_screened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    bert = Bert(bert_config("tiny", vocab_size=500, max_tokens=16))
    network = Network(bert=bert, idf=torch.ones(500))
    texts = [[2, 7, 3], [2, 9, 11, 3], [2, 300, 301, 302, 3]]
    parameters = list(bert.parameters())
    monkeypatch.setattr("sparse_encoder.network.SCREENED_TOKENS", 1)
    found = []
    for least in (10_000, 1):
        monkeypatch.setattr("sparse_encoder.network.SCREENED_TERMS", least)
        weights = network.weights(texts, None, leak=0.3)
        found.append((weights, torch.autograd.grad(weights.square().sum(), parameters, allow_unused=True)))
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-5)
