"""The command line `ko-corpus`: a verb for each step from raw documents to training data.

Only reads arguments, calls the modules and writes what they yield, with a manifest beside it.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ._files import InputError, Manifest, Output, exit_on_error, write_jsonl

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help="Korean text into training data.")

OutputPath = Annotated[Path, typer.Option("--output", "-o", help="Where to write.", show_default=False)]


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)


def _version() -> str:
    from importlib.metadata import version

    return version("ko-corpus")


def _log(message: str) -> None:
    typer.echo(message, err=True)


@app.command()
def load(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="JSONL(.gz) files, or folders of them.")],
    output: OutputPath,
    *,
    duplicates: Annotated[Path | None, typer.Option(help="Where to list what was dropped as a copy.")] = None,
    near: Annotated[float, typer.Option(min=0.01, max=1, help="Jaccard similarity from which two are one.")] = 0.8,
) -> None:
    """Reads documents strictly, cleans them and keeps the first of each set of copies, in order."""
    from .cleaning import clean
    from .documents import Document, read_documents
    from .duplicates import Clusters, deduplicate

    started = time.time()
    counts = {"read": 0, "empty": 0}
    clusters = Clusters()

    def cleaned() -> Iterator[Document]:
        for document in map(clean, read_documents(sources)):
            counts["read"] += 1
            if document.text:
                yield document
            else:
                counts["empty"] += 1

    n_kept = write_jsonl(output, deduplicate(cleaned(), clusters, threshold=near))
    outputs = [Output(path=output, format="documents", n_records=n_kept)]
    if duplicates is not None:
        n_clusters = write_jsonl(duplicates, clusters.records())
        outputs.append(Output(path=duplicates, format="duplicate_clusters", n_records=n_clusters))
    counts |= {"duplicates": clusters.n_dropped, "kept": n_kept}
    _manifest({"near": near}, sources, outputs, started=started, counts=counts)
    _log(", ".join(f"{n} {name}" for name, n in counts.items()) + f": {output}")


@app.command()
def chunk(
    documents: Annotated[Path, typer.Argument(metavar="DOCUMENTS", help="documents.jsonl, as `load` writes it.")],
    output: OutputPath,
    *,
    min_chars: Annotated[int, typer.Option(min=1, help="Shorter paragraphs are joined.")] = 120,
    max_chars: Annotated[int, typer.Option(min=1, help="Longer paragraphs are cut at sentence ends.")] = 400,
) -> None:
    """Cuts documents into passages: OUTPUT/corpus.jsonl."""
    from .chunking import Lengths
    from .chunking import chunk as chunk_document
    from .documents import read_documents

    started = time.time()
    if min_chars > max_chars:
        raise typer.BadParameter(f"--min-chars {min_chars} is above --max-chars {max_chars}")
    lengths = Lengths(min_chars=min_chars, max_chars=max_chars)
    passages = (passage for document in read_documents([documents]) for passage in chunk_document(document, lengths))
    n_passages = write_jsonl(output / "corpus.jsonl", passages)
    outputs = [Output(path=output, format="passages", n_records=n_passages)]
    _manifest({"min_chars": min_chars, "max_chars": max_chars}, [documents], outputs, started=started)
    _log(f"{n_passages} passages: {output / 'corpus.jsonl'}")


def _manifest(
    parameters: dict[str, object],
    inputs: list[Path],
    outputs: list[Output],
    *,
    started: float,
    seed: int | None = None,
    counts: dict[str, int] | None = None,
) -> None:
    Manifest(
        package="ko-corpus",
        package_version=_version(),
        parameters=parameters,
        seed=seed,
        inputs=inputs,
        outputs=outputs,
        counts=counts or {},
        started=started,
    ).write()
