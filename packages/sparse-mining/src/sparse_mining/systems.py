"""Systems: which searches one command runs, and where the run of each goes.

Several in one command share the reading of passages and their analysis, which cost more than most searches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparse_mining._files import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A way to search and where what it finds goes."""

    tag: str
    """The run's last column."""
    spec: str
    """Such as `bm25:kiwi`; see `searchers.searcher`."""
    run: Path
    timing: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """A run made of the runs of other systems."""

    tag: str
    run: Path
    parts: tuple[Path, ...]


def systems(specs: Sequence[str], output: Path, *, tag: str = "", timing: Path | None = None) -> list[System]:
    """One spec whose run is `output`, or several as NAME=SPEC whose runs are `output`/NAME.trec.

    Timings go alike: into the file `timing`, or into the folder `timing` as NAME.timing.json.

    >>> [system.run.as_posix() for system in systems(["a=bm25:words", "b=bm25:kiwi"], Path("runs"))]
    ['runs/a.trec', 'runs/b.trec']
    >>> systems(["bm25:kiwi"], Path("run.trec"))[0].tag
    'bm25-kiwi'
    """
    named = [_named(spec) for spec in specs]
    if len(specs) == 1 and not named[0][0]:
        return [System(tag=tag or _tag(specs[0]), spec=specs[0], run=output, timing=timing)]
    bare = next((spec for name, spec in named if not name), None)
    if bare is not None:
        raise InputError(f"--with {bare!r}: several systems want names, NAME={bare}, and -o is a folder then")
    if tag:
        raise InputError(f"--tag {tag!r} names one system: those of --with NAME=SPEC have their names")
    _refuse_repeated([name for name, _ in named], "--with")
    return [
        System(tag=name, spec=spec, run=_run(output, name), timing=timing / f"{name}.timing.json" if timing else None)
        for name, spec in named
    ]


def fusions(specs: Sequence[str], output: Path, *, searched: Sequence[System]) -> list[Fused]:
    """Fusions given as NAME=A+B, of systems by their names; InputError where one is not among those searched.

    >>> found = systems(["a=bm25:words", "b=bm25:kiwi"], Path("runs"))
    >>> [part.name for part in fusions(["both=a+b"], Path("runs"), searched=found)[0].parts]
    ['a.trec', 'b.trec']
    """
    runs = {system.tag: system.run for system in searched}
    made = []
    for spec in specs:
        name, parts = _named(spec)
        names = parts.split("+")
        unknown = next((part for part in names if part not in runs), None)
        if not name or len(names) < 2 or unknown is not None:
            raise InputError(f"--fuse {spec!r}: wanted NAME=A+B of the systems {', '.join(runs)}")
        made.append(Fused(tag=name, run=_run(output, name), parts=tuple(runs[part] for part in names)))
    _refuse_repeated([*runs, *(fused.tag for fused in made)], "--fuse")
    return made


def _named(spec: str) -> tuple[str, str]:
    """The name and the rest of NAME=SPEC; no name where the `=` belongs to a path or there is none."""
    name, equals, rest = spec.partition("=")
    return (name, rest) if equals and not {":", "/"} & set(name) else ("", spec)


def _run(folder: Path, name: str) -> Path:
    if folder.is_file():
        raise InputError(f"-o {folder}: is a file: several systems want a folder")
    return folder / f"{name}.trec"


def _tag(spec: str) -> str:
    """A run's name: the first two parts of a spec, without paths."""
    kind, _, rest = spec.partition(":")
    return "-".join(part for part in (kind, Path(rest.partition(":")[0]).stem) if part)


def _refuse_repeated(names: Sequence[str], option: str) -> None:
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise InputError(f"{option}: the name {repeated!r} is given twice")
