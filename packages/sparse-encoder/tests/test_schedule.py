import pytest
from sparse_encoder.recipe import Recipe
from sparse_encoder.schedule import learning_rate


def rates(schedule: str) -> list[float]:
    recipe = Recipe(train=["a"], steps=10, warmup=0.2, learning_rate=1.0, schedule=schedule)  # type: ignore[arg-type]
    return [learning_rate(recipe, n) for n in (0, 1, 2, 6, 9)]


def test_the_rate_rises_and_falls() -> None:
    assert rates("linear") == [0.5, 1.0, 1.0, 0.5, 0.125]


def test_a_cosine_falls_slowly_at_first_and_a_constant_stays() -> None:
    assert rates("cosine") == pytest.approx([0.5, 1.0, 1.0, 0.5, 0.0380602])
    assert rates("constant") == [0.5, 1.0, 1.0, 1.0, 1.0]
