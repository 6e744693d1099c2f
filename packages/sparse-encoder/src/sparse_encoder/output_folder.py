"""Whether a folder may be written at a place, asked before any work: writing one replaces what is there.

Only an earlier output gives way, which the manifest beside it tells; never what a command reads, nor another's files.
"""

from collections.abc import Sequence
from pathlib import Path

from sparse_encoder._files import PARTIAL, InputError, manifest_path


def check_output_folder(output: Path, *, inputs: Sequence[Path]) -> None:
    """InputError where writing the folder `output` would take something away, or cannot be done.

    inputs: what the command reads; names that are no paths here, such as those of the hub, are passed over.
    """
    if output.name in ("", ".."):
        raise InputError(f"-o {output}: is the folder of other files itself; wanted the name of a folder in it")
    place = output.resolve()
    for given in inputs:
        _check_apart(output, given, place, given.resolve())
    above = next(folder for folder in place.parents if folder.exists())
    if not above.is_dir():
        raise InputError(f"-o {output}: {above} is a file; wanted a folder there, or another name")
    if not place.exists():
        return
    if not place.is_dir():
        raise InputError(f"-o {output}: is a file, and a folder is to be written; remove it or name another")
    manifest = manifest_path(output)
    held = sorted(p.name for p in place.iterdir())
    if held and not manifest.is_file() and not _was_begun(output):
        raise InputError(
            f"-o {output}: holds {held[0]!r} and has no {manifest.name} beside it, so it is no earlier output and is "
            f"not replaced; remove it, rename it or name another"
        )


def _check_apart(output: Path, given: Path, place: Path, read: Path) -> None:
    if not read.exists():
        return
    if place == read:
        raise InputError(f"-o {output}: is what is read, and would be replaced by what is made; name another folder")
    if place in read.parents:
        raise InputError(f"-o {output}: holds {given}, which is read and would be removed; name another folder")
    if read in place.parents:
        raise InputError(f"-o {output}: lies in {given}, which is read and would be changed; name another folder")


def _was_begun(output: Path) -> bool:
    """Whether a run was killed between this folder and its manifest: its partial work is still beside it."""
    return (output.with_name(f".{output.name}.work") / PARTIAL).is_file()
