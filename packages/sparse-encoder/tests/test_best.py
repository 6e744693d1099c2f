import torch
from sparse_encoder.best import Best, take_up, turn_back


def test_the_first_of_equals_is_kept_with_its_weights() -> None:
    weight = torch.tensor([1.0])
    best = Best().after(0.5, step=10, parameters=[weight])
    weight.fill_(2.0)
    best = best.after(0.5, step=20, parameters=[weight]).after(0.4, step=30, parameters=[weight])
    assert (best.step, best.ndcg_at_10, best.n_worse) == (10, 0.5, 2)
    take_up([weight], best.weights)
    assert weight.tolist() == [1.0]


def test_a_checkpoint_gives_it_back() -> None:
    best = Best(step=10, ndcg_at_10=0.25, n_worse=3)
    assert Best.of(best.numbers(), []) == best


def test_parameters_are_turned_back_by_a_share_of_the_way_from_the_start() -> None:
    weight = torch.tensor([2.0, -4.0])
    turn_back([weight], [torch.tensor([0.0, 0.0])], share=0.25)
    assert weight.tolist() == [1.5, -3.0]
