"""Settings of a training recipe that contradict each other, or that would do nothing and not say so.

They are told before anything is computed: a run of hours that ignored a setting looks like one that obeyed it.
"""

from collections.abc import Iterator

from sparse_encoder._files import InputError
from sparse_encoder.recipe import Recipe
from sparse_encoder.settings import SettingsError

_MADE_BY = {"tokenizer": "what `sparse-encoder tokenizer build` writes", "idf": "an idf.json of that tokenizer"}


def refuse_missing(recipe: Recipe) -> None:
    """Raises SettingsError where the recipe lacks what its model needs."""
    for key in ("tokenizer", "idf") if recipe.model.queries.side == "idf" else ("tokenizer",):
        if not getattr(recipe.model, key):
            raise SettingsError(f"the recipe's 'model.{key}' is missing; wanted the path of {_MADE_BY[key]}")
    if recipe.model.queries.start_from and recipe.model.queries.side != "other":
        raise SettingsError(
            "the recipe's 'model.queries.start_from' is a second encoder's; wanted 'side: other' with it"
        )


def refuse_contradictions(recipe: Recipe, *, n_tokens: int) -> None:
    """Raises InputError with the first contradiction; n_tokens: of the tokenizer."""
    limit = recipe.model.vocabulary_limit
    if n_tokens > limit:
        raise InputError(
            f"{recipe.model.tokenizer}: has {n_tokens} tokens, above {limit}: OpenSearch's sparse_vector folds the ids "
            f"from 32,768 on; take a smaller one, or raise 'model.vocabulary_limit' to serve it otherwise"
        )
    for message in (*_of_target(recipe, n_tokens), *_of_evaluation(recipe), *_of_negatives(recipe)):
        raise SettingsError(message)


def _of_target(recipe: Recipe, n_tokens: int) -> Iterator[str]:
    target, kept = recipe.target_active_terms, recipe.model.max_active_terms
    if target and not recipe.losses.flops.weight:
        yield "'target_active_terms' wants 'losses.flops.weight' above 0, to start from"
    if target > n_tokens:
        yield f"'target_active_terms' is {target}, but the tokenizer has {n_tokens} tokens; wanted fewer"
    if target > kept:
        yield (
            f"'target_active_terms' is {target}, but 'model.max_active_terms' keeps {kept} of a document; "
            f"lower the one or raise the other"
        )


def _of_evaluation(recipe: Recipe) -> Iterator[str]:
    if recipe.patience and not (recipe.evaluate_every and recipe.validation):
        yield (
            f"'patience' is {recipe.patience}, but 'evaluate_every' is {recipe.evaluate_every} and 'validation' "
            f"{recipe.validation!r}; wanted both, since it counts evaluations"
        )
    if recipe.evaluate_every and not recipe.validation:
        yield (
            f"'evaluate_every' is {recipe.evaluate_every}, but there is no 'validation' to evaluate on; "
            f"give a file of groups, or leave 'evaluate_every' out"
        )


def _of_negatives(recipe: Recipe) -> Iterator[str]:
    """A loss on a query's own documents is 0 where only its positive is drawn."""
    if recipe.hard_negatives or recipe.easy_negatives:
        return
    for name in ("kl", "margin_mse", "margin_ranking"):
        weight = getattr(recipe.losses, name).weight
        if weight:
            yield (
                f"'losses.{name}.weight' is {weight}, but 'hard_negatives' and 'easy_negatives' are 0, so that there "
                f"is nothing to tell a positive from; draw some, or leave the loss out"
            )
