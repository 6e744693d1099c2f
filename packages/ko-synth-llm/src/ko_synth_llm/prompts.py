"""Prompts: a jinja2 file with a `system` and a `user` block, rendered to the messages a model gets.

Each few-shot example is the `user` block over the example's record, and its answer as the assistant's message.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ._files import InputError
from .records import JsonObject

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.runtime import Context

BLOCKS = ("system", "user")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class UnaskableError(InputError):
    """A record that a prompt cannot be made of, such as one without a field it needs."""


class Prompt:
    """A prompt file, compiled in a sandbox in which an undefined variable is an error.

    constant: the blocks that use no variable, by name, as their text.
    """

    def __init__(self, path: Path, *, known: Collection[str]) -> None:
        """known: the variables that may be used; one that is not among them is refused here, before any request."""
        from jinja2 import StrictUndefined, TemplateSyntaxError, meta
        from jinja2.runtime import Context
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self.path = path
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        try:
            tree = environment.parse(path.read_text(encoding="utf-8"))
            self.template = environment.from_string(tree)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        except TemplateSyntaxError as error:
            raise InputError(f"{path}:{error.lineno}: {error.message}") from error
        if "user" not in self.template.blocks:
            raise InputError(f"{path}: has no 'user' block: write {{% block user %}} ... {{% endblock %}}")
        self._globals = dict(environment.globals)
        self._new_context = partial(Context, environment, name=None, blocks=self.template.blocks)
        used = {name: _variables(block) for name, block in _blocks(tree)}
        for name in sorted(meta.find_undeclared_variables(tree) - set(known) - set(self._globals)):
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name it in record.fields or record.defaults"
            raise InputError(f"{path}: uses the variable {name!r}, which task.toml does not declare; {hint}")
        self.constant = {name: self.block(name, {}, where=str(path)) for name in BLOCKS if used.get(name) == set()}

    def block(self, name: str, fields: JsonObject, *, where: str) -> str:
        """The text of one block over a record's fields, stripped; empty where the file has no such block."""
        if name not in self.template.blocks:
            return ""
        try:
            return "".join(self.template.blocks[name](self._context(fields))).strip()
        except _rendering_errors() as error:
            raise UnaskableError(f"{where}: the prompt {self.path.name} cannot be made of it: {error}") from error

    def _context(self, fields: JsonObject) -> "Context":
        """As Template.new_context does, which takes longer than most prompts: it copies its globals from a ChainMap."""
        return self._new_context({**self._globals, **fields})


def _rendering_errors() -> tuple[type[Exception], ...]:
    """What a template may raise over a record of another shape than it expects."""
    from jinja2 import TemplateError

    return TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError


def _blocks(tree: "nodes.Template") -> "Iterator[tuple[str, nodes.Block]]":
    from jinja2 import nodes

    return ((block.name, block) for block in tree.find_all(nodes.Block))


def _variables(block: "nodes.Block") -> set[str]:
    """What a block looks up when it is rendered."""
    from jinja2 import meta, nodes

    body = nodes.Template(block.body)
    body.environment = block.environment
    return meta.find_undeclared_variables(body)


def turns(prompt: Prompt, shots: Iterable[tuple[JsonObject, object]]) -> tuple[Message, ...]:
    """The few-shot examples as turns: the user block over a record, then its answer as compact JSON."""
    messages = []
    for number, (fields, answer) in enumerate(shots, start=1):
        where = f"examples.jsonl: example {number}"
        messages.append(Message(role="user", content=prompt.block("user", fields, where=where)))
        messages.append(Message(role="assistant", content=msgspec.json.encode(answer).decode()))
    return tuple(messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Messages and their JSON, which is hashed and sent and so made once."""

    messages: tuple[Message, ...]
    json: bytes
    """Compact."""

    @classmethod
    def of(cls, messages: tuple[Message, ...]) -> "Conversation":
        return cls(messages=messages, json=msgspec.json.encode(messages))

    def then(self, *messages: Message) -> "Conversation":
        """This one with further turns.

        >>> Conversation.of(()).then(Message(role="user", content="해")).json.decode()
        '[{"role":"user","content":"해"}]'
        """
        comma = b"," if self.messages and messages else b""
        further = msgspec.json.encode(messages)[1:]
        return Conversation(messages=(*self.messages, *messages), json=self.json[:-1] + comma + further)

    @property
    def sha256(self) -> str:
        """The hexadecimal sha256 of the JSON."""
        return hashlib.sha256(self.json).hexdigest()


def opening(prompt: Prompt, fields: JsonObject, *, shots: Sequence[Message], where: str) -> Conversation:
    """What comes before a record: system, and the examples' turns."""
    system = prompt.block("system", fields, where=where)
    return Conversation.of((*((Message(role="system", content=system),) if system else ()), *shots))


def show(messages: Sequence[Message]) -> str:
    r"""Messages as people read them.

    >>> print(show([Message(role="user", content="문단:\n해가 뜬다.")]))
    [user]
    문단:
    해가 뜬다.
    """
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)
