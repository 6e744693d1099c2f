import json
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.vocabulary import Vocabulary, read_idf, read_vocabulary


def test_the_golden_tokenizer_is_read(golden: Path) -> None:
    found = read_vocabulary(golden / "tokenizer")
    assert found.tokens[:7] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "희소", "검색")
    assert found.special_ids == (0, 1, 2, 3, 4)


def test_truncation_keeps_the_last_special_token(vocabulary: Vocabulary) -> None:
    (ids,) = vocabulary.encode(["희소 검색은 단어마다"], max_tokens=4, special=True)
    assert [vocabulary.tokens[i] for i in ids] == ["[CLS]", "희소", "검색", "[SEP]"]


def test_an_idf_of_another_tokenizer_is_refused(golden: Path, vocabulary: Vocabulary, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another tokenizer: 0 of its tokens"):
        read_idf(golden / "idf.json", vocabulary)


def test_a_negative_weight_is_refused(vocabulary: Vocabulary, tmp_path: Path) -> None:
    weights = {t: 1.0 for i, t in enumerate(vocabulary.tokens) if i not in vocabulary.special_ids} | {"검색": -1.0}
    (tmp_path / "idf.json").write_text(json.dumps(weights), encoding="utf-8")
    with pytest.raises(InputError, match=r"the weight of '검색' is -1\.0"):
        read_idf(tmp_path / "idf.json", vocabulary)


def test_a_missing_tokenizer_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sparse-encoder tokenizer build"):
        read_vocabulary(tmp_path / "tokenizer")


def test_a_text_of_bytes_that_are_not_utf_8_is_refused(vocabulary: Vocabulary) -> None:
    given = b"\xed\xa0\x80 x".decode("utf-8", errors="surrogateescape")  # as Python reads a command line
    with pytest.raises(InputError, match="holds bytes that are not UTF-8; wanted text"):
        vocabulary.encode(["검색", given], max_tokens=9, special=False)
