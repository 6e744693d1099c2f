"""Commands that score and look over what `mine` made: `score`, `check`, `stats`.

Apart from `mine`, since they read groups from any source.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from sparse_mining._files import InputError, Manifest, Output
from sparse_mining.groups import Shape
from sparse_mining.options import PACKAGE, package_version

Groups = Annotated[Path, typer.Argument(metavar="GROUPS", help="JSON Lines of groups")]


def score(
    groups: Groups,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the groups with new scores go")],
    teachers: Annotated[list[str], typer.Option("--teacher", help="cross:MODEL or bi:MODEL; repeat for an ensemble")],
    scale: Annotated[float, typer.Option(min=0, help="Of min-max scores; 0: one teacher's raw scores")] = 30.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Pairs of query and document at once")] = 32,
    work: Annotated[Path | None, typer.Option(help="For partial work; else .NAME.work beside -o")] = None,
) -> None:
    """Scores the documents of groups anew by teachers; a killed command goes on where it was."""
    from sparse_mining._files import claim_work, clear_work, sha256
    from sparse_mining.groups import Group, read_groups, write_groups
    from sparse_mining.shards import fingerprint, in_shards
    from sparse_mining.teachers import rescore, teacher

    started = time.time()
    found = list(read_groups(groups))
    judges = [teacher(spec, batch_size=batch_size) for spec in teachers]
    folder = work or output.with_name(f".{output.name}.work")
    claim_work(folder)
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
    clear_work(folder)


def check(
    groups: Groups,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Groups or queries.jsonl that must share no query, and no positive's document; repeat"),
    ] = None,
    arrow: Annotated[Path | None, typer.Option(help="Folder for the groups as a `datasets` directory")] = None,
    shape: Annotated[Shape, typer.Option(help="Columns of --arrow: with or without ids")] = "kd",
    scored: Annotated[bool, typer.Option(help="Scores are a teacher's: their order is told, not wrong")] = False,
) -> None:
    """Looks a file of groups over; what is found goes to stdout, and exit 1 says that something is wrong."""
    import msgspec

    from sparse_mining import arrow as arrows
    from sparse_mining.checking import OF_SCORES, others_of
    from sparse_mining.checking import check as look_over
    from sparse_mining.groups import read_groups

    started = time.time()
    report = look_over(read_groups(groups), others=others_of(against or []))
    print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    wrong = [f"{f.n} x {f.problem}" for f in report.findings if not (scored and f.problem in OF_SCORES)]
    if wrong:
        raise InputError(f"{groups}: {'; '.join(wrong)}")
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


def stats(
    groups: Groups,
    metadata: Annotated[Path | None, typer.Option(help="metadata.json of mine; else the one beside GROUPS")] = None,
) -> None:
    """Tells what each miner gave, how hard it is, where miners overlap and how many groups are short, as JSON."""
    import msgspec

    from sparse_mining.groups import read_groups
    from sparse_mining.statistics import read_asked, statistics

    beside = metadata or groups.with_name("metadata.json")
    asked = read_asked(beside, groups) if metadata is not None or beside.is_file() else None
    found = statistics(read_groups(groups), asked=asked)
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
