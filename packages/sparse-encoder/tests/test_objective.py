import math
import random

import pytest
import torch
from sparse_encoder.groups import Batch, Example, Examples
from sparse_encoder.objective import (
    Columns,
    Plan,
    _alignment,
    allowed_documents,
    choose_columns,
    loss_of,
    loss_weights,
)
from sparse_encoder.recipe import Losses, MarginMSE, MarginRanking, Recipe, Sparsity


def test_needed_columns_count_once_and_sampled_ones_for_many() -> None:
    columns = choose_columns({5, 7}, vocab=100, special=frozenset({0, 1}), n=32, chance=random.Random(1))
    assert len(columns.ids) == 34
    assert float(columns.share.sum()) == pytest.approx(98.0)
    assert not {0, 1} & set(columns.ids.tolist())


def test_zero_columns_means_all() -> None:
    columns = choose_columns({5}, vocab=10, special=frozenset({0}), n=0, chance=random.Random(1))
    assert columns.ids.tolist() == list(range(1, 10))
    assert columns.share.tolist() == [1.0] * 9


def test_another_positive_of_the_query_is_no_negative() -> None:
    def example(query: tuple[int, ...], positive: int) -> Example:
        return Example(query=query, sequence=query, positive=positive, hard=(), easy=(), scores={positive: 1.0})

    first, second, third = example((7,), 10), example((7,), 11), example((8,), 12)
    data = Examples(
        documents=[],
        examples=[first, second, third],
        weights=[1.0] * 3,
        positives={(7,): frozenset({10, 11}), (8,): frozenset({12})},
    )
    batch = Batch(examples=(first, second, third), documents=(10, 11, 12), groups=((0,), (1,), (2,)))
    wanted = [[True, False, True], [False, True, True], [True, True, True]]
    assert allowed_documents(batch, data, in_batch=True).tolist() == wanted
    assert allowed_documents(batch, data, in_batch=False).tolist() == torch.eye(3, dtype=torch.bool).tolist()


def test_the_ramp_fits_the_steps() -> None:
    recipe = Recipe(train=["a"], steps=100, losses=Losses(flops=Sparsity(weight=0.08, ramp=0.5)))
    assert [loss_weights(recipe, n)["flops"] for n in (0, 25, 50, 99)] == [0.0, 0.02, 0.08, 0.08]


def test_every_document_of_a_group_counts_beside_a_shorter_group() -> None:
    def example(positive: int, scores: dict[int, float]) -> Example:
        return Example(query=(7,), sequence=(7,), positive=positive, hard=(), easy=(), scores=scores)

    examples = (example(10, {10: 5.0, 11: 4.0, 12: 1.0}), example(11, {11: 2.0}))
    batch = Batch(examples=examples, documents=(10, 11, 12), groups=((0, 1, 2), (1,)))
    plan = Plan(
        batch=batch,
        allowed=torch.ones(2, 3, dtype=torch.bool),
        texts={},
        confidence=[],
        has_query_network=False,
        columns=Columns(ids=torch.tensor([0]), share=torch.ones(1)),
        idf=torch.ones(1),
    )
    losses = Losses(margin_mse=MarginMSE(weight=1.0), margin_ranking=MarginRanking(weight=1.0, margin=2.5))
    vectors = {"documents": torch.tensor([[3.0], [1.0], [0.0]]), "queries": torch.ones(2, 1)}
    found = loss_of(vectors, plan, losses, loss_weights(Recipe(train=["a"], losses=losses), 0)).by_name
    assert found["margin_mse"] == ((2 - 1) ** 2 + (3 - 4) ** 2) / 2
    assert found["margin_ranking"] == (0.5 + 0.0) / 2


def test_terms_that_are_alike_because_all_hold_the_same_word_cost_flops() -> None:
    example = Example(query=(7,), sequence=(7,), positive=10, hard=(), easy=(), scores={10: 5.0})
    plan = Plan(
        batch=Batch(examples=(example,), documents=(10,), groups=((0,),)),
        allowed=torch.ones(1, 1, dtype=torch.bool),
        texts={},
        confidence=[1.0, 1.0],
        has_query_network=False,
        columns=Columns(ids=torch.tensor([0, 1, 2]), share=torch.ones(3)),
        idf=torch.ones(3),
    )
    documents, queries = torch.tensor([[2.0, 0.0, 0.0]]), torch.ones(1, 3)
    own = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    shared = torch.tensor([[0.0, 0.0, 2.0]] * 4)
    weights = loss_weights(Recipe(train=["a"]), 100)

    def flops_and_alignment(terms: torch.Tensor) -> tuple[float, float]:
        vectors = {"documents": documents, "queries": queries, "terms": terms}
        found = loss_of(vectors, plan, Losses(), weights).by_name
        return found["flops"], found["alignment"]

    assert flops_and_alignment(own) == (4.0 + (1.0 + 1.0), 0.0)
    assert flops_and_alignment(shared) == (4.0 + 4.0, 0.0)
    losses = Losses(idf_flops=Sparsity(weight=1.0), l1=Sparsity(weight=1.0))
    by_name = loss_of(
        {"documents": documents, "queries": queries, "terms": shared},
        plan,
        losses,
        loss_weights(Recipe(train=["a"], losses=losses), 100),
    ).by_name
    assert (by_name["idf_flops"], by_name["l1"]) == (4.0 + 4.0, 2.0 + 2.0), "as every loss of sparsity does"


def test_terms_are_told_from_those_that_differ_in_both_languages() -> None:
    plan = Plan(
        batch=Batch(examples=(), documents=(), groups=()),
        allowed=torch.ones(0, 0, dtype=torch.bool),
        texts={"terms": [[5], [5], [6], [7], [8], [9]]},
        confidence=[1.0, 1.0, 1.0],
        has_query_network=False,
        columns=Columns(ids=torch.tensor([0, 1]), share=torch.ones(2)),
        idf=torch.ones(2),
    )
    terms = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]] * 2)
    wanted = (2 * math.log1p(math.exp(-1)) + math.log(1 + 2 * math.exp(-1))) / 3
    assert float(_alignment(terms, plan, temperature=1.0)) == pytest.approx(wanted, abs=1e-6)
