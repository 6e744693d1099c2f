import math

import msgspec
import pytest
from sparse_encoder._files import InputError
from sparse_encoder.guard import Guard
from sparse_encoder.recipe import Guard as Bounds
from sparse_encoder.recipe import Losses, Recipe, Sparsity

RECIPE = Recipe(train=["a"], steps=100, guard=Bounds(patience=5), losses=Losses(flops=Sparsity(weight=0.1, ramp=0.5)))


def seen(guard: Guard, active_terms: float, *, recipe: Recipe = RECIPE, number: int = 60, times: int = 1) -> Guard:
    for _ in range(times):
        guard = guard.after(active_terms, recipe=recipe, number=number, vocab_size=1000)
    return guard


def test_a_healthy_run_is_left_alone() -> None:
    assert seen(Guard(), 80.0, times=500).pressure == 1.0


def test_a_collapse_lets_the_pressure_go_and_then_stops_with_a_reason() -> None:
    guard = seen(Guard(), 0.0, times=5)
    assert guard.pressure == pytest.approx(1.05**-5)
    with pytest.raises(InputError, match=r"0\.0 active terms at step 61, below 1\.0 for 6 .*has collapsed; lower"):
        seen(guard, 0.0)


def test_an_explosion_is_pressed_down_and_then_stops_with_a_reason() -> None:
    guard = seen(Guard(), 300.0, times=5)
    assert guard.pressure == pytest.approx(1.05**5)
    with pytest.raises(InputError, match=r"300\.0 active terms at step 61, above 250 .*exploded; raise"):
        seen(guard, 300.0)


def test_a_dense_start_is_no_explosion_before_the_ramp_is_over() -> None:
    assert seen(Guard(), 900.0, number=49, times=50).pressure == 1.0


def test_terms_that_come_back_in_time_start_the_count_anew() -> None:
    guard = seen(seen(Guard(), 300.0, times=2), 10.0, times=20)
    assert guard.n_outside == 0
    assert seen(guard, 10.0).pressure == guard.pressure > 1


def test_a_guard_that_may_not_steer_only_stops() -> None:
    recipe = msgspec.structs.replace(RECIPE, guard=Bounds(patience=5, steer=False))
    assert seen(Guard(), 0.0, recipe=recipe, times=5).pressure == 1.0
    with pytest.raises(InputError, match="collapsed"):
        seen(Guard(), 0.0, recipe=recipe, times=6)


@pytest.mark.parametrize("first", [30.0, 80.0, 600.0])
@pytest.mark.parametrize("slope", [0.3, 1.0])
def test_a_wanted_number_is_found_and_held(first: float, slope: float) -> None:
    """A model whose terms follow the pressure by a power law, each step a thirtieth of the way, as training's do."""
    recipe = msgspec.structs.replace(RECIPE, target_active_terms=80, guard=Bounds(most=1.0))
    guard, terms = Guard(), first
    for _ in range(400):
        guard = seen(guard, terms, recipe=recipe)
        at_rest = 250.0 / guard.pressure**slope
        terms *= math.exp((math.log(at_rest) - math.log(terms)) / 30)
    assert terms == pytest.approx(80.0, rel=0.05)
