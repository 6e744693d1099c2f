import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import (
    DistillKLDivLoss,
    MarginMSELoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.sparse_encoder.losses import FlopsLoss
from sparse_encoder.losses.alignment import alignment
from sparse_encoder.losses.contrastive_alignment import contrastive_alignment
from sparse_encoder.losses.flops import flops
from sparse_encoder.losses.idf_flops import idf_flops
from sparse_encoder.losses.infonce import infonce
from sparse_encoder.losses.kl import kl_distillation
from sparse_encoder.losses.l1 import l1
from sparse_encoder.losses.margin_mse import margin_mse
from sparse_encoder.losses.margin_ranking import margin_ranking

ALL = torch.ones(2, 2, dtype=torch.bool)


def test_infonce_of_two_queries_by_hand() -> None:
    found = infonce(torch.tensor([[1.0, 0.0], [2.0, 3.0]]), torch.tensor([0, 1]), ALL, temperature=1.0)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)


def test_infonce_at_temperature_two_by_hand() -> None:
    found = infonce(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), ALL[:1], temperature=2.0)
    assert float(found) == pytest.approx(0.3132617, abs=1e-6)


def test_infonce_leaves_out_what_is_not_allowed() -> None:
    allowed = torch.tensor([[True, False]])
    assert float(infonce(torch.tensor([[0.0, 9.0]]), torch.tensor([0]), allowed, temperature=1.0)) == 0.0


def test_kl_by_hand() -> None:
    found = kl_distillation(torch.zeros(1, 2), torch.tensor([[math.log(3), 0.0]]), ALL[:1], temperature=1.0)
    assert float(found) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), abs=1e-6)


def test_margin_mse_by_hand() -> None:
    found = margin_mse(torch.tensor([[3.0, 1.0], [1.0, 1.0]]), torch.tensor([[5.0, 4.0], [2.0, 0.0]]), ALL)
    assert float(found) == pytest.approx(((2 - 1) ** 2 + (0 - 2) ** 2) / 2)


def test_margin_ranking_by_hand() -> None:
    assert float(margin_ranking(torch.tensor([[3.0, 1.0], [1.0, 0.5]]), ALL, margin=1.0)) == 0.25


FIRST_WHOLE = torch.tensor([[True, True], [True, False]])
"""Two groups of two documents, of which the second's negative is missing."""


def test_kl_of_a_missing_document_by_hand() -> None:
    teacher = torch.tensor([[math.log(3), 0.0], [5.0, 9.0]])
    scores = torch.tensor([[0.0, 0.0], [1.0, 7.0]], requires_grad=True)
    found = kl_distillation(scores, teacher, FIRST_WHOLE, temperature=0.5)
    # softmax([2 ln 3, 0]) = [.9, .1]
    wanted = 0.25 * (0.9 * math.log(1.8) + 0.1 * math.log(0.2)) / 2
    assert float(found.detach()) == pytest.approx(wanted, abs=1e-6)
    (gradient,) = torch.autograd.grad(found, scores)
    # T / groups * (softmax of the model - that of the teacher)
    assert gradient.flatten().tolist() == pytest.approx([0.25 * -0.4, 0.25 * 0.4, 0.0, 0.0], abs=1e-6)


def test_margin_mse_of_a_missing_document_by_hand() -> None:
    found = margin_mse(torch.tensor([[3.0, 1.0], [1.0, 9.0]]), torch.tensor([[5.0, 4.0], [2.0, 0.0]]), FIRST_WHOLE)
    assert float(found) == 1.0


def test_margin_ranking_of_a_missing_document_by_hand() -> None:
    found = margin_ranking(torch.tensor([[1.0, 0.5], [1.0, 9.0]]), FIRST_WHOLE, margin=1.0)
    assert float(found) == 0.5


def test_groups_of_a_positive_alone_have_no_margin() -> None:
    scores, alone = torch.tensor([[1.0], [2.0]], requires_grad=True), ALL[:, :1]
    for found in (margin_mse(scores, scores.detach(), alone), margin_ranking(scores, alone, margin=1.0)):
        assert float(found.detach()) == 0.0
        assert torch.autograd.grad(found, scores)[0].tolist() == [[0.0], [0.0]]


def test_alignment_by_hand() -> None:
    korean = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    english = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    found = alignment(korean, english, torch.tensor([3.0, 1.0]))
    assert float(found) == pytest.approx((3 * (1 - math.sqrt(0.5)) + 1) / 4, abs=1e-6)


def test_contrastive_alignment_by_hand() -> None:
    korean, english = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = contrastive_alignment(korean, english, torch.tensor([3.0, 1.0]), ALL, temperature=0.5)
    # cosines [[1, 1], [0, 0]] over .5: by Korean ln 2 and ln 2, by English ln(1 + e^-2) and ln(1 + e^2)
    first, second = (math.log(2) + math.log1p(math.exp(-2))) / 2, (math.log(2) + math.log1p(math.exp(2))) / 2
    assert float(found) == pytest.approx((3 * first + second) / 4, abs=1e-6)


def test_contrastive_alignment_gains_nothing_by_a_word_that_all_terms_hold() -> None:
    own, shared = torch.eye(2), torch.ones(2, 2)
    lost = [float(contrastive_alignment(v, v, torch.ones(2), ALL, temperature=0.1)) for v in (own, shared)]
    assert lost == pytest.approx([math.log1p(math.exp(-10)), math.log(2)], abs=1e-6)
    assert float(alignment(shared, shared, torch.ones(2))) == pytest.approx(0.0, abs=1e-6), "which likeness alone does"


def test_contrastive_alignment_tells_no_term_from_itself() -> None:
    same = torch.ones(2, 2)
    assert float(contrastive_alignment(same, same, torch.ones(2), ~ALL, temperature=0.1)) == 0.0


def test_flops_by_hand() -> None:
    assert float(flops(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.ones(2))) == 5.0


def test_flops_equals_sentence_transformers() -> None:
    weights = torch.rand(4, 9, generator=torch.Generator().manual_seed(0))
    assert float(flops(weights, torch.ones(9))) == pytest.approx(
        float(FlopsLoss(None).compute_loss_from_embeddings(weights))
    )


def test_flops_lets_short_vectors_off() -> None:
    weights = torch.tensor([[1.0, 0.0], [1.0, 2.0]])
    assert float(flops(weights, torch.ones(2), threshold=1)) == 0.25 + 1.0


def test_l1_by_hand() -> None:
    assert float(l1(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.ones(2))) == 3.0


@given(st.integers(0, 1000))
def test_flops_of_sampled_columns_is_right_on_average(seed: int) -> None:
    weights = torch.rand(3, 6, generator=torch.Generator().manual_seed(seed))
    halves = [torch.tensor(c) for c in ([0, 1, 2], [3, 4, 5])]
    mean = sum(float(flops(weights[:, c], torch.full((3,), 2.0))) for c in halves) / 2
    assert mean == pytest.approx(float(flops(weights, torch.ones(6))), rel=1e-5)


def test_flops_with_a_threshold_equals_sentence_transformers() -> None:
    weights = torch.rand(4, 9, generator=torch.Generator().manual_seed(0)).sub(0.5).relu()
    peer = FlopsLoss(None, threshold=4).compute_loss_from_embeddings(weights)
    assert 0 < float(peer) < float(flops(weights, torch.ones(9)))
    assert float(flops(weights, torch.ones(9), threshold=4)) == pytest.approx(float(peer))


def test_idf_flops_by_hand() -> None:
    weights, idf = torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.tensor([0.5, 2.0])
    assert float(idf_flops(weights, torch.ones(2), idf)) == (2 / 0.5) ** 2 + (1 / 2) ** 2


def test_idf_flops_of_equal_terms_is_flops_and_of_others_that_of_weights_over_idf() -> None:
    weights = torch.rand(4, 9, generator=torch.Generator().manual_seed(1))
    idf = torch.rand(9, generator=torch.Generator().manual_seed(2)) + 0.5
    assert float(idf_flops(weights, torch.ones(9), torch.ones(9))) == pytest.approx(
        float(flops(weights, torch.ones(9)))
    )
    peer = FlopsLoss(None).compute_loss_from_embeddings(weights / idf)
    assert float(idf_flops(weights, torch.ones(9), idf)) == pytest.approx(float(peer))


def test_a_term_in_every_document_is_pressed_hard_and_not_without_end() -> None:
    assert float(idf_flops(torch.ones(2, 1), torch.ones(1), torch.zeros(1))) == pytest.approx(400.0)


def test_l1_lets_short_vectors_off() -> None:
    assert float(l1(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.ones(2), threshold=1)) == 2.5


def groups() -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """Three queries, and for each a positive and two negatives, as vectors; the scores of the three groups."""
    random = torch.Generator().manual_seed(3)
    queries = torch.rand(3, 5, generator=random)
    documents = [torch.rand(3, 5, generator=random) for _ in range(3)]
    scores = torch.stack([(queries * d).sum(dim=1) for d in documents], dim=1)
    return scores, queries, documents


def dot(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one * other).sum(dim=1)


def test_margin_mse_equals_sentence_transformers() -> None:
    scores, queries, documents = groups()
    teacher = torch.tensor([[5.0, 4.0, 1.0], [2.0, 0.0, -1.0], [1.0, 1.0, 0.5]])
    peer = MarginMSELoss(None, similarity_fct=dot).compute_loss_from_embeddings([queries, *documents], teacher)
    everywhere = torch.ones(3, 3, dtype=torch.bool)
    assert float(margin_mse(scores, teacher, everywhere)) == pytest.approx(float(peer))


def test_kl_equals_sentence_transformers() -> None:
    scores, queries, documents = groups()
    teacher = torch.tensor([[2.0, 1.0, 0.5], [2.0, 0.0, -1.0], [1.0, 1.0, 0.5]])
    peer = DistillKLDivLoss(None, similarity_fct=dot, temperature=2.0)
    found = peer.compute_loss_from_embeddings([queries, *documents], teacher)
    everywhere = torch.ones(3, 3, dtype=torch.bool)
    assert float(kl_distillation(scores, teacher, everywhere, temperature=2.0)) == pytest.approx(float(found))


def test_infonce_equals_sentence_transformers() -> None:
    _, queries, documents = groups()
    peer = MultipleNegativesRankingLoss(None, scale=0.5, similarity_fct=lambda a, b: a @ b.T)
    found = peer.compute_loss_from_embeddings([queries, *documents], None)
    ours = infonce(
        queries @ torch.cat(documents).T, torch.arange(3), torch.ones(3, 9, dtype=torch.bool), temperature=2.0
    )
    assert float(ours) == pytest.approx(float(found))


def test_margin_ranking_equals_torchs_own() -> None:
    scores, _, _ = groups()
    peer = torch.nn.MarginRankingLoss(margin=0.7)(
        scores[:, :1].expand(3, 2).flatten(), scores[:, 1:].flatten(), torch.ones(6)
    )
    assert float(margin_ranking(scores, torch.ones(3, 3, dtype=torch.bool), margin=0.7)) == pytest.approx(float(peer))


def test_alignment_equals_torchs_cosine_loss_where_all_are_sure() -> None:
    _, korean, (english, *_) = groups()
    peer = torch.nn.CosineEmbeddingLoss()(korean, english, torch.ones(3))
    assert float(alignment(korean, english, torch.ones(3))) == pytest.approx(float(peer))
