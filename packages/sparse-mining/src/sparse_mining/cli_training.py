"""Commands that make and look at training data: `mine`, `score`, `check`, `stats`.

A command's options are its parameters, so these functions are wider than the house allows elsewhere.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output
from sparse_mining.groups import Scale, Shape
from sparse_mining.options import PACKAGE, Dimensions, Passages, Seed, log, package_version
from sparse_mining.settings import Settings

Groups = Annotated[Path, typer.Argument(metavar="GROUPS", help="JSON Lines of groups")]


def mine(
    passages: Passages,
    pairs: Annotated[list[Path], typer.Argument(metavar="PAIRS...", help="Files of pairs")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for train.jsonl, val.jsonl, metadata.json")],
    hard: Annotated[int, typer.Option(min=0, help="Hard negatives per query")] = 7,
    easy: Annotated[int, typer.Option(min=0, help="Random negatives per query")] = 3,
    miners: Annotated[
        str, typer.Option(help="bm25[:ANALYSER], dense, sparse:VECTORS; NAME=N sets a quota")
    ] = "bm25,dense",
    scores: Annotated[Scale, typer.Option(help="graded: 10 > hard > easy; raw: the first miner's")] = "graded",
    titles: Annotated[bool, typer.Option("--titles", help="Documents carry their titles")] = False,
    window: Annotated[str, typer.Option(help="Ranks hard negatives are sought in, FIRST:LAST")] = "1:100",
    relative_margin: Annotated[
        float, typer.Option(help="A negative scores at most (1 - this) of its positive; -1: off")
    ] = 0.05,
    absolute_margin: Annotated[
        float, typer.Option(help="A negative scores this much below its positive; -1: off")
    ] = -1.0,
    duplicates: Annotated[Path | None, typer.Option(help="duplicate_clusters.jsonl")] = None,
    embeddings: Annotated[Path | None, typer.Option(help="Folder that embed wrote, for the dense miner")] = None,
    query_idf: Annotated[Path | None, typer.Option(help="idf.json, for a sparse miner")] = None,
    query_tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.json, for a sparse miner")] = None,
    exclude_queries: Annotated[list[Path] | None, typer.Option(help="Evaluation queries that must not be used")] = None,
    max_synthetic_ratio: Annotated[float, typer.Option(min=0, help="Generated pairs per real one in train")] = 1.0,
    val_kinds: Annotated[str, typer.Option(help="Kinds in val")] = "title,first_sentence,heading,question",
    val_share: Annotated[float, typer.Option(min=0, max=0.9, help="Of documents, where pairs have no split")] = 0.1,
    audit: Annotated[Path | None, typer.Option(help="Where each candidate left out goes, with its reason")] = None,
    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that search inverted lists")] = 1,
    dimensions: Dimensions = 128,
    seed: Seed = 42,
) -> None:
    """Mines training groups: a positive, hard negatives of several searchers, easy ones at random."""
    from sparse_mining import training
    from sparse_mining.mining import Plan, quotas
    from sparse_mining.negatives import Margin
    from sparse_mining.searchers import Choices, files_of
    from sparse_mining.splits import Rules, val_kinds_of

    names = [name.strip() for name in miners.split(",") if name.strip()]
    first_rank, last_rank = _window(window)
    margin = Margin(
        relative=relative_margin if relative_margin >= 0 else None,
        absolute=absolute_margin if absolute_margin >= 0 else None,
    )
    rules = Rules(
        val_share=val_share, val_kinds=val_kinds_of(val_kinds), max_synthetic_ratio=max_synthetic_ratio, seed=seed
    )
    plan = Plan(
        quotas=quotas(names, hard),
        n_easy=easy,
        first_rank=first_rank,
        last_rank=last_rank,
        margin=margin,
        scale=scores,
        titles=titles,
        seed=seed,
    )
    choices = Choices(
        settings=Settings(),
        threads=threads,
        dimensions=dimensions,
        embeddings=embeddings,
        query_idf=query_idf,
        query_tokenizer=query_tokenizer,
        seed=seed,
    )
    inputs = training.Inputs(
        passages=passages,
        pairs=pairs,
        duplicates=duplicates,
        excluded_queries=exclude_queries or [],
        searched=[*files_of(names), *(p for p in (embeddings, query_idf, query_tokenizer) if p is not None)],
    )
    places = training.Places(folder=output, audit=audit, work=work or output.with_name(f".{output.name}.work"))
    summary = training.make_groups(inputs, places, plan=plan, rules=rules, choices=choices)
    log(summary)


def score(
    groups: Groups,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the groups with new scores go")],
    teachers: Annotated[list[str], typer.Option("--teacher", help="cross:MODEL or bi:MODEL; repeat for an ensemble")],
    scale: Annotated[float, typer.Option(min=0, help="Of min-max scores; 0: one teacher's raw scores")] = 30.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Pairs of query and document at once")] = 32,
    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None,
) -> None:
    """Scores the documents of groups anew by teachers; a killed command goes on where it was."""
    import shutil

    from sparse_mining._files import sha256
    from sparse_mining.groups import Group, read_groups, write_groups
    from sparse_mining.shards import fingerprint, in_shards
    from sparse_mining.teachers import rescore, teacher

    started = time.time()
    found = list(read_groups(groups))
    judges = [teacher(spec, batch_size=batch_size) for spec in teachers]
    folder = work or output.with_name(f".{output.name}.work")
    rescored = in_shards(
        folder,
        fingerprint(sha256(groups), teachers, scale, batch_size),
        n_items=len(found),
        size=100,
        make=lambda first, last: rescore(found[first:last], judges, scale=scale),
        kind=Group,
    )
    n_groups = write_groups(output, rescored)
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters={"teachers": teachers, "scale": scale, "batch_size": batch_size},
        inputs=[groups],
        outputs=[Output(path=output, format="groups", n_records=n_groups)],
        started=started,
    ).write()
    shutil.rmtree(folder, ignore_errors=True)


def check(
    groups: Groups,
    against: Annotated[
        list[Path] | None, typer.Option(help="Groups or queries.jsonl that must share no query with it; repeat")
    ] = None,
    arrow: Annotated[Path | None, typer.Option(help="Folder for the groups as a `datasets` directory")] = None,
    shape: Annotated[Shape, typer.Option(help="Columns of --arrow: with or without ids")] = "kd",
) -> None:
    """Looks a file of groups over; what is found goes to stdout, and exit 1 says that something is wrong."""
    import msgspec

    from sparse_mining import arrow as arrows
    from sparse_mining.checking import check as look_over
    from sparse_mining.checking import query_texts
    from sparse_mining.groups import read_groups

    started = time.time()
    others = frozenset(text for path in against or [] for text in query_texts(path))
    report = look_over(read_groups(groups), others=others)
    print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    if report.findings:
        wrong = "; ".join(f"{finding.n} x {finding.problem}" for finding in report.findings)
        raise InputError(f"{groups}: {wrong}")
    if arrow is not None:
        n_groups = arrows.write_dataset(read_groups(groups), arrow, shape)
        Manifest(
            package=PACKAGE,
            package_version=package_version(),
            parameters={"shape": shape},
            inputs=[groups],
            outputs=[Output(path=arrow, format="groups_arrow", n_records=n_groups)],
            started=started,
        ).write()


def stats(groups: Groups) -> None:
    """Tells what each miner gave, how hard it is and where miners overlap, as JSON on stdout."""
    import msgspec

    from sparse_mining.groups import read_groups
    from sparse_mining.statistics import statistics

    print(msgspec.json.format(msgspec.json.encode(statistics(read_groups(groups))), indent=2).decode())


def _window(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    if not first.isdecimal() or not last.isdecimal() or not 1 <= int(first) <= int(last):
        raise InputError(f"--window {text!r}: wanted FIRST:LAST with 1 <= FIRST <= LAST, such as 10:100")
    return int(first), int(last)
