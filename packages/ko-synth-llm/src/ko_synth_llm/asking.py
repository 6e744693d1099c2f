"""What is asked of a model for a record: its id and texts, its drawn items, and the exact messages.

Everything that decides an answer is in a Request, so that a cache or a recording can stand in for the model.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ._files import InputError
from .answer_schema import AnswerSchema
from .narrowing import narrowed
from .prompts import Conversation, Message, UnaskableError, opening, turns
from .records import JsonObject, Record, text_sha256
from .tasks import Draw, Sampling, Task

AskedItems = Mapping[str, Sequence[str]]
"""Items asked for in place of drawn ones, such as {"styles": ["question"]}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One answer wanted from a model."""

    task: str
    record_id: str
    text_sha256: str
    n: int
    """Which of the record's answers this is, from 1."""
    conversation: Conversation
    schema: AnswerSchema
    """Of the answer: the task's, with the items that were asked for and no others."""
    sampling: Sampling


class Asking:
    """Makes requests of records for one task; the examples are rendered once."""

    def __init__(self, task: Task, *, asked: AskedItems | None = None) -> None:
        self.task = task
        self.asked = dict(asked or {})
        for name in self.asked:
            self._check_asked(name)
        records = [Record(fields=example.record, where="examples.jsonl") for example in task.examples]
        answers = [example.answer for example in task.examples]
        self._schemas: dict[tuple[tuple[str, ...], ...], AnswerSchema] = {}
        self.shots = turns(task.prompt, zip([self._fields(r, asked={}) for r in records], answers, strict=True))
        has_one_opening = "system" in task.prompt.constant or "system" not in task.prompt.template.blocks
        self._opening = self._opened({}, where="") if has_one_opening else None

    def conversation(self, record: Record) -> Conversation:
        """The exact messages for one record; UnaskableError names its place and the field it lacks."""
        return self._asked(self._fields(record, asked=self.asked), record)

    def requests(self, record: Record) -> list[Request]:
        """The requests for one record, one for each answer the task wants."""
        fields = self._fields(record, asked=self.asked)
        conversation = self._asked(fields, record)
        schema = self._schema(fields)
        return [
            Request(
                task=self.task.name,
                record_id=self.record_id(record),
                text_sha256=self.text_sha256(record),
                n=n,
                conversation=conversation,
                schema=schema,
                sampling=self.task.file.sampling,
            )
            for n in range(1, self.task.file.n_answers + 1)
        ]

    def record_id(self, record: Record) -> str:
        return self._string(record, self.task.file.record.id)

    def text_sha256(self, record: Record) -> str:
        return text_sha256([self._string(record, name) for name in self.task.file.record.text])

    def _asked(self, fields: JsonObject, record: Record) -> Conversation:
        question = self.task.prompt.block("user", fields, where=record.where)
        opened = self._opening or self._opened(fields, where=record.where)
        return opened.then(Message(role="user", content=question))

    def _opened(self, fields: JsonObject, *, where: str) -> Conversation:
        return opening(self.task.prompt, fields, shots=self.shots, where=where)

    def _schema(self, fields: JsonObject) -> AnswerSchema:
        if not self.task.file.draw:
            return self.task.schema
        known = {name: draw.of for name, draw in self.task.file.draw.items()}
        asked = {name: _strings(fields.get(name)) for name in known}
        key = tuple(asked.values())
        if key not in self._schemas:
            self._schemas[key] = AnswerSchema(narrowed(self.task.schema.value, known, asked))
        return self._schemas[key]

    def _fields(self, record: Record, *, asked: AskedItems) -> dict[str, object]:
        shape = self.task.file.record
        for name in (*shape.text, *shape.fields):
            if name not in record.fields:
                raise UnaskableError(
                    f"{record.where}: {name!r} is missing, which the prompt of task {self.task.name!r} needs; "
                    f"the record has {', '.join(sorted(record.fields))}"
                )
        fields = dict(record.fields)
        for name, default in shape.defaults.items():
            fields[name] = fields.get(name) or default
        for name, draw in self.task.file.draw.items():
            if name in asked:
                fields[name] = list(asked[name])
            elif fields.get(name) is None:
                fields[name] = drawn(draw, f"{name}\n{self.record_id(record)}")
            elif not _is_choice(fields[name], draw):
                raise UnaskableError(
                    f"{record.where}: {name!r} is {msgspec.json.encode(fields[name]).decode()}, wanted a list of some "
                    f"of {', '.join(draw.of)}"
                )
        return fields

    def _string(self, record: Record, name: str) -> str:
        value = record.fields.get(name)
        if isinstance(value, str) and value:
            return value
        found = f"is {msgspec.json.encode(value).decode()}" if name in record.fields else "is missing"
        raise UnaskableError(f"{record.where}: {name!r} {found}, but task {self.task.name!r} needs a text there")

    def _check_asked(self, name: str) -> None:
        draw = self.task.file.draw.get(name)
        if draw is None:
            known = ", ".join(self.task.file.draw) or "nothing"
            raise InputError(f"--ask {name}: task {self.task.name!r} lets {known} be asked for")
        for item in self.asked[name]:
            if item not in draw.of:
                raise InputError(f"--ask {name}: {item!r} is not one of {', '.join(draw.of)}")


def _is_choice(value: object, draw: Draw) -> bool:
    return isinstance(value, list) and bool(value) and all(item in draw.of for item in value)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def drawn(draw: Draw, key: str) -> list[str]:
    """n of the items, decided by a hash of the key alone and given in their own order.

    >>> drawn(Draw(of=["keyword", "question", "english"], n=2), "styles\\ndoc-1#0")
    ['keyword', 'english']
    """
    ranked = sorted(draw.of, key=lambda item: hashlib.sha256(f"{key}\n{item}".encode()).digest())
    return [item for item in draw.of if item in ranked[: draw.n]]
