"""The built-in tasks load, and wrong task folders are refused by file and reason."""

import shutil
from pathlib import Path

import pytest
from ko_synth_llm._files import InputError
from ko_synth_llm.asking import Asking
from ko_synth_llm.records import Record, read_records
from ko_synth_llm.tasks import BUILT_IN, built_in_tasks, load_task

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


def a_copy(tmp_path: Path, name: str, file: str, old: str, new: str) -> Path:
    folder = shutil.copytree(BUILT_IN / name, tmp_path / name)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", built_in_tasks())
def test_every_built_in_task_loads_and_its_examples_follow_its_schema(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    assert len(task.examples) >= 3


def test_a_passage_is_asked_for_three_styles_that_its_id_decides() -> None:
    asking = Asking(load_task("queries"))
    last = [
        asking.conversation(record).messages[-1].content.splitlines()[-1]
        for record in read_records(GOLDEN / "passages")
    ]
    assert last == [
        "요청한 유형: keyword, code_mixed, english (모두 3개)",
        "요청한 유형: keyword, question, colloquial (모두 3개)",
        "요청한 유형: colloquial, code_mixed, english (모두 3개)",
    ]


def test_styles_can_be_asked_for() -> None:
    asking = Asking(load_task("queries"), asked={"styles": ["english"]})
    record = next(read_records(GOLDEN / "passages"))
    assert asking.conversation(record).messages[-1].content.endswith("요청한 유형: english (모두 1개)")
    assert "요청한 유형: keyword, colloquial, code_mixed (모두 3개)" in asking.conversation(record).messages[1].content


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'slang' is not one of keyword, question"):
        Asking(load_task("queries"), asked={"styles": ["slang"]})


def test_an_unknown_task_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'queries'"):
        load_task("querys")


def test_a_variable_that_no_field_declares_is_refused_with_the_nearest(tmp_path: Path) -> None:
    folder = a_copy(tmp_path, "queries", "prompt.j2", "{{ text }}", "{{ txet }}")
    with pytest.raises(InputError, match=r"prompt\.j2: uses the variable 'txet'.*did you mean 'text'"):
        load_task(folder)


def test_a_schema_that_is_no_schema_is_refused(tmp_path: Path) -> None:
    folder = a_copy(tmp_path, "synonym_judge", "schema.json", '"type": "object"', '"type": "objekt"')
    with pytest.raises(InputError, match=r"schema\.json: is not a JSON Schema: \$\.type"):
        load_task(folder)


def test_an_unknown_key_of_task_toml_is_named(tmp_path: Path) -> None:
    folder = a_copy(tmp_path, "queries", "task.toml", "top_p", "topp")
    with pytest.raises(InputError, match=r"task\.toml: .*topp"):
        load_task(folder)


def test_a_record_without_a_needed_field_is_named_by_its_place() -> None:
    asking = Asking(load_task("synonym_judge"))
    with pytest.raises(InputError, match=r"c\.jsonl:3: 'en' is missing"):
        asking.conversation(Record(fields={"pair_id": "a", "ko": "색인"}, where="c.jsonl:3"))


def test_the_sandbox_refuses_python_internals(tmp_path: Path) -> None:
    folder = a_copy(tmp_path, "synonym_judge", "prompt.j2", "{{ ko }}", "{{ ko.__class__.__mro__ }}")
    with pytest.raises(InputError, match=r"cannot be made of it: access to attribute"):
        Asking(load_task(folder))


def test_the_prompts_are_those_that_replies_were_recorded_for() -> None:
    """A change of a prompt is a new version of its task, and recorded replies answer the old one."""
    passages = [Asking(load_task("queries")).conversation(r).sha256 for r in read_records(GOLDEN / "passages")]
    candidates = read_records(GOLDEN / "synonym_candidates.jsonl")
    pairs = [Asking(load_task("synonym_judge")).conversation(record).sha256 for record in candidates]
    assert [sha[:12] for sha in (*passages, *pairs)] == ["ebedfb9b5d94", "12b235db0922", "892d3eedbed2", "6a4ba44e2989"]
