"""Ten replies per task, in the forms that families of models give them, go through a run; the README states the rates.

They are written by hand after what Qwen3, gpt-oss and others do with such prompts; those of the sample are recorded.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from ko_synth_llm import Options, Reply, load_task, run
from ko_synth_llm.asking import Asking, Request
from ko_synth_llm.outcomes import Rejected
from ko_synth_llm.records import Record
from ko_synth_llm.tasks import built_in_tasks

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")
SAMPLE = HERE.parents[2] / "datasets/sample/recorded"


class Replies:
    """A backend that gives each record the reply written down for it."""

    model = "written"
    revision = ""

    def __init__(self, replies: dict[str, Reply]) -> None:
        self.replies = replies

    async def reply(self, request: Request, /) -> Reply:
        return self.replies[request.record_id]


def outcomes(name: str) -> list[tuple[str, str]]:
    """(wanted, found) for each of a task's replies."""
    task = load_task(name)
    lines = [json.loads(line) for line in (HERE / "replies" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    asking = Asking(task)
    replies = {
        asking.record_id(Record(fields=line["record"], where="replies")): Reply(
            text=line["reply"], finish_reason=line["finish_reason"]
        )
        for line in lines
    }
    found = run(task, [line["record"] for line in lines], Replies(replies), options=Options(max_asks=1))
    kinds = [result.outcome.reason if isinstance(result.outcome, Rejected) else "answered" for result in found]
    return list(zip([line["outcome"] for line in lines], kinds, strict=True))


@pytest.mark.parametrize("name", built_in_tasks())
def test_each_reply_becomes_an_answer_or_a_reject_with_its_reason(name: str) -> None:
    assert [found for _, found in outcomes(name)] == [wanted for wanted, _ in outcomes(name)]


@pytest.mark.parametrize("name", built_in_tasks())
def test_the_readme_states_how_many_are_parsed_and_why_others_are_not(name: str) -> None:
    counts = Counter(found for _, found in outcomes(name))
    rejects = ", ".join(f"`{reason}` {n}" for reason, n in sorted(counts.items()) if reason != "answered")
    assert f"| `{name}` | {counts['answered']} of {counts.total()} | {rejects} |" in README


@pytest.mark.parametrize(("name", "file"), [("queries", "queries"), ("synonym_judge", "verdicts")])
def test_every_recorded_reply_of_the_sample_is_valid(name: str, file: str) -> None:
    lines = (SAMPLE / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
    schema = load_task(name).schema
    assert all(schema.breach(json.loads(json.loads(line)["reply"])) == "" for line in lines)
    stated = re.search(rf"{len(lines)} of {len(lines)} recorded replies of `{name}`", README)
    assert stated, len(lines)
