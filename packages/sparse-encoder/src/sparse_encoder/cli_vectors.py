"""The command that learns what tokens mean from the texts they stand in, before any training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sparse_encoder._files import InputError, Manifest, Output, read_jsonl, whole
from sparse_encoder._options import grouped


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a line of pairs: a query and the passage that answers it."""

    query: str
    doc_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is learned from beside the passages."""

    pairs: Annotated[list[Path] | None, typer.Option(help="Queries that go into their passage's context.")] = None
    parallel: Annotated[list[Path] | None, typer.Option(help="Korean and English of one meaning.")] = None
    morphemes: Annotated[
        Path | None, typer.Option(help="token_morphemes.json: general Korean lends its meanings to rare tokens.")
    ] = None

    def paths(self) -> list[Path]:
        """The files given."""
        return [*(self.pairs or []), *(self.parallel or []), *([self.morphemes] if self.morphemes else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How it is counted."""

    width: Annotated[int, typer.Option(min=2, help="The model's width: 256 for small.")] = 256
    max_tokens: Annotated[int, typer.Option(min=2, help="Tokens of a passage that count.")] = 256
    seed: Annotated[int, typer.Option(help="Of the random projection.")] = 42


@grouped
def vectors(
    tokenizer: Annotated[Path, typer.Argument(help="tokenizer.json, or its folder.")],
    passages: Annotated[list[Path], typer.Argument(help="BEIR folders or JSON Lines files of passages.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="token_vectors.npy to write.")],
    *,
    beside: Beside,
    counting: Counting,
) -> None:
    """Writes token vectors for a lexical start: tokens of like meaning, in either language, are near each other."""
    import numpy as np

    from sparse_encoder.general_vectors import general_vectors, joined
    from sparse_encoder.passages import passages_file
    from sparse_encoder.term_pairs import TermPair
    from sparse_encoder.token_morphemes import read_token_morphemes
    from sparse_encoder.token_vectors import context_matrix, token_vectors
    from sparse_encoder.vocabulary import read_vocabulary

    vocabulary = read_vocabulary(tokenizer)
    files = [passages_file(path) for path in passages]
    manifest = Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters={"width": counting.width, "max_tokens": counting.max_tokens},
        seed=counting.seed,
        inputs=[tokenizer, *files, *beside.paths()],
        outputs=[Output(path=output, format="token_vectors")],
    )
    table = read_token_morphemes(beside.morphemes, vocabulary) if beside.morphemes else None
    queries = _queries(beside.pairs or [])
    contexts = [_contexts(file, queries) for file in files]
    contexts += [(f"{p.ko}\n{p.en}" for p in read_jsonl(file, TermPair)) for file in beside.parallel or []]
    width = counting.width
    matrices = [context_matrix(texts, vocabulary, max_tokens=counting.max_tokens) for texts in contexts]
    if sum(m.shape[0] for m in matrices) < width:
        raise InputError(f"{files[0]}: fewer texts than --width {width}; give more passages or a smaller width")
    found = token_vectors(matrices, width=width, seed=counting.seed)
    if table is not None:
        n_texts = np.stack([np.bincount(m.indices, minlength=len(found)) for m in matrices]).sum(axis=0)
        found = joined(found, general_vectors(table, vocabulary), n_texts, width=width)
    with whole(output) as part, part.open("wb") as file:
        np.save(file, found)
    manifest.write()
    typer.echo(f"{int(found.any(axis=1).sum())} of {len(found)} tokens have a vector: {output}", err=True)


def _queries(pairs: Sequence[Path]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in pairs:
        for pair in read_jsonl(path, Asked):
            found.setdefault(pair.doc_id, []).append(pair.query)
    return found


def _contexts(file: Path, queries: Mapping[str, list[str]]) -> Iterator[str]:
    """Each passage after its queries: what asks and what answers is one context."""
    from sparse_encoder.passages import passage_text, read_passages

    for passage in read_passages(file):
        yield "\n".join([*queries.get(passage.id, []), passage_text(passage, title=True)])
