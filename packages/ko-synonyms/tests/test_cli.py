"""The command line: the whole way from passages to exports, and what it says to bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ko_synonyms._files import InputError, exit_on_error
from ko_synonyms.cli import app
from typer.testing import CliRunner

CORPUS = (
    '{"_id":"a#0","title":"검색","text":"임베딩(embedding)과 색인(index)을 만든다.","metadata":{}}\n'
    '{"_id":"b#0","title":"검색","text":"역문서 빈도(IDF)와 질의(query)를 본다.","metadata":{}}\n'
)
PAIRS = (
    '{"query_id":"a#0:title","query":"색인을 만드는 법","doc_id":"a#0","kind":"title","language":"ko",'
    '"source":"s","split":"train"}\n'
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "passages").mkdir()
    (tmp_path / "passages" / "corpus.jsonl").write_text(CORPUS, encoding="utf-8")
    (tmp_path / "curated.jsonl").write_text('{"ko":"검색","en":"search"}\n', encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text(PAIRS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> None:
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output


DISCOVER = ("discover", "passages", "-o", "s.json", "--curated", "curated.jsonl", "--candidates", "c.jsonl")


def test_passages_become_a_dictionary_that_verdicts_enhance_and_queries_use(work: Path) -> None:
    run(*DISCOVER)
    assert json.loads((work / "s.json").read_text(encoding="utf-8")) == {
        "embedding": ["임베딩"], "search": ["검색"], "검색": ["search"], "임베딩": ["embedding"],
    }  # fmt: skip
    candidates = [json.loads(line) for line in (work / "c.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [c["pair_id"] for c in candidates] == ["색인|index", "역문서 빈도|IDF", "질의|query"]
    verdicts = [
        {"pair_id": c["pair_id"], "ko": c["ko"], "en": c["en"], "verdict": "yes", "confidence": 0.9} for c in candidates
    ]
    (work / "v.jsonl").write_text("".join(json.dumps(v) + "\n" for v in verdicts), encoding="utf-8")
    run("merge", "s.json", "--candidates", "c.jsonl", "--verdicts", "v.jsonl", "-o", "e.json")
    assert len((work / "e.evidence.jsonl").read_text(encoding="utf-8").splitlines()) == 5
    run("mix", "pairs.jsonl", "--synonyms", "e.json", "--passages", "passages", "-o", "mixed.jsonl")
    assert json.loads((work / "mixed.jsonl").read_text(encoding="utf-8"))["query"] == "index를 만드는 법"
    run("terms", "e.json", "-o", "t.jsonl", "--min-confidence", "0.96")
    assert (work / "t.jsonl").read_text(encoding="utf-8") == '{"ko":"검색","en":"search","weight":1.0}\n'
    run("solr", "e.json", "-o", "synonyms.txt")
    assert "질의 => 질의, query\n" in (work / "synonyms.txt").read_text(encoding="utf-8")
    for output in ("s.json", "e.json", "mixed.jsonl", "t.jsonl", "synonyms.txt"):
        assert (work / f"{output}.manifest.json").is_file()


def test_the_same_inputs_give_the_same_bytes(work: Path) -> None:
    names = ("s.json", "s.evidence.jsonl", "c.jsonl")
    run(*DISCOVER)
    first = [(work / name).read_bytes() for name in names]
    run(*DISCOVER)
    assert [(work / name).read_bytes() for name in names] == first


def test_a_corrupt_passage_is_named_and_nothing_is_overwritten(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(*DISCOVER)
    before = (work / "s.json").read_bytes()
    (work / "passages" / "corpus.jsonl").write_text(CORPUS + '{"_id":"c#0"}\n', encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        exit_on_error(lambda: app(DISCOVER, standalone_mode=False))
    assert stop.value.code == "error: passages/corpus.jsonl:3: 'text' is missing"
    assert (work / "s.json").read_bytes() == before


def test_a_missing_evidence_file_is_named(work: Path) -> None:
    run(*DISCOVER)
    with pytest.raises(InputError, match=r"nowhere\.jsonl: no such file"):
        run("terms", "s.json", "-o", "t.jsonl", "--evidence", "nowhere.jsonl")


def test_importing_loads_neither_kiwi_nor_the_command_line() -> None:
    code = "import sys, ko_synonyms; print([m for m in ('kiwipiepy', 'typer', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_can_be_loaded() -> None:
    import ko_synonyms

    assert all(getattr(ko_synonyms, name) for name in ko_synonyms.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = ko_synonyms.nothing


def test_localisation_files_become_term_pairs_and_word_lists(work: Path) -> None:
    (work / "ko.json").write_text('{"ko":{"salt":"소금","snake":"뱀","ok":"OK"}}', encoding="utf-8")
    (work / "en.json").write_text('{"en":{"salt":"Salt","snake":"Snake","ok":"OK"}}', encoding="utf-8")
    run("translations", "ko.json=en.json", "ko.json=en.json", "-o", "t.jsonl")
    assert (work / "t.jsonl").read_text(encoding="utf-8") == (
        '{"ko":"소금","en":"Salt","weight":1.0}\n{"ko":"뱀","en":"Snake","weight":1.0}\n'
    )
    run("lists", "t.jsonl", "-o", "lists.jsonl", "--rounds", "1", "--seed", "1")
    lists = [json.loads(line) for line in (work / "lists.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [w["query"] for w in lists] == ["Salt", "Snake", "소금", "뱀"]
    assert {w["text"] for w in lists} == {"소금, 뱀", "Salt, Snake"}
    assert json.loads((work / "lists.jsonl.manifest.json").read_text(encoding="utf-8"))["seed"] == 1


def test_localisation_files_without_a_translation_are_told(work: Path) -> None:
    (work / "ko.json").write_text('{"ok":"OK"}', encoding="utf-8")
    with pytest.raises(
        InputError, match=r"ko\.json=ko\.json: nothing translated is at the same place in both languages"
    ):
        run("translations", "ko.json=ko.json", "-o", "t.jsonl")
    assert not (work / "t.jsonl").exists()
