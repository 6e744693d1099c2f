"""Where the parts of the workspace lie, and what its packages say of themselves.

Shared by the checks, each of which is a program that prints what is wrong and exits 1, or says that all is well.
"""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the workspace."""

    folder: Path

    @property
    def name(self) -> str:
        """Its name as it is released."""
        return self.folder.name

    @property
    def source(self) -> Path:
        """The folder that is imported."""
        return self.folder / "src" / self.name.replace("-", "_")

    @property
    def formats(self) -> list[str]:
        """The formats that it reads or writes, from `[tool.ko-sparse]`."""
        told = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))
        return list(told.get("tool", {}).get("ko-sparse", {}).get("formats", []))

    def formats_written(self) -> Iterator[tuple[str, str]]:
        """Yields each format that its code names in a manifest, `Output(..., format="pairs")`, with `path:line`."""
        for path in sorted(self.source.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Output":
                    where = f"{path.relative_to(self.folder)}:{node.lineno}"
                    yield from ((name, where) for name in _format_names(node))


def _format_names(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "format":
            yield from (
                n.value for n in ast.walk(keyword.value) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            )


def packages(root: Path = ROOT) -> list[Package]:
    """The packages of the workspace, sorted by name."""
    return [Package(path.parent) for path in sorted(root.glob("packages/*/pyproject.toml"))]


def tracked_files(root: Path = ROOT) -> list[Path]:
    """The files that git tracks and that exist."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    return [path for name in listed.decode().split("\0") if name and (path := root / name).is_file()]


def finish(problems: Iterable[str], *, well: str) -> NoReturn:
    """Prints each problem and exits 1; says that all is well and exits 0 where there is none."""
    found = list(problems)
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} problem{'s' if len(found) > 1 else ''}")
    print(well)
    sys.exit(0)
