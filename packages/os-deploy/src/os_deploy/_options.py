"""Commands whose options come in groups: a dataclass for each group, a field for each option.

Vendored: the packages with such commands hold this very file, and `nox -s contracts` keeps the copies identical
(docs/adr/0002).
"""

import dataclasses
import functools
import inspect
import operator
from collections.abc import Callable, Iterator
from copy import copy
from typing import Annotated, Any, get_type_hints

from typer.models import OptionInfo


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of a dataclass are that dataclass's fields, each an option of its own.

    So a command of thirty options is written, and read, as a few groups of them; `--help` shows each group under the
    first line of its docstring.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            flat += _options(groups[name])
        else:
            flat.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @functools.wraps(command)
    def run(**given: object) -> None:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **made)

    run.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in flat}
    return run


def _options(group: Any) -> Iterator[inspect.Parameter]:
    """The fields of a group as parameters, each under the group's title."""
    hints = get_type_hints(group, include_extras=True)
    title = (inspect.getdoc(group) or "").partition("\n")[0].rstrip(".")
    for field in dataclasses.fields(group):
        default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        annotation = _titled(hints[field.name], title)
        yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _titled(hint: Any, title: str) -> Any:
    """A field's type whose option, a copy for others may hold it too, stands under the title."""
    metadata = []
    for item in getattr(hint, "__metadata__", ()):
        if isinstance(item, OptionInfo) and item.rich_help_panel is None:
            item = copy(item)
            item.rich_help_panel = title
        metadata.append(item)
    return operator.getitem(Annotated, (hint.__origin__, *metadata)) if metadata else hint
