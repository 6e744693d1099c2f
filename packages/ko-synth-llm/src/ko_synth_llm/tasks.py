"""A task is a folder: task.toml, prompt.j2, schema.json and, if there are any, examples.jsonl.

Prompts are kept apart from code, so that people who write Korean well can change them without touching Python.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import msgspec

from ._files import InputError, read_jsonl
from .answer_schema import AnswerSchema, SchemaError
from .prompts import Prompt
from .settings import changed

THINKING = "^(on|off|[1-9][0-9]*)$"
BUILT_IN = Path(__file__).parent / "tasks"


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the model draws an answer; all of it is part of the cache's key."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int | None = None
    thinking: Annotated[str, msgspec.Meta(pattern=THINKING)] | msgspec.UnsetType = msgspec.UNSET
    """`on`, `off`, or the most tokens of a thought; left to the model where it is unset."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task needs of a record."""

    id: str
    """The field that holds the stable id."""
    text: list[str]
    """The fields a reply answers; a recorded reply is keyed by their hash."""
    fields: list[str] = []
    """The fields a record must have."""
    defaults: dict[str, object] = {}
    """The fields a record may have, with what stands in for them."""


class Draw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list that a prompt gets: n of these items, chosen by a hash of the record's id."""

    of: list[str]
    n: int


class TaskFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What task.toml holds."""

    name: str
    version: str
    record: Shape
    language: str = "ko"
    description: str = ""
    n_answers: int = 1
    draw: dict[str, Draw] = {}
    sampling: Sampling = Sampling()


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One line of examples.jsonl: a record and the answer wanted for it."""

    record: dict[str, object]
    answer: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task that was read, checked and is ready to be rendered."""

    file: TaskFile
    prompt: Prompt
    schema: AnswerSchema
    examples: tuple[Example, ...]
    sha256: str
    """Of the folder's four files; changes when anything of the task does."""

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def version(self) -> str:
        return self.file.version


def built_in_tasks() -> list[str]:
    """The names of the tasks that come with the package, sorted."""
    return sorted(folder.name for folder in BUILT_IN.iterdir() if (folder / "task.toml").is_file())


def load_task(name: str | Path) -> Task:
    """Loads a task by a built-in name or by its folder; InputError says which file of it is wrong and how."""
    folder = _folder(name)
    file = _read_task_file(folder / "task.toml")
    prompt = Prompt(folder / "prompt.j2", known=_known_fields(file))
    schema = _read_schema(folder / "schema.json")
    examples = _read_examples(folder / "examples.jsonl", schema)
    digest = hashlib.sha256()
    for part in ("task.toml", "prompt.j2", "schema.json", "examples.jsonl"):
        digest.update((folder / part).read_bytes() if (folder / part).is_file() else b"")
        digest.update(b"\0")
    return Task(file=file, prompt=prompt, schema=schema, examples=examples, sha256=digest.hexdigest())


def with_sampling(task: Task, settings: Iterable[str]) -> Task:
    """A task with other sampling, given as NAME=VALUE; InputError names a wrong name or value."""
    sampling = changed(task.file.sampling, settings, option="--sampling")
    return replace(task, file=msgspec.structs.replace(task.file, sampling=sampling))


def _folder(name: str | Path) -> Path:
    folder = BUILT_IN / name if isinstance(name, str) and name in built_in_tasks() else Path(name)
    if (folder / "task.toml").is_file():
        return folder
    near = get_close_matches(str(name), built_in_tasks(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(
        f"{name}: is neither a built-in task ({', '.join(built_in_tasks())}) nor a folder with a task.toml{hint}"
    )


def _read_task_file(path: Path) -> TaskFile:
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=TaskFile)
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: {_said_of_settings(str(error))}") from error
    for name, draw in file.draw.items():
        if not 1 <= draw.n <= len(draw.of):
            raise InputError(f"{path}: draw.{name}.n is {draw.n}, but must be 1 to {len(draw.of)}, the items given")
    if file.n_answers < 1:
        raise InputError(f"{path}: n_answers is {file.n_answers}, but must be at least 1")
    if not file.record.text:
        raise InputError(f"{path}: record.text is empty, but must name the fields that an answer depends on")
    return file


def _said_of_settings(error: str) -> str:
    """What msgspec says of task.toml, with the nearest setting there is where it says that one is unknown.

    >>> _said_of_settings("Object contains unknown field `max_token` - at `$.sampling`")
    "there is no setting 'max_token' in sampling; did you mean 'max_tokens'?"
    """
    found = re.fullmatch(r"Object contains unknown field `([^`]*)`(?: - at `\$\.(.*)`)?", error)
    if found is None:
        return error
    name, place = found.groups()
    known = [field.name for kind in (TaskFile, Shape, Draw, Sampling) for field in msgspec.structs.fields(kind)]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no setting {name!r}{f' in {place}' if place else ''}{hint}"


def _known_fields(file: TaskFile) -> frozenset[str]:
    return frozenset([file.record.id, *file.record.text, *file.record.fields, *file.record.defaults, *file.draw])


def _read_schema(path: Path) -> AnswerSchema:
    try:
        return AnswerSchema(msgspec.json.decode(path.read_bytes(), type=dict[str, object]))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: is not a JSON object: {error}") from error
    except SchemaError as error:
        raise InputError(f"{path}: is not a JSON Schema: {error}") from error


def _read_examples(path: Path, schema: AnswerSchema) -> tuple[Example, ...]:
    if not path.is_file():
        return ()
    examples = tuple(read_jsonl(path, Example))
    for number, example in enumerate(examples, start=1):
        if breach := schema.breach(example.answer):
            raise InputError(f"{path}: example {number}: {breach}")
    return examples
