"""Vendored files are identical in every package that holds them, and so are the schemas that ship in wheels.

`python checks/contracts.py` tells; `--write` carries the one changed copy of a vendored file to the others, or with
`--from PACKAGE` that package's, and copies docs/formats/schemas to the packages that list the format.
"""

import argparse
import difflib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspace import ROOT, Package, finish, packages

SCHEMAS = Path("docs") / "formats" / "schemas"
VENDORED = {"_files.py": True, "_kiwi.py": False, "_options.py": False, "benchmarks/figures.py": False}
"""Vendored files, in a package's source or, with a folder, in that folder of it; True where every package must."""


class AmbiguousError(Exception):
    """More than one copy could be meant; the message names them and how to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """One vendored file in all the packages that hold it."""

    name: str
    paths: dict[str, Path]
    """By package, sorted by its name."""

    @property
    def variants(self) -> dict[bytes, list[str]]:
        """The packages that hold each content."""
        found: dict[bytes, list[str]] = {}
        for package, path in self.paths.items():
            found.setdefault(path.read_bytes(), []).append(package)
        return found

    def meant(self, root: Path, chosen: str | None) -> bytes:
        """The content that all should have: that of `chosen`, else the only one that differs from what git has.

        AmbiguousError where several changed in different ways, or copies differ of which none is changed.
        """
        if chosen is not None and chosen in self.paths:
            return self.paths[chosen].read_bytes()
        if len(self.variants) <= 1:
            return next(iter(self.variants), b"")
        changed = {content for p in self.paths.values() if (content := p.read_bytes()) != committed(p, root)}
        if len(changed) == 1:
            return changed.pop()
        how = "changed in different ways" if changed else "differ though none is changed"
        raise AmbiguousError(f"{self.name}: the copies {how} ({self.told()}); choose one: --write --from PACKAGE")

    def told(self) -> str:
        """Which packages agree: `a, b | c`."""
        return " | ".join(", ".join(names) for names in self.variants.values())


def committed(path: Path, root: Path) -> bytes | None:
    """The content of a file in the last commit; None where it was not there."""
    name = path.relative_to(root).as_posix()
    shown = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=root, capture_output=True, check=False)
    return shown.stdout if shown.returncode == 0 else None


def place(name: str, package: Package) -> Path:
    """Where a package holds a vendored file, if it does."""
    return (package.folder if "/" in name else package.source) / name


def copies(name: str, members: Sequence[Package]) -> Copies:
    """The copies of a vendored file."""
    return Copies(name=name, paths={p.name: place(name, p) for p in members if place(name, p).is_file()})


def vendored_problems(members: Sequence[Package]) -> Iterator[str]:
    """Yields each vendored file that is missing or has copies that differ."""
    for name, everywhere in VENDORED.items():
        held = copies(name, members)
        if len(held.variants) > 1:
            yield f"{name}: copies differ: {held.told()}; carry one to the others: nox -s contracts -- --write"
        missing = [p.name for p in members if everywhere and p.name not in held.paths]
        yield from (f"{name}: is missing in {package}" for package in missing)


def wanted_schemas(package: Package, root: Path) -> dict[str, bytes]:
    """The schemas that a package must ship, by file name: every one of each format it lists."""
    return {
        path.name: path.read_bytes()
        for path in sorted((root / SCHEMAS).glob("*.schema.json"))
        if path.name.split(".")[0] in package.formats
    }


def shipped_schemas(package: Package) -> dict[str, bytes]:
    """The schemas in a package's source, by file name."""
    return {path.name: path.read_bytes() for path in sorted((package.source / "schemas").glob("*.schema.json"))}


def schema_problems(package: Package, root: Path) -> Iterator[str]:
    """Yields each format a package lists that there is not, and each schema that is missing, strange or different."""
    known = sorted({path.name.split(".")[0] for path in (root / SCHEMAS).glob("*.schema.json")})
    for name in sorted(set(package.formats) - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        yield f"{package.name}: [tool.ko-sparse] lists {name!r}, no format{f'; {near[0]!r}?' if near else ''}"
    if not package.formats:
        yield f"{package.name}: its pyproject lists no [tool.ko-sparse] formats"
    wanted, found = wanted_schemas(package, root), shipped_schemas(package)
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not listed" if name not in wanted else "is out of date"
            yield f"{package.name}: schemas/{name} {what}: nox -s contracts -- --write"


def write_vendored(members: Sequence[Package], root: Path, chosen: str | None) -> Iterator[str]:
    """Carries the meant copy of each vendored file to every package; yields the places written."""
    meant = {name: copies(name, members).meant(root, chosen) for name in VENDORED}
    for name, everywhere in VENDORED.items():
        for path in (place(name, package) for package in members):
            if (everywhere or path.is_file()) and (not path.is_file() or path.read_bytes() != meant[name]):
                path.write_bytes(meant[name])
                yield str(path.relative_to(root))


def write_schemas(package: Package, root: Path) -> Iterator[str]:
    """Makes a package's schemas those that it lists; yields the places written or removed."""
    wanted, found = wanted_schemas(package, root), shipped_schemas(package)
    folder = package.source / "schemas"
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) == found.get(name):
            continue
        folder.mkdir(exist_ok=True)
        if name in wanted:
            (folder / name).write_bytes(wanted[name])
        else:
            (folder / name).unlink()
        yield str((folder / name).relative_to(root))


def main() -> None:
    """Tells what differs, after carrying copies where `--write` is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="carry vendored files and schemas to where they differ")
    parser.add_argument("--from", dest="chosen", metavar="PACKAGE", help="the package whose vendored files are meant")
    options = parser.parse_args()
    members = packages()
    if options.chosen and options.chosen not in [p.name for p in members]:
        parser.error(f"--from {options.chosen}: no such package; there are: {', '.join(p.name for p in members)}")
    if options.write:
        try:
            written = [*write_vendored(members, ROOT, options.chosen)]
        except AmbiguousError as error:
            finish([str(error)], well="")
        written += [path for package in members for path in write_schemas(package, ROOT)]
        print("\n".join(f"wrote {path}" for path in written) or "nothing to write")
    found = [*vendored_problems(members), *(p for m in members for p in schema_problems(m, ROOT))]
    finish(found, well=f"{len(members)} packages hold identical vendored files and schemas")


if __name__ == "__main__":
    main()
