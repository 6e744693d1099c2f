"""Records whose fields a command line sets as NAME=VALUE, such as `--sampling max_tokens=4096`.

One option for many settings, each checked by name and type.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

import msgspec

from ._files import InputError

S = TypeVar("S", bound=msgspec.Struct)


def changed(settings: S, changes: Iterable[str], *, option: str) -> S:
    """The settings with the changes made; InputError names the option, and a wrong name or value.

    >>> class Size(msgspec.Struct, forbid_unknown_fields=True):
    ...     width: int = 1
    >>> changed(Size(), ["width=3"], option="--size")
    Size(width=3)
    """
    known = [field.name for field in msgspec.structs.fields(settings)]
    held = dict(msgspec.to_builtins(settings))
    for change in changes:
        name, sign, value = change.partition("=")
        if name not in known or not sign:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            wrong = f"there is no {name!r}{hint}" if sign else "wanted NAME=VALUE"
            raise InputError(f"{option} {change}: {wrong}; known are {', '.join(known)}")
        held[name] = value
    try:
        return msgspec.convert(held, type(settings), strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"{option} {' '.join(changes)}: {error}") from error
