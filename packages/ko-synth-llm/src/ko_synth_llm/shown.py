"""What `show --all` writes: a record's messages with the keys that a recorded reply to them must carry.

Whoever records replies adds `reply` to these keys and has a line of a recording.
"""

import msgspec

from .asking import Asking
from .prompts import Message
from .records import Record


class ShownRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a messages file."""

    task: str
    task_version: str
    id: str
    text_sha256: str
    prompt_sha256: str
    messages: tuple[Message, ...]


def shown_record(asking: Asking, record: Record) -> ShownRecord:
    """The messages and keys of one record."""
    conversation = asking.conversation(record)
    return ShownRecord(
        task=asking.task.name,
        task_version=asking.task.version,
        id=asking.record_id(record),
        text_sha256=asking.text_sha256(record),
        prompt_sha256=conversation.sha256,
        messages=conversation.messages,
    )
