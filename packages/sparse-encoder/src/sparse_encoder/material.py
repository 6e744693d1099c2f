"""What a training run reads, all of it checked before the first step."""

from dataclasses import dataclass
from pathlib import Path

from sparse_encoder._files import InputError
from sparse_encoder.contradictions import refuse_contradictions, refuse_missing
from sparse_encoder.groups import Examples, read_examples
from sparse_encoder.identity import run_identity
from sparse_encoder.noise import read_noise
from sparse_encoder.recipe import Groups, Recipe
from sparse_encoder.starting import channel_folder
from sparse_encoder.term_pairs import TERM_TOKENS, Terms, joined, read_terms
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
    """Settings and hashes of all files read, see `run_identity`."""


def inputs(recipe: Recipe) -> list[Path]:
    """The files that a recipe reads."""
    return list(_files(recipe).values())


def _files(recipe: Recipe) -> dict[str, Path]:
    """They by the setting that names them."""
    model = recipe.model
    named = {f"train[{i}].path": g.path for i, g in enumerate(recipe.train) if isinstance(g, Groups)}
    named |= {
        "validation": recipe.validation,
        "term_pairs": recipe.term_pairs,
        "parallel": recipe.parallel,
        "model.idf": model.idf,
        "model.tokenizer": model.tokenizer,
        "model.token_vectors": model.token_vectors,
        "model.start_from": model.start_from,
        "model.queries.start_from": model.queries.start_from,
        "model.noise.tokens": model.noise.tokens,
    }
    channel = channel_folder(Path(model.start_from)) if model.start_from else None
    beside = {"the lexical channel beside model.start_from": channel} if channel else {}
    return {name: Path(path) for name, path in named.items() if path} | beside


def read_material(recipe: Recipe) -> Material:
    """Reads and checks all inputs of a located recipe."""
    refuse_missing(recipe)
    vocabulary = read_vocabulary(Path(recipe.model.tokenizer))
    refuse_contradictions(recipe, n_tokens=len(vocabulary.tokens))
    identity = run_identity(recipe, _files(recipe))
    files = [(Path(g.path), g.weight) for g in recipe.train if isinstance(g, Groups)]
    longest = recipe.model.max_tokens
    is_encoded = recipe.model.queries.side in ("same", "other")
    # a query that is a bag of tokens goes through no network, which alone has a longest text
    query_tokens = min(recipe.query_tokens, longest) if is_encoded else recipe.query_tokens
    train = read_examples(
        files, vocabulary, query_tokens=query_tokens, document_tokens=min(recipe.document_tokens, longest)
    )
    terms = _read_alignment(recipe, vocabulary)
    given = Path(recipe.model.idf) if recipe.model.idf else None
    idf = read_idf(given, vocabulary) if given else count_idf(train.documents, vocabulary)
    if not any(idf):
        raise InputError(f"{given}: every weight is 0; wanted weights above 0, since no query would find anything")
    if len(train.examples) < recipe.batch:
        raise InputError(f"{files[0][0]}: {len(train.examples)} groups are fewer than a batch of {recipe.batch}")
    return Material(
        vocabulary=vocabulary,
        idf=idf,
        noise=read_noise(Path(recipe.model.noise.tokens), vocabulary) if recipe.model.noise.tokens else [],
        train=train,
        validation=_read_validation(recipe, vocabulary),
        terms=terms,
        identity=identity,
    )


def _read_validation(recipe: Recipe, vocabulary: Vocabulary) -> Examples | None:
    """Cut as the finished model cuts, which training may do sooner."""
    if not recipe.validation:
        return None
    longest = recipe.model.max_tokens
    # a bag of tokens is counted without the two special ones that its sequence has here
    query_tokens = longest if recipe.model.queries.side in ("same", "other") else longest + 2
    files = [(Path(recipe.validation), 1.0)]
    return read_examples(files, vocabulary, query_tokens=query_tokens, document_tokens=longest)


def _read_alignment(recipe: Recipe, vocabulary: Vocabulary) -> Terms | None:
    files = [(recipe.term_pairs, TERM_TOKENS), (recipe.parallel, recipe.document_tokens)]
    longest = recipe.model.max_tokens
    found = [read_terms(Path(file), vocabulary, max_tokens=min(n, longest)) for file, n in files if file]
    return joined(found) if found else None
