import json
from pathlib import Path

import numpy as np
import pytest
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.token_vectors import context_matrix, read_token_vectors, token_vectors
from sparse_encoder.tokenizer_build import assemble, save_tokenizer
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary
from typer.testing import CliRunner

WORDS = ("검색", "search", "색인", "index", "고양이", "cat", "강아지", "dog")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(assemble(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), path / "t", max_tokens=32)
    return read_vocabulary(path / "t")


TEXTS = [f"{WORDS[i]} {WORDS[i + 1]}" for i in range(0, len(WORDS), 2)]


def test_a_context_counts_each_token_by_one_plus_the_logarithm_of_its_number(vocabulary: Vocabulary) -> None:
    counts = context_matrix(["검색 검색 색인", "없는말"], vocabulary, max_tokens=32).toarray()
    assert counts[0, vocabulary.ids["검색"]] == pytest.approx(1 + np.log(2))
    assert counts[0, vocabulary.ids["색인"]] == 1
    assert counts[1].sum() == 0


def test_a_word_and_its_translation_that_share_their_contexts_have_one_direction(vocabulary: Vocabulary) -> None:
    found = token_vectors([context_matrix(TEXTS * 3, vocabulary, max_tokens=32)], width=4, seed=1)
    at = vocabulary.ids
    assert found[at["검색"]] @ found[at["search"]] == pytest.approx(1, abs=1e-5)
    assert abs(found[at["검색"]] @ found[at["cat"]]) < 1e-5
    assert not found[at["[CLS]"]].any()


def test_the_command_writes_the_same_bytes_for_the_same_seed(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.tokenizer.save(str(tmp_path / "tokenizer.json"))
    passages = [{"_id": f"{i}", "text": text} for i, text in enumerate(TEXTS)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(p) + "\n" for p in passages), encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text('{"query": "index", "doc_id": "0"}\n', encoding="utf-8")
    arguments = ["tokenizer", "vectors", str(tmp_path / "tokenizer.json"), str(tmp_path), "--width", "4"]
    for name in ("a.npy", "b.npy"):
        options = ["-o", str(tmp_path / name), "--pairs", str(tmp_path / "pairs.jsonl")]
        result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
        assert result.exit_code == 0
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    assert read_token_vectors(tmp_path / "a.npy").shape == (13, 4)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((3, 2), dtype=np.float32))
    (tmp_path / "v.npy").write_bytes((tmp_path / "v.npy").read_bytes()[:-4])
    with pytest.raises(InputError, match=r"v\.npy: is not a whole \.npy file"):
        read_token_vectors(tmp_path / "v.npy")


def test_the_golden_vectors_are_read_and_written_to_the_same_bytes(tmp_path: Path) -> None:
    golden = Path(__file__).parents[3] / "docs" / "formats" / "golden" / "token_vectors.npy"
    found = read_token_vectors(golden)
    assert found.tolist() == [[0, 0], [1, 0], [pytest.approx(0.6), pytest.approx(0.8)]]
    np.save(tmp_path / "v.npy", found)
    assert (tmp_path / "v.npy").read_bytes() == golden.read_bytes()
