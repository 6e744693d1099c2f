"""Recorded replies: a file that stands in for a model, in tests and for the sample corpus.

A recording is JSON Lines `{task, id, text_sha256, reply}`; several lines with one key are a record's answers in order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from ._files import InputError, read_jsonl


class RecordedReply(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a recording."""

    task: str
    id: str
    """The record's stable id, such as the passage's `_id`."""
    text_sha256: str
    """Hexadecimal sha256 of the text that the reply answers, as `show --all` gives it."""
    reply: str
    """The model's whole reply, verbatim: for the built-in tasks the text of a JSON object."""


class Key(Protocol):
    """What a recording is looked up by; a request is one."""

    @property
    def record_id(self) -> str: ...
    @property
    def text_sha256(self) -> str: ...


class MissingReplyError(InputError):
    """A recording holds no reply for a record."""


class Recording:
    """The replies of one task, in memory."""

    def __init__(self, path: Path, task: str) -> None:
        self.path = path
        self.task = task
        self._replies: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._ids: set[str] = set()
        for line in read_jsonl(path, RecordedReply):
            if line.task == task:
                self._replies[line.id, line.text_sha256].append(line.reply)
                self._ids.add(line.id)

    def reply(self, record_id: str, text_sha256: str, *, n: int) -> str:
        """The n-th reply (from 1) for a record; MissingReplyError names the id and the command that re-keys."""
        replies = self._replies.get((record_id, text_sha256), [])
        if n <= len(replies):
            return replies[n - 1]
        if replies:
            found = f"has only {len(replies)} of the {n} replies wanted"
        elif record_id in self._ids:
            found = "was recorded for another text than this"
        else:
            found = "was not recorded"
        raise MissingReplyError(
            f"{self.path}: {self.task} {record_id!r} {found} (text_sha256 {text_sha256[:12]}); if ids or texts moved: "
            f"ko-synth-llm rekey {self.task} INPUT --recording {self.path} -o {self.path}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """A recording whose lines carry the keys of the records as they are now."""

    lines: Sequence[RecordedReply]
    n_kept: int
    n_moved: int
    """Found by their text under another id."""
    n_changed: int
    """Kept for a text that has changed under the same id; 0 unless that was accepted."""
    left: Sequence[RecordedReply]
    """Lines of the task that answer no record; not among `lines`."""
    missing: Sequence[str]
    """Ids of the records without a reply."""


def rekey(
    lines: Iterable[RecordedReply], keys: Iterable[tuple[str, str]], *, task: str, accept_changed: bool = False
) -> Rekeyed:
    """Gives a task's recorded replies the (id, text_sha256) keys of today's records; other tasks' lines stay.

    A line keeps its key where a record has it, else moves to the record of the same text without a reply of its own,
    else, with `accept_changed`, follows its id to the new text. The order is that of the lines.
    """
    wanted = dict(keys)
    held = list(lines)
    answered = {line.id for line in held if line.task == task and wanted.get(line.id) == line.text_sha256}
    by_text: dict[str, list[str]] = defaultdict(list)
    for record_id, text in wanted.items():
        if record_id not in answered:
            by_text[text].append(record_id)
    counts = {"kept": 0, "moved": 0, "changed": 0}
    moves: dict[tuple[str, str], str] = {}
    out, left = [], []
    for line in held:
        if line.task != task:
            out.append(line)
        elif wanted.get(line.id) == line.text_sha256:
            counts["kept"] += 1
            out.append(line)
        elif (target := _target(line, by_text, moves)) is not None:
            counts["moved"] += 1
            answered.add(target)
            out.append(msgspec.structs.replace(line, id=target))
        else:
            left.append(line)
    if accept_changed:
        follow = [line for line in left if line.id in wanted and line.id not in answered]
        counts["changed"] = len(follow)
        out += [msgspec.structs.replace(line, text_sha256=wanted[line.id]) for line in follow]
        answered |= {line.id for line in follow}
        left = [line for line in left if line not in follow]
    return Rekeyed(
        lines=out,
        n_kept=counts["kept"],
        n_moved=counts["moved"],
        n_changed=counts["changed"],
        left=left,
        missing=[record_id for record_id in wanted if record_id not in answered],
    )


def _target(line: RecordedReply, by_text: dict[str, list[str]], moves: dict[tuple[str, str], str]) -> str | None:
    """The id that a line moves to: the same for all lines of one key, the next record of that text otherwise."""
    key = (line.id, line.text_sha256)
    if key not in moves and by_text.get(line.text_sha256):
        moves[key] = by_text[line.text_sha256].pop(0)
    return moves.get(key)


def unique(lines: Iterable[RecordedReply]) -> Iterator[RecordedReply]:
    """The lines without exact repeats, in order."""
    seen: set[RecordedReply] = set()
    for line in lines:
        if line not in seen:
            seen.add(line)
            yield line
