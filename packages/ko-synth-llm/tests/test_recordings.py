"""Recorded replies are found by id and text, and follow their text when ids move."""

from pathlib import Path

import pytest
from ko_synth_llm._files import write_jsonl
from ko_synth_llm.recordings import MissingReplyError, RecordedReply, Recording, rekey


def line(record_id: str, text: str, reply: str = "r", task: str = "queries") -> RecordedReply:
    return RecordedReply(task=task, id=record_id, text_sha256=text, reply=reply)


def test_replies_of_one_key_are_its_answers_in_order(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", [line("a", "1", "first"), line("a", "1", "second"), line("a", "1", "x", "other")])
    recording = Recording(tmp_path / "r.jsonl", "queries")
    assert [recording.reply("a", "1", n=n) for n in (1, 2)] == ["first", "second"]
    with pytest.raises(MissingReplyError, match="'a' has only 2 of the 3 replies"):
        recording.reply("a", "1", n=3)


def test_a_miss_names_the_id_and_the_command_that_rekeys(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", [line("a", "1")])
    recording = Recording(tmp_path / "r.jsonl", "queries")
    with pytest.raises(MissingReplyError, match=r"'a' was recorded for another text.*ko-synth-llm rekey queries INPUT"):
        recording.reply("a", "2", n=1)
    with pytest.raises(MissingReplyError, match="'b' was not recorded"):
        recording.reply("b", "1", n=1)


def test_a_reply_follows_its_text_to_a_new_id() -> None:
    done = rekey(
        [line("a", "1"), line("b", "2"), line("x", "9", task="other")], [("c", "1"), ("b", "2")], task="queries"
    )
    assert [(r.id, r.text_sha256) for r in done.lines] == [("c", "1"), ("b", "2"), ("x", "9")]
    assert (done.n_moved, done.n_kept, list(done.left), list(done.missing)) == (1, 1, [], [])


def test_a_changed_text_is_followed_only_when_that_is_accepted() -> None:
    refused = rekey([line("a", "1")], [("a", "2")], task="queries")
    assert (len(refused.lines), len(refused.left), list(refused.missing)) == (0, 1, ["a"])
    accepted = rekey([line("a", "1")], [("a", "2")], task="queries", accept_changed=True)
    assert [(r.id, r.text_sha256) for r in accepted.lines] == [("a", "2")]


def test_two_answers_of_one_record_move_together() -> None:
    done = rekey([line("a", "1", "x"), line("a", "1", "y")], [("b", "1")], task="queries")
    assert [(r.id, r.reply) for r in done.lines] == [("b", "x"), ("b", "y")]
