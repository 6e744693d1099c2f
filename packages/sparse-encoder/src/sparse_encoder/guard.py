"""The sparsity guard: what is done when documents lose all terms or keep too many, and how a wanted number is held.

FLOPS weights do not carry over from one corpus or size to another, and one that is wrong shows only after hours.
"""

import math
from dataclasses import dataclass, replace

from sparse_encoder._files import InputError
from sparse_encoder.recipe import Recipe

SMOOTHING = 0.9
"""Of the active terms from step to step: a batch's own number is noisy."""
NUDGE = 1.05
"""Factor a step by which the guard steers back."""
PROPORTIONAL, INTEGRAL = 1.0, 0.04
"""Gains of the controller that holds a wanted number, on the logarithm of found over wanted."""
LARGEST_ERROR = 2.0
"""Bound of that logarithm, so that a dense start does not wind the integral up."""
LARGEST_PRESSURE = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The guard after some steps; `after` gives the next one."""

    pressure: float = 1.0
    """What the weights of the sparsity losses are multiplied with in the next step."""
    active_terms: float = -1.0
    """Smoothed mean over documents; below 0 before the first step."""
    integral: float = 0.0
    """Of the controller: summed error times its gain."""
    n_outside: int = 0
    """Steps in a row out of bounds."""

    def after(self, active_terms: float, *, recipe: Recipe, number: int, vocab_size: int) -> "Guard":
        """The guard after step `number`, from 0, whose documents had so many active terms.

        InputError where they have been out of bounds for longer than the recipe's patience.
        """
        smoothed = active_terms
        if self.active_terms >= 0:
            smoothed = SMOOTHING * self.active_terms + (1 - SMOOTHING) * active_terms
        side = _side(smoothed, recipe, number, vocab_size)
        seen = replace(self, active_terms=smoothed, n_outside=self.n_outside + 1 if side else 0)
        if seen.n_outside > recipe.guard.patience:
            raise InputError(_reason(seen, side, recipe, number, vocab_size))
        if recipe.target_active_terms:
            return seen._held(recipe.target_active_terms)
        if not (side and recipe.guard.steer):
            return seen
        return replace(seen, pressure=_bounded(seen.pressure * NUDGE**side))

    def _held(self, target: int) -> "Guard":
        """One step of a proportional-integral controller on the logarithm of the pressure."""
        error = math.log(max(self.active_terms, 0.1) / target)
        error = max(-LARGEST_ERROR, min(LARGEST_ERROR, error))
        bound = math.log(LARGEST_PRESSURE)
        integral = max(-bound, min(bound, self.integral + INTEGRAL * error))
        return replace(self, integral=integral, pressure=_bounded(math.exp(PROPORTIONAL * error + integral)))


def _side(active_terms: float, recipe: Recipe, number: int, vocab_size: int) -> int:
    """-1 for a collapse, 1 for an explosion once the ramp is over, 0 between."""
    if active_terms < recipe.guard.fewest:
        return -1
    is_ramped = number >= recipe.losses.flops.ramp * recipe.steps
    return 1 if is_ramped and active_terms > recipe.guard.most * vocab_size else 0


def _reason(guard: Guard, side: int, recipe: Recipe, number: int, vocab_size: int) -> str:
    flops = recipe.losses.flops.weight * guard.pressure
    found = f"documents have {guard.active_terms:.1f} active terms at step {number + 1}"
    held = f"for {guard.n_outside} steps, although the guard steered" if recipe.guard.steer else "for long"
    if side < 0:
        return (
            f"{found}, below {recipe.guard.fewest} {held} (the FLOPS weight is now {flops:.2g}): the model has "
            f"collapsed; lower 'losses.flops.weight' or 'learning_rate', or give 'target_active_terms'"
        )
    return (
        f"{found}, above {recipe.guard.most * vocab_size:.0f} {held} (the FLOPS weight is now {flops:.2g}): they "
        f"have exploded; raise 'losses.flops.weight', shorten its 'ramp', or give 'target_active_terms'"
    )


def _bounded(pressure: float) -> float:
    return max(1 / LARGEST_PRESSURE, min(LARGEST_PRESSURE, pressure))
