"""Translations out of localisation files: what stands at the same place in two languages' files means the same.

Products keep their texts so (i18n JSON), and so do the Unicode consortium's CLDR (the names of countries, languages,
cities and of whatever an emoji can show) and OpenStreetMap's tagging schema (whatever stands in a town).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ko_synonyms._files import InputError
from ko_synonyms.records import TermPair, has_hangul

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\(\w+\)[sd]|%[sd]|<[^<>]*>")
_LETTER = re.compile("[A-Za-z]")


def counterparts(given: str) -> list[tuple[Path, Path]]:
    """The Korean and the English files that `KO=EN` means: the two named, or those of two folders that both have."""
    ko, equals, en = given.partition("=")
    if not (ko and equals and en):
        raise InputError(f"{given!r}: wanted the Korean file or folder and the English one as KO=EN")
    korean, english = Path(ko), Path(en)
    if not korean.is_dir():
        return [(korean, english)]
    names = sorted(path.relative_to(korean) for path in korean.rglob("*.json"))
    found = [(korean / name, english / name) for name in names if (english / name).is_file()]
    if not found:
        raise InputError(f"{given}: the folders share no .json file: wanted files of the same names in both")
    return found


def read_localised(path: Path) -> object:
    """The texts of one language, nested as they are; InputError where the file cannot be read or holds no JSON."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as e:
        raise InputError(f"{path}: {e.strerror}: wanted the texts of one language as JSON") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InputError(f"{path}: {e}: wanted the texts of one language as JSON") from None


def translations(korean: object, english: object) -> Iterator[TermPair]:
    """Yields what stands at the same place of both, in the Korean file's order.

    A list of terms is one text, since its parts have no counterparts by number. Placeholders and tags are left out,
    and so is what is not translated: a Korean text wants Hangul, an English one letters and no Hangul.

    >>> [(p.ko, p.en) for p in translations({"menu": {"open": "{name} 열기", "ok": "OK"}},
    ...                                     {"menu": {"open": "Open {name}", "ok": "OK"}})]
    [('열기', 'Open')]
    """
    if isinstance(korean, Mapping) and isinstance(english, Mapping):
        for key, value in korean.items():
            other = english.get(key) if key in english else _only(english, beside=korean)
            yield from translations(value, other)
        return
    ko, en = _text(korean), _text(english)
    if has_hangul(ko) and _LETTER.search(en) and not has_hangul(en):
        yield TermPair(ko=ko, en=en, weight=1.0)


def _only(english: Mapping[str, object], *, beside: Mapping[str, object]) -> object:
    """The value of two files' only keys, which are often their languages: {"ko": ...} and {"en": ...}."""
    return next(iter(english.values())) if len(english) == len(beside) == 1 else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return " ".join(_PLACEHOLDER.sub(" ", unicodedata.normalize("NFC", value)).split())
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    return ""
