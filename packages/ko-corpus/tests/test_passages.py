from pathlib import Path

import pytest
from ko_corpus import InputError, Passage, PassageMetadata, read_passages
from ko_corpus._files import write_jsonl


def test_the_golden_passages_are_written_as_they_were_read(golden: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "corpus.jsonl", read_passages(golden / "passages"))
    assert (tmp_path / "corpus.jsonl").read_bytes() == (golden / "passages" / "corpus.jsonl").read_bytes()


def test_the_folder_and_its_file_are_the_same_to_read(golden: Path) -> None:
    folder = golden / "passages"
    assert list(read_passages(folder)) == list(read_passages(folder / "corpus.jsonl"))


def test_a_corpus_of_others_is_read_and_its_document_guessed(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"_id":"7#2","title":"가","text":"나","metadata":{}}\n{"_id":"8","text":"다"}\n', encoding="utf-8")
    one, two = read_passages(tmp_path)
    assert (one.document_id, one.contents, two.document_id, two.contents) == ("7", "가\n나", "8", "다")


def test_a_folder_without_a_corpus_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no corpus.jsonl; make it with `ko-corpus chunk`"):
        list(read_passages(tmp_path))


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    passage = Passage(id="a#0", text="가", metadata=PassageMetadata(document_id="a"))
    write_jsonl(tmp_path / "corpus.jsonl", [passage, passage])
    with pytest.raises(InputError, match="'a#0' comes twice"):
        list(read_passages(tmp_path))
