import gzip
import json
from pathlib import Path

import pytest
from ko_corpus import Document, InputError, read_documents
from ko_corpus._files import write_jsonl


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_golden_documents_are_written_as_they_were_read(golden: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "documents.jsonl", read_documents([golden / "documents.jsonl"]))
    assert (tmp_path / "documents.jsonl").read_bytes() == (golden / "documents.jsonl").read_bytes()


def test_a_missing_field_is_named_by_path_and_line(tmp_path: Path) -> None:
    path = written(tmp_path / "documents.jsonl", '{"id":"a","text":"가"}', "", '{"id":"b"}')
    with pytest.raises(InputError, match=r"documents.jsonl:3: .*'?text'? is missing"):
        list(read_documents([path]))


def test_a_cut_line_is_named_by_path_and_line(tmp_path: Path) -> None:
    path = written(tmp_path / "documents.jsonl", '{"id":"a","text":"가"}', '{"id":"b","te')
    with pytest.raises(InputError, match=r"documents.jsonl:2: "):
        list(read_documents([path]))


@pytest.mark.parametrize("published", ["2026-02-30", "2026.01.31", "어제", "2026-01-31x", ""])
def test_what_is_no_date_is_refused_with_its_line(tmp_path: Path, published: str) -> None:
    line = json.dumps({"id": "a", "text": "가", "published": published}, ensure_ascii=False)
    with pytest.raises(InputError, match=r"d.jsonl:1: 'published': .* wanted YYYY-MM-DD"):
        list(read_documents([written(tmp_path / "d.jsonl", line)]))


@pytest.mark.parametrize("name", ["", "문서 1", "a\tb"])
def test_an_id_that_would_break_a_run_file_is_refused(tmp_path: Path, name: str) -> None:
    line = json.dumps({"id": name, "text": "가"})
    with pytest.raises(InputError, match=r"d.jsonl:1: 'id'"):
        list(read_documents([written(tmp_path / "d.jsonl", line)]))


def test_one_id_on_two_documents_names_both_places(tmp_path: Path) -> None:
    one = written(tmp_path / "1.jsonl", '{"id":"a","text":"가"}')
    two = written(tmp_path / "2.jsonl", '{"id":"b","text":"나"}', '{"id":"a","text":"다"}')
    with pytest.raises(InputError, match=r"2.jsonl: document 2 has the id 'a'.*1.jsonl, document 1"):
        list(read_documents([one, two]))


def test_the_same_document_twice_comes_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "d.jsonl", *['{"id":"a","text":"가"}'] * 2)
    assert [d.id for d in read_documents([path])] == ["a", "a"]


def test_a_folder_is_read_by_name_gzip_too_and_hidden_files_are_not(tmp_path: Path) -> None:
    written(tmp_path / "2.jsonl", '{"id":"b","text":"나"}')
    written(tmp_path / ".3.jsonl", "x")
    written(tmp_path / "1.jsonl.manifest.json", "{}")
    (tmp_path / "1.jsonl.gz").write_bytes(gzip.compress('{"id":"a","text":"가"}\n'.encode()))
    assert list(read_documents([tmp_path])) == [Document(id="a", text="가"), Document(id="b", text="나")]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \*\.jsonl"):
        list(read_documents([tmp_path]))


def test_a_newer_version_of_the_format_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "documents.jsonl", '{"id":"a","text":"가"}')
    manifest = {"outputs": [{"path": "documents.jsonl", "format": "documents", "version": 2}]}
    (tmp_path / "documents.jsonl.manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"'documents' has version 2, newer than 1"):
        list(read_documents([path]))
