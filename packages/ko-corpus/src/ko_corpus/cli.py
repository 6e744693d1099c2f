"""The command line `ko-corpus`: a verb for each step from raw documents to training data.

Only reads arguments, calls the modules and writes what they yield, with a manifest beside it.
"""

import dataclasses
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._files import Manifest, Output, exit_on_error, write_json, write_jsonl
from ._options import grouped

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from .pairs import Pair
    from .splitting import Shares

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help="Korean text into training data.")

OutputPath = Annotated[Path, typer.Option("--output", "-o", help="Where to write.", show_default=False)]

PassagesPath = Annotated[
    Path, typer.Argument(metavar="PASSAGES", help="A folder with corpus.jsonl, or such a file.", show_default=False)
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """Which documents are for training and which for judging."""

    split: Annotated[str, typer.Option(help="Shares of train, val and test documents.")] = "98,1,1"
    seed: Annotated[int, typer.Option(help="Decides which document goes where.")] = 42


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the records call things."""

    query: Annotated[str, typer.Option(help="Field of the query.")] = "query"
    text: Annotated[str, typer.Option(help="Field of the text that answers it.")] = "text"
    title: Annotated[str, typer.Option(help="Field of the text's title, if there is one.")] = "title"
    name: Annotated[str, typer.Option(help="Source of the records; it starts every id.")] = "answers"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What moves the weights."""

    trends: Annotated[Path | None, typer.Option(help="Rising terms whose tokens are raised.")] = None
    max_boost: Annotated[float, typer.Option(min=1, help="The most that a token is raised by.")] = 1.5
    prior: Annotated[Path | None, typer.Option(help="idf.json of the same tokenizer, from a larger corpus.")] = None
    prior_passages: Annotated[int, typer.Option(min=0, help="For how many passages the prior counts.")] = 1000
    queries: Annotated[
        list[Path] | None, typer.Option(help="Queries or pairs: what many of them hold is not telling. Repeatable.")
    ] = None
    morphemes: Annotated[
        Path | None, typer.Option(help="token_morphemes.json: endings weigh nothing, and general Korean has its say.")
    ] = None

    def paths(self) -> list[Path]:
        """The files given."""
        return [p for p in (self.trends, self.prior, self.morphemes, *(self.queries or [])) if p is not None]


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
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE", help="JSONL(.gz) files, or folders of them.")],
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
    from .chunking import Lengths, chunk_document
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


@app.command()
def pairs(
    passages: PassagesPath,
    output: OutputPath,
    *,
    kinds: Annotated[str, typer.Option(help="Any of title, heading and first_sentence, separated by commas.")] = (
        "title,heading,first_sentence"
    ),
    split: Annotated[str, typer.Option(help="Shares of train, val and test documents.")] = "80,10,10",
    seed: Annotated[int, typer.Option(help="Decides which document goes where.")] = 42,
) -> None:
    """Makes query-passage pairs out of titles, headings and first sentences, split by document."""
    from .pairs import make_pairs, parse_kinds
    from .passages import corpus_path, read_passages
    from .splitting import split_documents

    started = time.time()
    shares = _shares(split)
    try:
        wanted = parse_kinds(kinds)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    held = list(read_passages(passages))
    splits = split_documents((p.document_id for p in held), shares, seed=seed)
    counts: Counter[str] = Counter()

    def counted() -> "Iterator[Pair]":
        for pair in make_pairs(held, kinds=wanted, splits=splits):
            counts.update((pair.kind, pair.split))
            yield pair

    n_pairs = write_jsonl(output, counted())
    outputs = [Output(path=output, format="pairs", n_records=n_pairs)]
    parameters = {"kinds": list(wanted), "split": split}
    _manifest(parameters, [corpus_path(passages)], outputs, started=started, seed=seed, counts=dict(counts))
    _log(f"{n_pairs} pairs (" + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) + f"): {output}")


@app.command()
@grouped
def sections(
    source: Annotated[Path, typer.Argument(metavar="SECTIONS", help="JSONL(.gz) of sections with their headings.")],
    documents: Annotated[list[Path], typer.Argument(metavar="DOCUMENTS", help="Theirs, for titles and dates.")],
    output: OutputPath,
    *,
    pairs: Annotated[Path, typer.Option(help="Where to write the queries.", show_default=False)],
    parallel: Annotated[Path | None, typer.Option(help="Where to write headings in both languages.")] = None,
    splitting: Splitting,
) -> None:
    """Turns sections with Korean and English headings into passages, and the headings into queries for them."""
    from .documents import read_documents
    from .section_pairs import Sections, read_section_pairs, section_parallel, section_passages, section_queries
    from .splitting import split_documents

    started = time.time()
    shares = _shares(splitting.split)
    found = list(read_section_pairs(source))
    held = Sections(pairs=found, documents={d.id: d for d in read_documents(documents)})
    splits = split_documents((s.doc_id for s in found), shares, seed=splitting.seed)
    n_passages = write_jsonl(output / "corpus.jsonl", section_passages(held))
    n_pairs = write_jsonl(pairs, section_queries(held, splits=splits))
    outputs = [
        Output(path=output, format="passages", n_records=n_passages),
        Output(path=pairs, format="pairs", n_records=n_pairs),
    ]
    if parallel is not None:
        n_parallel = write_jsonl(parallel, section_parallel(held))
        outputs.append(Output(path=parallel, format="parallel", n_records=n_parallel))
    _manifest({"split": splitting.split}, [source, *documents], outputs, started=started, seed=splitting.seed)
    _log(f"{n_passages} passages, {n_pairs} queries: {output}, {pairs}")


@app.command()
@grouped
def answers(
    source: Annotated[Path, typer.Argument(metavar="RECORDS", help="JSONL(.gz) with a query and its text a line.")],
    output: OutputPath,
    *,
    pairs: Annotated[Path, typer.Option(help="Where to write the queries.", show_default=False)],
    names: Names,
    splitting: Splitting,
) -> None:
    """Turns records that hold a query and the text that answers it into passages and pairs."""
    from .answers import Fields, answer_pair, answer_passage, read_answers
    from .splitting import split_documents

    started = time.time()
    shares, name = _shares(splitting.split), names.name
    fields = Fields(query=names.query, text=names.text, title=names.title)
    found = list(read_answers(source, fields, prefix=f"{name}/"))
    splits = split_documents((a.id for a in found), shares, seed=splitting.seed)
    n_passages = write_jsonl(output / "corpus.jsonl", (answer_passage(a, source=name) for a in found))
    n_pairs = write_jsonl(pairs, (answer_pair(a, source=name, splits=splits) for a in found))
    outputs = [
        Output(path=output, format="passages", n_records=n_passages),
        Output(path=pairs, format="pairs", n_records=n_pairs),
    ]
    parameters = {"split": splitting.split} | dataclasses.asdict(fields)
    _manifest(parameters, [source], outputs, started=started, seed=splitting.seed)
    _log(f"{n_passages} passages, {n_pairs} queries: {output}, {pairs}")


def _shares(split: str) -> "Shares":
    from .splitting import Shares

    try:
        return Shares.parse(split)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
def trends(
    documents: Annotated[Path, typer.Argument(metavar="DOCUMENTS", help="documents.jsonl, as `load` writes it.")],
    output: OutputPath,
    *,
    recent_months: Annotated[int, typer.Option(min=1, help="Months of the recent window.")] = 4,
    min_support: Annotated[int, typer.Option(min=1, help="Recent documents that must hold a term.")] = 3,
    min_z: Annotated[float, typer.Option(min=0, help="Least z-score of a rise.")] = 2.5,
    top: Annotated[int, typer.Option(min=1, help="Terms written at most.")] = 200,
) -> None:
    """Finds the terms that the newest months speak of more than the time before."""
    from .documents import read_documents
    from .trends import TrendOptions, find_trends

    started = time.time()
    options = TrendOptions(recent_months=recent_months, min_support=min_support, min_z=min_z, top=top)
    held = list(read_documents([documents]))
    found = find_trends(held, options)
    write_json(output, found)
    n_undated = sum(document.published is None for document in held)
    outputs = [Output(path=output, format="trends", version=found.version, n_records=len(found.terms))]
    counts = {"documents": len(held), "undated": n_undated}
    _manifest(dataclasses.asdict(options), [documents], outputs, started=started, counts=counts)
    _log(f"{len(found.terms)} rising terms, {found.recent_from} to {found.recent_to}, {n_undated} undated: {output}")


@app.command()
@grouped
def idf(
    passages: Annotated[
        list[Path], typer.Argument(metavar="PASSAGES", help="Folders with corpus.jsonl, or such files.")
    ],
    output: OutputPath,
    *,
    tokenizer: Annotated[Path, typer.Option(help="tokenizer.json, or the folder of one.", show_default=False)],
    moving: Moving,
) -> None:
    """Writes OpenSearch's idf.json for a tokenizer: the weight of each of its tokens."""
    from .idf import NO_PRIOR, Adjustments, Prior, load_tokenizer, read_idf, token_idf, trend_boosts, write_idf
    from .passages import corpus_path, read_passages
    from .token_morphemes import read_token_morphemes
    from .trends import read_trends

    started = time.time()
    model = load_tokenizer(tokenizer)
    boosts = {}
    if moving.trends is not None:
        boosts = trend_boosts(read_trends(moving.trends), model, max_boost=moving.max_boost)
    known = NO_PRIOR
    if moving.prior is not None:
        known = Prior(weights=read_idf(moving.prior), n_passages=moving.prior_passages)
    texts = (passage.contents for path in passages for passage in read_passages(path))
    stands_for = {} if moving.morphemes is None else read_token_morphemes(moving.morphemes, model.get_vocab())
    adjust = Adjustments(boosts=boosts, ceilings=_ceilings(moving.queries or [], model), morphemes=stands_for)
    weights = token_idf(texts, model, prior=known, adjust=adjust)
    write_idf(output, weights)
    vocabulary = tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer
    inputs = [*map(corpus_path, passages), vocabulary, *moving.paths()]
    outputs = [Output(path=output, format="idf", n_records=len(weights))]
    parameters = {"max_boost": moving.max_boost, "prior_passages": known.n_passages}
    _manifest(parameters, inputs, outputs, started=started, counts={"boosted": len(boosts)})
    _log(f"{len(weights)} tokens, {len(boosts)} of them boosted: {output}")


def _ceilings(files: list[Path], tokenizer: "Tokenizer") -> dict[int, float]:
    """The lowest ceiling that any of the files sets."""
    from .idf import query_ceilings
    from .pairs import read_queries

    found: dict[int, float] = {}
    for path in files:
        for token_id, ceiling in query_ceilings(read_queries(path), tokenizer).items():
            found[token_id] = min(ceiling, found.get(token_id, ceiling))
    return found


def _manifest(
    parameters: Mapping[str, object],
    inputs: list[Path],
    outputs: list[Output],
    *,
    started: float,
    seed: int | None = None,
    counts: Mapping[str, int] | None = None,
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
