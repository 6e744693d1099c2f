"""The schema of one record's answer: a task's schema that allows the items asked for and no others.

A model that is asked for two styles may not answer in a third, whatever the task knows.
"""

from collections.abc import Mapping, Sequence

from .records import JsonObject


def narrowed(schema: JsonObject, known: Mapping[str, Sequence[str]], asked: Mapping[str, Sequence[str]]) -> JsonObject:
    """A schema in which each enum that lists all known items of a name holds only those asked for, in their order.

    >>> schema = {"properties": {"style": {"enum": ["keyword", "question"]}, "n": {"type": "integer"}}}
    >>> narrowed(schema, {"styles": ["keyword", "question"]}, {"styles": ["question"]})
    {'properties': {'style': {'enum': ['question']}, 'n': {'type': 'integer'}}}

    Names that are not asked for, and enums of other items, stay as they are.
    """
    wanted = {
        frozenset(items): [item for item in items if item in asked[name]]
        for name, items in known.items()
        if set(items) & set(asked.get(name, ()))
    }
    return {key: _narrowed(value, wanted) for key, value in schema.items()}


def _narrowed(value: object, wanted: Mapping[frozenset[str], list[str]]) -> object:
    if isinstance(value, list):
        return [_narrowed(item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _narrowed(item, wanted) for key, item in value.items()}
    items = value.get("enum")
    if isinstance(items, list) and all(isinstance(item, str) for item in items):
        made["enum"] = wanted.get(frozenset(items), items)
    return made
