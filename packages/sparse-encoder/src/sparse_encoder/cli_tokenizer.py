"""The commands that judge and change tokenizers: compare, adapt, noise, morphemes."""

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from sparse_encoder._files import InputError, Manifest, Output, write_json
from sparse_encoder.output_folder import check_output_folder
from sparse_encoder.passages import passage_text, passages_file, read_passages

Passages = Annotated[list[Path], typer.Argument(help="BEIR folders or JSON Lines files of passages.")]
TokenizerFolder = Annotated[Path, typer.Option(help="A tokenizer.json, or a folder with one.")]


def compare(
    tokenizers: Annotated[list[Path], typer.Argument(help="tokenizer.json files, or folders with one.")],
    passages: Annotated[Path, typer.Option(help="A BEIR folder or JSON Lines file of passages to cut.")],
    queries: Annotated[Path | None, typer.Option(help="queries.jsonl, for BM25 on the tokens.")] = None,
    qrels: Annotated[Path | None, typer.Option(help="Their judgements, as BEIR's TSV.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Prints how tokenizers cut the same passages, and what BM25 finds on their tokens."""
    import msgspec

    from sparse_encoder.token_bm25 import read_qrels
    from sparse_encoder.tokenizer_compare import Judged, compare, table
    from sparse_encoder.vocabulary import read_vocabulary

    if (queries is None) != (qrels is None):
        raise typer.BadParameter("--queries and --qrels belong together")
    found = list(read_passages(passages))
    judged = None
    if queries is not None and qrels is not None:
        asked = {query.id: query.text for query in read_passages(queries, queries=True)}
        judged = Judged(queries=asked, qrels=read_qrels(qrels), doc_ids=[p.id for p in found])
    vocabularies = {path.as_posix(): read_vocabulary(path) for path in tokenizers}
    measures = compare(vocabularies, [passage_text(p, title=True) for p in found], judged=judged)
    told = json.dumps(msgspec.to_builtins(measures), ensure_ascii=False, indent=2) if json_output else table(measures)
    typer.echo(told)


def adapt(
    model: Annotated[str, typer.Argument(help="Folder of a masked language model, or its name on the hub.")],
    passages: Passages,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write, for `model.start_from`.")],
    add: Annotated[int, typer.Option(min=1, help="Most morphemes to add.")] = 2000,
    min_count: Annotated[int, typer.Option(min=1, help="Times a morpheme must occur.")] = 20,
    largest: Annotated[int, typer.Option(help="Most tokens after it; OpenSearch's sparse_vector folds more.")] = 32_768,
) -> None:
    """Adds a corpus' morphemes to a pretrained vocabulary, each starting as the mean of its pieces."""
    from sparse_encoder.backbone_folder import write_backbone
    from sparse_encoder.hub import start_folder
    from sparse_encoder.tokenizer_adapt import adapt

    files = [passages_file(path) for path in passages]
    check_output_folder(output, inputs=[Path(model), *files])
    folder = start_folder(model, beside=Path())
    outputs = [Output(path=output, format="backbone")]
    manifest = _manifest([folder, *files], outputs, add=add, min_count=min_count, largest=largest)
    adapted = adapt(folder, _texts(files), n_added=add, min_count=min_count, largest=largest)
    longest = adapted.backbone.longest
    write_backbone(adapted.backbone, adapted.tokenizer, output, max_tokens=longest)
    manifest.write()
    shown = ", ".join(adapted.added[:5])
    typer.echo(f"{len(adapted.added)} tokens added ({shown}): {output}", err=True)


def noise(
    passages: Passages,
    tokenizer: TokenizerFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="noise_tokens.json, for `model.noise.tokens`.")],
    min_share: Annotated[float, typer.Option(min=0, max=1, help="Share of occurrences that must be noise.")] = 0.9,
    min_frequency: Annotated[float, typer.Option(min=0, max=1, help="Share of passages that must have it.")] = 0.01,
) -> None:
    """Lists the tokens that are particles, endings or punctuation in a corpus, by kiwi's tags and their frequency."""
    from sparse_encoder.noise import find_noise
    from sparse_encoder.vocabulary import read_vocabulary

    files = [passages_file(path) for path in passages]
    outputs = [Output(path=output, format="noise_tokens")]
    manifest = _manifest([*files, tokenizer], outputs, min_share=min_share, min_frequency=min_frequency)
    found = find_noise(_texts(files), read_vocabulary(tokenizer), min_share=min_share, min_frequency=min_frequency)
    if not found.tokens:
        raise InputError("no token is noise by these limits; lower --min-share or --min-frequency")
    write_json(output, found)
    manifest.write()
    typer.echo(f"{len(found.tokens)} noise tokens, such as {', '.join(list(found.tokens)[:5])}: {output}", err=True)


def morphemes(
    passages: Passages,
    tokenizer: TokenizerFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="token_morphemes.json to write.")],
    most: Annotated[int, typer.Option(min=1, help="Passages analysed, evenly from all; kiwi reads 1,000 a second.")] = (
        20_000
    ),
) -> None:
    """Writes what each Korean token stands for, and how common that is in general Korean."""
    from sparse_encoder.token_morphemes import find_token_morphemes
    from sparse_encoder.vocabulary import read_vocabulary

    files = [passages_file(path) for path in passages]
    outputs = [Output(path=output, format="token_morphemes")]
    manifest = _manifest([*files, tokenizer], outputs, most=most)
    n_passages = sum(1 for _ in _texts(files))
    some = islice(_texts(files), 0, None, max(1, -(-n_passages // most)))
    found = find_token_morphemes(some, read_vocabulary(tokenizer))
    write_json(output, found)
    manifest.write()
    n_words = sum(t.content > 0.5 for t in found.tokens.values())
    typer.echo(f"{len(found.tokens)} Korean tokens, {n_words} of them words rather than grammar: {output}", err=True)


def _texts(files: Sequence[Path]) -> Iterator[str]:
    return (passage_text(p, title=True) for file in files for p in read_passages(file))


def _manifest(files: Sequence[Path], outputs: Sequence[Output], **parameters: object) -> Manifest:
    return Manifest(
        package="sparse-encoder",
        package_version=version("sparse-encoder"),
        parameters=parameters,
        inputs=files,
        outputs=outputs,
    )
