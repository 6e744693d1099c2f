"""What a training run reads, all of it checked before the first step."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sparse_encoder._files import InputError, sha256
from sparse_encoder.groups import Examples, read_examples
from sparse_encoder.noise import read_noise
from sparse_encoder.recipe import Groups, Recipe
from sparse_encoder.starting import channel_folder
from sparse_encoder.term_pairs import Terms, joined, read_terms
from sparse_encoder.vocabulary import Vocabulary, count_idf, read_idf, read_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a run reads, checked before its first step."""

    vocabulary: Vocabulary
    idf: list[float]
    noise: list[int]
    """Tokens that should weigh little in a document."""
    train: Examples
    validation: Examples | None
    terms: Terms | None
    identity: str
    """Hash of the settings and of all files read."""


def inputs(recipe: Recipe) -> list[Path]:
    """The files that a recipe reads."""
    names = [g.path for g in recipe.train if isinstance(g, Groups)]
    names += [
        recipe.validation,
        recipe.term_pairs,
        recipe.parallel,
        recipe.model.idf,
        recipe.model.tokenizer,
        recipe.model.token_vectors,
        recipe.model.start_from,
        recipe.model.queries.start_from,
        recipe.model.noise.tokens,
    ]
    channel = channel_folder(Path(recipe.model.start_from)) if recipe.model.start_from else None
    return [*(Path(name) for name in names if name), *([channel] if channel else [])]


def read_material(recipe: Recipe) -> Material:
    """Reads and checks all inputs of a located recipe."""
    counted = recipe.model.queries.side != "idf"
    for key in ("tokenizer",) if counted else ("tokenizer", "idf"):
        if not getattr(recipe.model, key):
            raise InputError(f"the recipe's 'model.{key}' is missing; wanted the path of {_MADE_BY[key]}")
    if recipe.model.queries.start_from and recipe.model.queries.side != "other":
        raise InputError("the recipe's 'model.queries.start_from' is a second encoder's; wanted 'side: other' with it")
    vocabulary = read_vocabulary(Path(recipe.model.tokenizer))
    _refuse_contradictions(recipe, n_tokens=len(vocabulary.tokens))
    files = [(Path(g.path), g.weight) for g in recipe.train if isinstance(g, Groups)]
    lengths = {
        "query_tokens": recipe.query_tokens,
        "document_tokens": min(recipe.document_tokens, recipe.model.max_tokens),
    }
    train = read_examples(files, vocabulary, **lengths)
    validation = read_examples([(Path(recipe.validation), 1.0)], vocabulary, **lengths) if recipe.validation else None
    terms = _read_alignment(recipe, vocabulary)
    given = Path(recipe.model.idf) if recipe.model.idf else None
    idf = read_idf(given, vocabulary) if given else count_idf(train.documents, vocabulary)
    if len(train.examples) < recipe.batch:
        raise InputError(f"{files[0][0]}: {len(train.examples)} groups are fewer than a batch of {recipe.batch}")
    identity = hashlib.sha256(msgspec.json.encode(_without_paths(recipe)))
    for path in inputs(recipe):
        identity.update(sha256(path).encode())
    return Material(
        vocabulary=vocabulary,
        idf=idf,
        noise=read_noise(Path(recipe.model.noise.tokens), vocabulary) if recipe.model.noise.tokens else [],
        train=train,
        validation=validation,
        terms=terms,
        identity=identity.hexdigest(),
    )


def _refuse_contradictions(recipe: Recipe, *, n_tokens: int) -> None:
    limit = recipe.model.vocabulary_limit
    if n_tokens > limit:
        raise InputError(
            f"{recipe.model.tokenizer}: has {n_tokens} tokens, above {limit}: OpenSearch's sparse_vector folds the ids "
            f"from 32,768 on; take a smaller one, or raise 'model.vocabulary_limit' to serve it otherwise"
        )
    if recipe.target_active_terms and not recipe.losses.flops.weight:
        raise InputError("'target_active_terms' wants 'losses.flops.weight' above 0, to start from")
    if recipe.patience and not (recipe.evaluate_every and recipe.validation):
        raise InputError(
            f"'patience' is {recipe.patience}, but 'evaluate_every' is {recipe.evaluate_every} and 'validation' "
            f"{recipe.validation!r}; wanted both, since it counts evaluations"
        )


def _read_alignment(recipe: Recipe, vocabulary: Vocabulary) -> Terms | None:
    lengths = {recipe.term_pairs: 16, recipe.parallel: recipe.document_tokens}
    found = [read_terms(Path(file), vocabulary, max_tokens=n) for file, n in lengths.items() if file]
    return joined(found) if found else None


_MADE_BY = {"tokenizer": "what `sparse-encoder tokenizer build` writes", "idf": "an idf.json of that tokenizer"}


def _without_paths(recipe: Recipe) -> Recipe:
    queries = msgspec.structs.replace(recipe.model.queries, start_from="")
    noise = msgspec.structs.replace(recipe.model.noise, tokens="")
    paths = {"tokenizer": "", "idf": "", "token_vectors": "", "start_from": ""}
    model = msgspec.structs.replace(recipe.model, queries=queries, noise=noise, **paths)
    return msgspec.structs.replace(recipe, model=model, train=[], validation="", term_pairs="", parallel="")
