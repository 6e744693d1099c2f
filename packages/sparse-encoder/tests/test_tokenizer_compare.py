import json
from pathlib import Path

import pytest
from pretrained import byte_level, unigram
from sparse_encoder.cli import app
from sparse_encoder.tokenizer_build import assemble
from sparse_encoder.tokenizer_compare import Judged, compare
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary
from typer.testing import CliRunner


def letters(tmp_path: Path) -> Vocabulary:
    """A tokenizer that knows a few letters."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "검", "##색", "##은", "##에", "##서", "색", "##인"]
    assemble(tokens).save(str(tmp_path / "tokenizer.json"))
    return read_vocabulary(tmp_path)


def test_two_tokenizers_are_measured_on_the_same_words(vocabulary: Vocabulary, tmp_path: Path) -> None:
    morphemes, single = compare({"m": vocabulary, "l": letters(tmp_path)}, ["검색은 검색에서", "도서관"])
    assert (morphemes.pieces_per_word, morphemes.whole_words, morphemes.unknown) == (1.6667, 0.3333, 0)
    assert (morphemes.coverage, morphemes.morpheme_cuts) == (1.0, 1.0)
    assert (single.pieces_per_word, single.unknown) == (2.6667, 0.125)
    assert (single.coverage, single.morpheme_cuts) == (0.7, 1.0)


@pytest.mark.parametrize("make", [unigram, byte_level])
def test_other_kinds_of_tokenizers_are_measured_too(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    texts = ["검색은 검색에서 단어를", "단어와 검색 sparse vector"]
    make(texts).save(str(tmp_path / "tokenizer.json"))
    (found,) = compare({"t": read_vocabulary(tmp_path)}, texts)
    assert found.coverage == 1.0
    assert found.pieces_per_word >= 1.0


def test_bm25_on_the_tokens_is_judged(vocabulary: Vocabulary) -> None:
    texts = ["도서관에서 책을 빌려 읽었다.", "세금은 소득에 따라 달라진다."]
    queries, qrels = {"a": "소득 세금", "b": "희소"}, {"a": {"d1": 1}, "b": {"d0": 1}}
    judged = Judged(queries=queries, qrels=qrels, doc_ids=["d0", "d1"])
    (found,) = compare({"m": vocabulary}, texts, judged=judged)
    assert found.bm25_ndcg_at_10 == 0.5


def test_the_command_prints_a_table_and_json(data: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "소득 세금"}\n', encoding="utf-8")
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td7\t1\n", encoding="utf-8")
    arguments = ["tokenizer", "compare", tokenizer_folder, tokenizer_folder / "tokenizer.json", "--passages", data]
    arguments += ["--queries", tmp_path / "queries.jsonl", "--qrels", tmp_path / "test.tsv"]
    shown = CliRunner().invoke(app, list(map(str, arguments)))
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1].split() == ["bm25_ndcg_at_10", "1.0", "1.0"]
    told = json.loads(CliRunner().invoke(app, [*map(str, arguments), "--json"]).stdout)
    assert [m["pieces_per_word"] for m in told] == [told[0]["pieces_per_word"]] * 2


def test_queries_without_judgements_are_wrong_use(data: Path, tokenizer_folder: Path) -> None:
    arguments = ["tokenizer", "compare", tokenizer_folder, "--passages", data, "--queries", data / "corpus.jsonl"]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 2


def test_queries_of_a_folder_are_its_queries(data: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "소득 세금"}\n', encoding="utf-8")
    (tmp_path / "corpus.jsonl").write_bytes((data / "corpus.jsonl").read_bytes())
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td7\t1\n", encoding="utf-8")
    arguments = ["tokenizer", "compare", tokenizer_folder, "--passages", tmp_path]
    arguments += ["--queries", tmp_path, "--qrels", tmp_path / "test.tsv"]
    shown = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert shown.stdout.splitlines()[-1].split() == ["bm25_ndcg_at_10", "1.0"]
