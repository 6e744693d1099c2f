"""Prompts: a jinja2 file with a `system` and a `user` block, rendered to the messages a model gets.

Each few-shot example is the `user` block over the example's record, and its answer as the assistant's message.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import msgspec

from ._files import InputError
from .records import JsonObject

BLOCKS = ("system", "user")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class UndefinedFieldError(InputError):
    """A prompt needs a field that a record does not have."""


class Prompt:
    """A prompt file, compiled in a sandbox in which an undefined variable is an error."""

    def __init__(self, path: Path, *, known: Collection[str]) -> None:
        """known: the variables that may be used; one that is not among them is refused here, before any request."""
        from jinja2 import StrictUndefined, TemplateSyntaxError, meta
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self.path = path
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        try:
            source = path.read_text(encoding="utf-8")
            self.template = environment.from_string(source)
            used = meta.find_undeclared_variables(environment.parse(source))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        except TemplateSyntaxError as error:
            raise InputError(f"{path}:{error.lineno}: {error.message}") from error
        if "user" not in self.template.blocks:
            raise InputError(f"{path}: has no 'user' block: write {{% block user %}} ... {{% endblock %}}")
        for name in sorted(used - set(known)):
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name it in record.fields or record.defaults"
            raise InputError(f"{path}: uses the variable {name!r}, which task.toml does not declare; {hint}")

    def block(self, name: str, fields: JsonObject, *, where: str) -> str:
        """The text of one block over a record's fields, stripped; empty where the file has no such block."""
        from jinja2 import TemplateError, UndefinedError

        if name not in self.template.blocks:
            return ""
        try:
            context = self.template.new_context(dict(fields))
            return "".join(self.template.blocks[name](context)).strip()
        except UndefinedError as error:
            raise UndefinedFieldError(
                f"{where}: the prompt {self.path.name} needs what is not there: {error}"
            ) from error
        except (TemplateError, TypeError, ValueError) as error:
            raise InputError(f"{where}: the prompt {self.path.name} cannot be rendered: {error}") from error


def turns(prompt: Prompt, shots: Iterable[tuple[JsonObject, object]]) -> tuple[Message, ...]:
    """The few-shot examples as turns: the user block over a record, then its answer as compact JSON."""
    messages = []
    for number, (fields, answer) in enumerate(shots, start=1):
        where = f"examples.jsonl: example {number}"
        messages.append(Message(role="user", content=prompt.block("user", fields, where=where)))
        messages.append(Message(role="assistant", content=msgspec.json.encode(answer).decode()))
    return tuple(messages)


def render(prompt: Prompt, fields: JsonObject, *, shots: Sequence[Message], where: str) -> tuple[Message, ...]:
    """The messages for one record: system, the examples' turns, and the record as the last user's turn."""
    system = prompt.block("system", fields, where=where)
    opening = (Message(role="system", content=system),) if system else ()
    return (*opening, *shots, Message(role="user", content=prompt.block("user", fields, where=where)))


def prompt_sha256(messages: Sequence[Message]) -> str:
    """The hexadecimal sha256 of messages as compact JSON."""
    return hashlib.sha256(msgspec.json.encode(messages)).hexdigest()


def show(messages: Sequence[Message]) -> str:
    r"""Messages as people read them.

    >>> print(show([Message(role="user", content="문단:\n해가 뜬다.")]))
    [user]
    문단:
    해가 뜬다.
    """
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)
