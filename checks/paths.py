"""No tracked file names a folder of somebody's machine: such a path is wrong everywhere else.

`python checks/paths.py`
"""

import re
from collections.abc import Iterator
from pathlib import Path

from workspace import ROOT, finish, tracked_files

MACHINE_PATH = re.compile(rb"(?<![\w.:~/-])/(?:work|home|root|Users)/[\w.-]+")
"""An absolute path into a home or working folder; a URL's path has a host before it and is none."""


def machine_paths(content: bytes) -> Iterator[tuple[int, str]]:
    r"""Yields line number and path of each in a text file; nothing for a binary one.

    >>> [n for n, _ in machine_paths(b"data\nread from " + b"/home" + b"/kim/data, https://example.org/home/kim\n")]
    [2]
    """
    if b"\0" in content:
        return
    for number, line in enumerate(content.splitlines(), start=1):
        for found in MACHINE_PATH.finditer(line):
            yield number, found.group().decode()


def problems(files: list[Path]) -> Iterator[str]:
    """Yields `path:line: ...` for each machine path in the files."""
    for file in files:
        for number, path in machine_paths(file.read_bytes()):
            yield f"{file.relative_to(ROOT)}:{number}: {path!r} is a path of one machine; make it relative"


if __name__ == "__main__":
    tracked = tracked_files()
    finish(problems(tracked), well=f"{len(tracked)} tracked files name no path of a machine")
