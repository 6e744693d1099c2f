"""The learning rate of every step."""

import math

from sparse_encoder.recipe import Recipe


def learning_rate(recipe: Recipe, number: int) -> float:
    """The rate at step `number`, from 0: up linearly over the warm-up, then by the recipe's schedule.

    linear and cosine fall to 0 after the last step (cosine: Loshchilov and Hutter 2017, arXiv:1608.03983, without
    restarts); constant stays.

    >>> recipe = Recipe(train=["groups.jsonl"], steps=10, warmup=0.2, learning_rate=1.0)
    >>> [learning_rate(recipe, n) for n in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.125]
    """
    warmup = max(1, round(recipe.warmup * recipe.steps))
    if number < warmup:
        return recipe.learning_rate * (number + 1) / warmup
    left, falling = recipe.steps - number, max(1, recipe.steps - warmup)
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if recipe.schedule == "cosine":
        return recipe.learning_rate * (1 - math.cos(math.pi * left / falling)) / 2
    return recipe.learning_rate * left / falling
