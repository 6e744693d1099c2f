"""The command line of ko-synonyms: discover, merge, mix, terms, translations, lists, solr, score."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ko_synonyms import __version__
from ko_synonyms._files import InputError, Manifest, Output, exit_on_error

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)

Dictionary = Annotated[Path, typer.Argument(metavar="SYNONYMS", help="A dictionary, {term: [terms]} JSON.")]
Passages = Annotated[Path, typer.Argument(metavar="PASSAGES", help="A BEIR folder, or its corpus.jsonl.")]
Evidence = Annotated[Path | None, typer.Option(help="Its evidence; by default <SYNONYMS>.evidence.jsonl beside it.")]


@app.command()
def discover(
    passages: Passages,
    output: Annotated[Path, typer.Option("--output", "-o", help="The dictionary; its evidence is written beside it.")],
    *,
    curated: Annotated[Path | None, typer.Option(help="JSON Lines of `ko, en`: entries with confidence 1.")] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="Pairs that need a verdict; by default synonym_candidates.jsonl beside -o.")
    ] = None,
) -> None:
    """Finds pairs such as 임베딩(embedding); the sure ones become a dictionary, the others candidates."""
    from ko_synonyms import dictionary as files
    from ko_synonyms._files import write_jsonl
    from ko_synonyms.discovery import discover as find
    from ko_synonyms.records import read_curated, read_passages

    started = time.time()
    listed = read_curated(curated) if curated else []
    found = find(read_passages(passages), listed, curated_from=curated.name if curated else "")
    meanings = files.as_dictionary(found.synonyms)
    waiting = candidates or output.with_name("synonym_candidates.jsonl")
    evidence = files.evidence_path(output)
    write_jsonl(waiting, found.candidates)
    files.write_evidence(evidence, found.synonyms)
    files.write_dictionary(output, meanings)
    counts = {
        "mentions": found.n_mentions,
        "synonyms": len(found.synonyms),
        "candidates": len(found.candidates),
        "dropped": found.n_dropped,
    }
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        inputs=[_corpus(passages), *([curated] if curated else [])],
        outputs=[
            Output(path=output, format="synonyms", n_records=len(meanings)),
            Output(path=evidence, format="synonym_evidence", n_records=len(found.synonyms)),
            Output(path=waiting, format="synonym_candidates", n_records=len(found.candidates)),
        ],
        counts=counts,
        started=started,
    ).write()
    _log(counts)


@app.command()
def merge(
    synonyms: Dictionary,
    output: Annotated[Path, typer.Option("--output", "-o", help="The enhanced dictionary; evidence beside it.")],
    *,
    candidates: Annotated[Path, typer.Option(help="What `discover` was not sure of.")],
    verdicts: Annotated[Path, typer.Option(help="JSON Lines of verdicts on them.")],
    evidence: Evidence = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Verdicts less sure than this do not count.")
    ] = 0.5,
) -> None:
    """Adds the candidates judged yes to a dictionary and removes its entries judged no."""
    from ko_synonyms import dictionary as files
    from ko_synonyms._files import read_jsonl
    from ko_synonyms.merging import merge as join
    from ko_synonyms.records import Candidate, Verdict

    started = time.time()
    reasons = _evidence(synonyms, evidence)
    merged = join(
        files.read_synonyms(synonyms, reasons),
        list(read_jsonl(candidates, Candidate)),
        read_jsonl(verdicts, Verdict),
        min_confidence=min_confidence,
    )
    meanings = files.as_dictionary(merged.synonyms)
    files.write_evidence(files.evidence_path(output), merged.synonyms)
    files.write_dictionary(output, meanings)
    counts = {**merged.counts, "synonyms": len(merged.synonyms)}
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        parameters={"min_confidence": min_confidence},
        inputs=[synonyms, *([reasons] if reasons else []), candidates, verdicts],
        outputs=[
            Output(path=output, format="synonyms", n_records=len(meanings)),
            Output(path=files.evidence_path(output), format="synonym_evidence", n_records=len(merged.synonyms)),
        ],
        counts=counts,
        started=started,
    ).write()
    _log(counts)


@app.command()
def mix(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="JSON Lines of pairs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The code-mixed copies.")],
    *,
    synonyms: Annotated[Path, typer.Option(help="A dictionary, {term: [terms]} JSON.")],
    passages: Annotated[Path | None, typer.Option(help="Of several meanings, the passage's is taken.")] = None,
    split: Annotated[str, typer.Option(help="Only pairs of this split are copied, and those without one.")] = "train",
    seed: Annotated[int, typer.Option(help="Decides which of a query's terms are replaced.")] = 42,
) -> None:
    """Copies pairs with terms of the query in the other language, particles fitted."""
    from ko_synonyms._files import read_jsonl, write_jsonl
    from ko_synonyms.dictionary import read_dictionary
    from ko_synonyms.mixing import mix as copy
    from ko_synonyms.records import Pair, read_passages

    started = time.time()
    texts = {p.id: f"{p.title}\n{p.text}" for p in read_passages(passages)} if passages else None
    meanings = read_dictionary(synonyms)
    chosen = (p for p in read_jsonl(pairs, Pair) if not isinstance(p.split, str) or p.split == split)
    n_records = write_jsonl(output, copy(chosen, meanings, seed=seed, passages=texts))
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        parameters={"split": split},
        seed=seed,
        inputs=[pairs, synonyms, *([_corpus(passages)] if passages else [])],
        outputs=[Output(path=output, format="pairs", n_records=n_records)],
        started=started,
    ).write()
    _log({"code_mixed": n_records})


@app.command()
def terms(
    synonyms: Dictionary,
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines of `ko, en, weight`.")],
    *,
    evidence: Evidence = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leaves out pairs less sure than this.")] = 0.0,
) -> None:
    """Exports a dictionary as weighted term pairs for cross-lingual alignment."""
    from ko_synonyms._files import write_jsonl
    from ko_synonyms.dictionary import read_synonyms
    from ko_synonyms.exports import term_pairs

    started = time.time()
    reasons = _evidence(synonyms, evidence)
    entries = read_synonyms(synonyms, reasons)
    n_records = write_jsonl(output, term_pairs(entries, min_confidence=min_confidence))
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        parameters={"min_confidence": min_confidence},
        inputs=[synonyms, *([reasons] if reasons else [])],
        outputs=[Output(path=output, format="term_pairs", n_records=n_records)],
        started=started,
    ).write()
    _log({"term_pairs": n_records})


@app.command()
def translations(
    files: Annotated[list[str], typer.Argument(metavar="KO=EN...", help="Both languages' JSON files, or folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines of `ko, en, weight`.")],
) -> None:
    """Makes term pairs out of localisation files: texts at the same place of both mean the same."""
    from ko_synonyms._files import write_jsonl
    from ko_synonyms.localised import counterparts, read_localised
    from ko_synonyms.localised import translations as find

    started = time.time()
    sides = [side for given in files for side in counterparts(given)]
    found = dict.fromkeys(p for ko, en in sides for p in find(read_localised(ko), read_localised(en)))
    if not found:
        raise InputError(f"{', '.join(files)}: nothing translated is at the same place in both languages")
    n_records = write_jsonl(output, found)
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        inputs=[path for side in sides for path in side],
        outputs=[Output(path=output, format="term_pairs", n_records=n_records)],
        started=started,
    ).write()
    _log({"term_pairs": n_records})


@app.command()
def lists(
    pairs: Annotated[Path, typer.Argument(metavar="TERM_PAIRS", help="What `terms` or `translations` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines of `query, text`.")],
    *,
    terms: Annotated[int, typer.Option(min=2, help="Terms of a list.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="How often every term is asked for in each language.")] = 2,
    seed: Annotated[int, typer.Option(help="Decides which terms meet in a list.")] = 42,
) -> None:
    """Makes texts of terms in one language, each asked for by one of them in the other, to train on."""
    from ko_synonyms._files import read_jsonl, write_jsonl
    from ko_synonyms.records import TermPair
    from ko_synonyms.word_lists import word_lists

    started = time.time()
    made = word_lists(list(read_jsonl(pairs, TermPair)), terms=terms, rounds=rounds, seed=seed)
    n_records = write_jsonl(output, made)
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        parameters={"terms": terms, "rounds": rounds},
        seed=seed,
        inputs=[pairs],
        outputs=[Output(path=output, format="answers", n_records=n_records)],
        started=started,
    ).write()
    _log({"queries": n_records})


@app.command()
def solr(
    synonyms: Dictionary,
    output: Annotated[Path, typer.Option("--output", "-o", help="The synonyms.txt to write.")],
) -> None:
    """Exports a dictionary as a synonym file of Solr, Elasticsearch and OpenSearch."""
    from ko_synonyms._files import write_text
    from ko_synonyms.dictionary import read_dictionary
    from ko_synonyms.exports import solr_lines

    started = time.time()
    lines = list(solr_lines(read_dictionary(synonyms)))
    write_text(output, "".join(f"{line}\n" for line in lines))
    Manifest(
        package="ko-synonyms",
        package_version=__version__,
        inputs=[synonyms],
        outputs=[Output(path=output, format="solr_synonyms", n_records=len(lines))],
        started=started,
    ).write()
    _log({"rules": len(lines)})


@app.command()
def score(
    synonyms: Dictionary,
    *,
    gold: Annotated[Path, typer.Option(help="Tab-separated list of known pairs with the columns `en` and `ko`.")],
) -> None:
    """Prints a dictionary's precision and recall against known pairs, as JSON."""
    import msgspec

    from ko_synonyms.dictionary import read_synonyms
    from ko_synonyms.gold import read_gold
    from ko_synonyms.gold import score as judge

    found = judge(read_synonyms(synonyms, None), read_gold(gold))
    print(msgspec.json.encode(found).decode())


def _corpus(passages: Path) -> Path:
    return passages / "corpus.jsonl" if passages.is_dir() else passages


def _evidence(synonyms: Path, given: Path | None) -> Path | None:
    from ko_synonyms.dictionary import evidence_path

    if given and not given.is_file():
        raise InputError(f"{given}: no such file: wanted the evidence that `ko-synonyms discover` wrote")
    beside = evidence_path(synonyms)
    return given or (beside if beside.is_file() else None)


def _log(counts: dict[str, int]) -> None:
    typer.echo(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items()), err=True)


def main() -> None:
    """Runs the command line."""
    exit_on_error(app)
