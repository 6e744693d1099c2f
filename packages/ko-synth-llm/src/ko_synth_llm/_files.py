"""Files that appear whole or not at all, JSON Lines whose errors name path and line, and manifests.

Vendored: every package holds this very file, and `nox -s contracts` keeps the copies identical (docs/adr/0002).
"""

import gzip
import hashlib
import json
import os
import platform
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn, TypeVar, cast

import msgspec

T = TypeVar("T")

NEWEST: dict[str, int] = {}
"""Version of each format of docs/formats that is written here; those not listed are at 1. N - 1 is read too."""


INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class InputError(Exception):
    """Something given that cannot be used; the message says where, what was found and what was wanted."""


def exit_on_error(command: Callable[[], object]) -> NoReturn:
    """Runs a command line: exit 0 when it is done, 1 with one line on stderr when its input cannot be used."""
    try:
        command()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # what typer makes of Ctrl-C, without a word
            _say_stopped()
        raise
    sys.exit(0)


def _say_stopped() -> None:
    print("stopped: run the same command again to go on", file=sys.stderr)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields a name beside `path` to write a file or folder under; it becomes `path` only on success.

    A failure or a kill leaves `path` as it was; what was written beside it is removed, now or by the next call.
    A folder of other files is not replaced: see `_refuse_foreign`.
    """
    part = path.with_name(f".{path.name}.part")
    _remove(part)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if part.is_dir() and path.is_dir():
            _refuse_foreign(path, part)
            old = path.with_name(f".{path.name}.old")
            _remove(old)
            path.rename(old)
            part.rename(path)
            _remove(old)
        else:
            part.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written: {error.strerror or error}; nothing was left in its place"
        ) from error
    finally:
        _remove(part)


def _refuse_foreign(path: Path, part: Path) -> None:
    """A folder gives way where a manifest calls it an output, or where the new one has all its names."""
    lost = sorted(p.name for p in path.iterdir() if not (part / p.name).exists())
    if lost and not manifest_path(path).is_file():
        raise InputError(
            f"{path}: holds {lost[0]!r} and has no {manifest_path(path).name} beside it, so it is no earlier output: "
            f"nothing was replaced; move it or name another"
        )


PARTIAL = ".partial"
"""The empty file that tells a folder of partial work."""


def claim_work(folder: Path) -> None:
    """Makes a folder for partial work or takes one up; InputError where it holds something else, for it will go."""
    marker = folder / PARTIAL
    try:
        if folder.is_dir() and not marker.is_file() and (held := sorted(p.name for p in folder.iterdir())):
            raise InputError(
                f"{folder}: holds {held[0]!r} and is no folder of partial work, which is removed in the end: "
                f"name a new or an empty one"
            )
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise InputError(f"{folder}: cannot hold partial work: {error.strerror or error}") from error


def clear_work(folder: Path) -> None:
    """Removes a folder that `claim_work` took, and no other."""
    if (folder / PARTIAL).is_file():
        shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        if path.exists():
            raise


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8, NFC text, whole or not at all."""
    with whole(path) as part:
        part.write_text(unicodedata.normalize("NFC", text), encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Writes one JSON value, indented by two, Hangul unescaped."""
    write_text(path, json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2) + "\n")


def write_jsonl(path: Path, records: Iterable[object]) -> int:
    """Writes one compact JSON object a line and returns how many; `records` is consumed as a stream."""
    encoder = msgspec.json.Encoder()
    n_records = 0
    with whole(path) as part, part.open("wb") as lines:
        for record in records:
            lines.write(encoder.encode(record) + b"\n")
            n_records += 1
    return n_records


def read_json(path: Path, kind: type[T]) -> T:
    """Reads one JSON value of the given type; InputError names the file and the field."""
    _refuse_newer(path)
    try:
        with _open(path) as data:
            return msgspec.json.decode(data.read(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {_reason(error)}") from error


def read_jsonl(path: Path, kind: type[T]) -> Iterator[T]:
    """Yields the records of a JSON Lines file (plain or .gz) in order; InputError names path and line.

    Blank lines are skipped. Unknown fields are ignored, so that a later minor version can add some.
    """
    _refuse_newer(path)
    decoder = msgspec.json.Decoder(kind)
    with _open(path) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
                    raise InputError(f"{path}:{number}: {_reason(error)}") from error
        except (OSError, EOFError) as error:
            raise InputError(f"{path}: cannot be read to its end: {error}") from error


def _open(path: Path) -> IO[bytes]:
    try:
        return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _reason(error: Exception) -> str:
    """'`$.text` is missing' style: the field first, then what was found and wanted."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError) and text.startswith("Object missing required field `"):
        return f"'{text.split('`')[1]}' is missing"
    if isinstance(error, msgspec.ValidationError) and " - at `$." in text:
        reason, _, where = text.rpartition(" - at `$.")
        return f"'{where.rstrip('`')}': {reason[0].lower()}{reason[1:]}"
    return text


def sha256(path: Path) -> str:
    """The hexadecimal sha256 of a file, or of a folder's files by sorted relative name."""
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as data:
            while block := data.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file or folder that a command made, and the format it is in."""

    path: Path
    format: str
    """The format's name in docs/formats, such as `pairs`."""
    version: int = 1
    n_records: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What made an output: command, parameters, inputs and outputs with their sha256 and counts."""

    package: str
    package_version: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    seed: int | None = None
    inputs: Sequence[Path] = ()
    outputs: Sequence[Output] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    """Seconds since the epoch."""

    def write(self) -> None:
        """Writes `<output>.manifest.json` beside the first output."""
        write_json(manifest_path(self.outputs[0].path), self.record())

    def record(self) -> dict[str, object]:
        """The manifest as the JSON object of docs/formats/manifest.md."""
        return {
            "format": "manifest",
            "version": NEWEST.get("manifest", 1),
            "package": self.package,
            "package_version": self.package_version,
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "parameters": {name: _plain(value) for name, value in self.parameters.items()},
            "seed": self.seed,
            "inputs": [{"path": p.as_posix(), "sha256": sha256(p)} for p in self.inputs if p.exists()],
            "outputs": [
                {
                    "path": o.path.name,
                    "format": o.format,
                    "version": o.version,
                    "sha256": sha256(o.path),
                    "n_records": o.n_records,
                }
                for o in self.outputs
            ],
            "counts": dict(self.counts),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 3),
            "machine": {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()},
        }


def _plain(value: object) -> object:
    return value.as_posix() if isinstance(value, Path) else msgspec.to_builtins(value)


def manifest_path(output: Path) -> Path:
    """Where the manifest of an output file or folder lies: beside it."""
    return output.with_name(f"{output.name}.manifest.json")


def _refuse_newer(path: Path) -> None:
    """Raises InputError where the manifest beside `path` says that it is of a version newer than we read."""
    manifest = manifest_path(path)
    if not manifest.is_file():
        return
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        outputs = {o["path"]: (str(o["format"]), int(o["version"])) for o in found["outputs"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{manifest}: is not a manifest: {error!r}") from error
    name, version = outputs.get(path.name, ("", 0))
    check_version(path, name, version)


def check_version(path: Path, name: str, version: int) -> None:
    """Raises InputError unless `version` of format `name` is one that is read here: N or N - 1."""
    newest = NEWEST.get(name, 1)
    if version > newest:
        raise InputError(
            f"{path}: format {name!r} has version {version}, newer than {newest}, the newest read here: "
            f"install a newer release of this package"
        )
    if version < max(newest - 1, 1):
        raise InputError(f"{path}: format {name!r} has version {version}, too old: make it again")
