"""The command `encode`: a model read once, and any number of files of passages and queries with it.

A process and its model take longer to start than a small file takes to encode, hence several files a call.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sparse_encoder._files import InputError, Manifest, Output, claim_work, clear_work, sha256
from sparse_encoder._options import grouped
from sparse_encoder.passages import passage_text, passages_file, read_passages

if TYPE_CHECKING:
    from sparse_encoder.backends import Side

Texts = Sequence[tuple[str, str]]
"""Ids and texts of a file, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of texts and where its vectors go."""

    texts: Path
    output: Path
    work: Path
    queries: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is encoded."""

    queries: Annotated[bool, typer.Option(help="Encode TEXTS as queries; of a BEIR folder queries.jsonl.")] = False
    also: Annotated[list[str], typer.Option(metavar="PASSAGES=OUTPUT", help="More passages; repeatable.")] = field(
        default_factory=list
    )
    also_queries: Annotated[list[str], typer.Option(metavar="QUERIES=OUTPUT", help="Queries too; repeatable.")] = field(
        default_factory=list
    )
    work: Annotated[Path | None, typer.Option(help="Folder for partial work; default beside the output.")] = None

    def jobs(self, texts: Path, output: Path) -> list[Job]:
        """What is to be encoded, in the order given."""
        first = Job(texts=texts, output=output, work=self.work or _beside(output), queries=self.queries)
        passages = _jobs(self.also, self.work, queries=False)
        return [first, *passages, *_jobs(self.also_queries, self.work, queries=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a vector holds."""

    title: Annotated[bool, typer.Option(help="Put each passage's title before its text.")] = False
    top_k: Annotated[int | None, typer.Option(min=1, help="Terms of a passage, instead of the model's limit.")] = None
    ratio: Annotated[float, typer.Option(min=0, max=1, help="Least share of its heaviest, for passages.")] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """How it is computed."""

    backend: Annotated[Literal["torch", "onnx"], typer.Option(help="onnx also takes an export folder.")] = "torch"
    int8: Annotated[bool, typer.Option(help="Multiply in 8 bits: faster, and vectors change a little.")] = False
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Of the torch backend; several GPUs are dealt out.")
    ] = "auto"
    processes: Annotated[int, typer.Option(min=1, help="Shards of passages are encoded by so many at once.")] = 1
    shard: Annotated[int, typer.Option(min=1, help="Texts between two points that a killed run goes on from.")] = 2000


@grouped
def encode(
    model: Annotated[Path, typer.Argument(help="A model folder; with --backend onnx an export folder too.")],
    texts: Annotated[Path, typer.Argument(help="A BEIR folder, corpus.jsonl or queries.jsonl.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="vectors.parquet or vectors.jsonl.")],
    files: Files,
    kept: Kept,
    computing: Computing,
) -> None:
    """Encodes passages or queries to sparse vectors; several files with one start of the model."""
    jobs = files.jobs(texts, output)
    _check(jobs, model, kept)
    from sparse_encoder.backends import Side, check_side

    side = Side(model=model, backend=computing.backend, int8=computing.int8, device=computing.device)
    check_side(side, top_k=kept.top_k or 0)
    _run(side, jobs, kept, computing)
    for job in jobs:
        clear_work(job.work)


def _jobs(pairs: Sequence[str], work: Path | None, *, queries: bool) -> list[Job]:
    jobs = []
    for pair in pairs:
        texts, _, output = pair.rpartition("=")
        if not texts or not output:
            raise typer.BadParameter(f"{pair!r}: wanted TEXTS=OUTPUT, such as queries.jsonl=queries.parquet")
        path = Path(output)
        place = work / _name_of(path) if work else _beside(path)
        jobs.append(Job(texts=Path(texts), output=path, work=place, queries=queries))
    return jobs


def _name_of(output: Path) -> str:
    """A name for an output's partial work that another output of its name, in another folder, does not have."""
    return f"{output.name}.{hashlib.sha256(os.fsencode(output.resolve())).hexdigest()[:8]}"


def _check(jobs: Sequence[Job], model: Path, kept: Kept) -> None:
    """Refuses before anything is read what could not be written at the end, or would be written over an input."""
    for job in jobs:
        _check_place(job.output)
    inputs = {passages_file(job.texts, queries=job.queries).resolve() for job in jobs}
    seen: set[Path] = set()
    for job in jobs:
        output = job.output.resolve()
        if output in inputs:
            raise InputError(f"{job.output}: is an input of this very command; give another output")
        if output.is_relative_to(model.resolve()):
            raise InputError(f"{job.output}: lies in the model {model}; give another output")
        if output in seen:
            raise InputError(f"{job.output}: is the output of two inputs; wanted one output each")
        seen.add(output)
    if (kept.top_k or kept.ratio) and all(job.queries for job in jobs):
        raise InputError("--top-k and --ratio prune passages, and only queries are encoded; leave them out")


def _check_place(output: Path) -> None:
    from sparse_encoder.vectors import form_of

    if output.is_dir():
        raise InputError(f"{output}: is a folder; wanted a file name, such as {output / 'vectors.parquet'}")
    form_of(output)
    there = next(folder for folder in output.absolute().parents if folder.exists())
    if not there.is_dir():
        raise InputError(f"{output}: {there} is no folder; wanted a place to write to")
    if not os.access(there, os.W_OK):
        raise InputError(f"{output}: {there} cannot be written in; wanted a place to write to")


def _run(side: "Side", jobs: Sequence[Job], kept: Kept, computing: Computing) -> None:
    texts = [_read(job, kept) for job in jobs]
    manifests = [_manifest(side, job, kept) for job in jobs]
    numbers = _encode_queries(side, jobs, texts) | _encode_passages(side, jobs, texts, kept, computing)
    for job, manifest in zip(jobs, manifests, strict=True):
        n = numbers[job.output]
        replace(manifest, outputs=[Output(path=job.output, format="vectors", n_records=n)]).write()
        typer.echo(f"{n} vectors: {job.output}", err=True)


def _read(job: Job, kept: Kept) -> list[tuple[str, str]]:
    title = kept.title and not job.queries
    found = [(p.id, passage_text(p, title=title)) for p in read_passages(job.texts, queries=job.queries)]
    if not found:
        raise InputError(f"{passages_file(job.texts, queries=job.queries)}: holds no text to encode")
    return found


def _manifest(side: "Side", job: Job, kept: Kept) -> Manifest:
    parameters: dict[str, object] = {"queries": job.queries, "top_k": kept.top_k, "ratio": kept.ratio}
    parameters |= {"title": kept.title, "backend": side.backend, "int8": side.int8}
    inputs = [side.model, passages_file(job.texts, queries=job.queries)]
    return Manifest(
        package="sparse-encoder", package_version=version("sparse-encoder"), parameters=parameters, inputs=inputs
    )


def _encode_queries(side: "Side", jobs: Sequence[Job], texts: Sequence[Texts]) -> dict[Path, int]:
    """Writes the vectors of the jobs that are queries, without torch if they are bags; returns how many by output."""
    from sparse_encoder.layouts import INFERENCE_FREE, layout_of
    from sparse_encoder.query_side import read_exported_query_side, read_query_side
    from sparse_encoder.vectors import write_vectors

    chosen = [(job, found) for job, found in zip(jobs, texts, strict=True) if job.queries]
    if not chosen:
        return {}
    if not side.is_export and layout_of(side.model) != INFERENCE_FREE:
        return _encode_queries_by_network(side, chosen)
    bags = read_exported_query_side(side.model) if side.is_export else read_query_side(side.model)
    return {job.output: write_vectors(job.output, bags.encode(found), bags.vocabulary.tokens) for job, found in chosen}


def _encode_queries_by_network(side: "Side", chosen: Sequence[tuple[Job, Texts]]) -> dict[Path, int]:
    from sparse_encoder.asking import encode_queries
    from sparse_encoder.devices import choose_device
    from sparse_encoder.model_folder import read_model
    from sparse_encoder.vectors import Vector, write_vectors

    loaded, device = read_model(side.model), str(choose_device(side.device))
    numbers = {}
    for job, found in chosen:
        vectors = zip(found, encode_queries(loaded, [text for _, text in found], device=device), strict=True)
        named = (Vector(id=name, token_ids=ids, weights=weights) for (name, _), (ids, weights) in vectors)
        numbers[job.output] = write_vectors(job.output, named, loaded.vocabulary.tokens)
    return numbers


def _encode_passages(
    side: "Side", jobs: Sequence[Job], texts: Sequence[Texts], kept: Kept, computing: Computing
) -> dict[Path, int]:
    """Writes the vectors of the jobs that are passages; returns how many by output."""
    chosen = [(job, found) for job, found in zip(jobs, texts, strict=True) if not job.queries]
    if not chosen:
        return {}
    from sparse_encoder.backends import prepare
    from sparse_encoder.pruning import Pruning
    from sparse_encoder.shards import Partial, encode_shards, fill_shards, identity_of
    from sparse_encoder.vectors import write_vectors

    of_model = (sha256(side.model), side.backend, str(side.int8))
    for job, _ in chosen:
        claim_work(job.work)
    side = prepare(side, chosen[0][0].work)
    encoder = side.open()
    pruning = Pruning(top_k=kept.top_k or encoder.max_active_terms, ratio=kept.ratio)
    numbers = {}
    for job, found in chosen:
        told = (text for pair in found for text in pair)
        identity = identity_of(*of_model, repr(pruning), str(computing.shard), *told)
        work = Partial(folder=job.work, identity=identity, n_texts=computing.shard)
        if computing.processes > 1:
            fill_shards(side.open, found, pruning=pruning, work=work, processes=computing.processes, log=_log)
        vectors = encode_shards(encoder, found, pruning=pruning, work=work, log=_log)
        numbers[job.output] = write_vectors(job.output, vectors, encoder.tokens)
    return numbers


def _log(line: str) -> None:
    typer.echo(line, err=True)


def _beside(output: Path) -> Path:
    return output.parent / f".{output.name}.work"  # `with_name` wants a name, which `.` has not: that is refused later
