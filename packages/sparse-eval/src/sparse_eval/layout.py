"""JSON values laid out for people: a record a line, as in docs/formats/golden.

json.dumps offers one number a line or everything on one; a table of measures is readable as neither.
"""

import json
from pathlib import Path

import msgspec

from sparse_eval._files import write_text


def lay_out(value: msgspec.Struct) -> str:
    r"""The JSON text of a record: a field a line, the records of a list a line each, all else on one line.

    >>> class Point(msgspec.Struct):
    ...     x: float
    >>> class Line(msgspec.Struct):
    ...     name: str
    ...     points: list[Point]
    >>> print(lay_out(Line("선", [Point(1.0), Point(2.0)])), end="")
    {
      "name": "선",
      "points": [
        {"x": 1.0},
        {"x": 2.0}
      ]
    }
    """
    fields = msgspec.to_builtins(value)
    lines = ",\n".join(f"  {_text(name)}: {_field(content)}" for name, content in fields.items())
    return "{\n" + lines + "\n}\n"


def write_laid_out(path: Path, value: msgspec.Struct) -> None:
    """Writes a record as `lay_out` gives it, whole or not at all."""
    write_text(path, lay_out(value))


def _field(content: object) -> str:
    if isinstance(content, list | tuple) and content and all(isinstance(item, dict) for item in content):
        return "[\n" + ",\n".join(f"    {_text(item)}" for item in content) + "\n  ]"
    return _text(content)


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False)
