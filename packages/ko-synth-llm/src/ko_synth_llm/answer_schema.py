"""The JSON Schema of a task's answers, compiled once and asked of every answer.

In Rust, since a check in Python takes longer than all else that is done for an answer out of the cache.
"""

from typing import NoReturn

import msgspec

from .records import JsonObject


class SchemaError(Exception):
    """What was to be a JSON Schema and is none; the message says where."""


class AnswerSchema:
    """A JSON Schema (draft 2020-12) that references nothing outside itself."""

    def __init__(self, value: JsonObject) -> None:
        """Raises SchemaError where `value` is no schema."""
        from jsonschema_rs import Draft202012Validator, ValidationError

        self.value = value
        self.json = msgspec.json.encode(value)
        try:
            self._validator = Draft202012Validator(dict(value), retriever=_refused)
        except ValidationError as error:
            raise SchemaError(f"{json_path(error.instance_path)}: {error.message}") from error

    def breach(self, answer: object) -> str:
        """The first place where an answer breaks the schema, and how; empty where it does not.

        >>> schema = AnswerSchema({"properties": {"labels": {"items": {"enum": ["오류", "질문"]}}}})
        >>> schema.breach({"labels": ["질문", "칭찬"]})
        '$.labels[1]: "칭찬" is not one of "오류" or "질문"'
        >>> schema.breach({"labels": []})
        ''
        """
        if self._validator.is_valid(answer):
            return ""
        error = next(iter(self._validator.iter_errors(answer)))
        return f"{json_path(error.instance_path)}: {error.message}"


def json_path(parts: "list[str | int]") -> str:
    """
    >>> json_path(["queries", 0, "style"])
    '$.queries[0].style'
    """
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _refused(uri: str) -> NoReturn:
    raise ValueError(f"{uri}: a schema may reference only what is in it")
