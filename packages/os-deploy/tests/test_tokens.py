"""Keys and weights as the server makes them."""

import pytest
from exports import SPECIAL, WORDS, make_idf, make_tokenizer
from os_deploy import InputError
from os_deploy.tokens import ServerTokenizer, check_idf, check_tokenizer
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace
from tokenizers.models import WordLevel


def server_tokenizer(tokenizer: Tokenizer | None = None) -> ServerTokenizer:
    return ServerTokenizer((tokenizer or make_tokenizer()).to_str().encode(), "tokenizer.json")


def test_a_continuation_keeps_its_marks_in_the_key() -> None:
    tokenizer = server_tokenizer()
    assert tokenizer.keys[tokenizer.vocabulary["##인"]] == "##인"


def test_special_tokens_have_no_key() -> None:
    assert not set(SPECIAL) & set(server_tokenizer().keys.values())
    assert len(server_tokenizer().keys) == len(WORDS)


def test_a_query_weighs_each_known_token_once_by_its_idf() -> None:
    assert server_tokenizer().query_weights("검색은 검색 모르는말", {"검색": 2.5}) == {"검색": 2.5, "##은": 1.0}


def test_tokens_that_decode_alike_are_found() -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "▁한국": 1, "한국": 2}, unk_token="[UNK]"))
    tokenizer.decoder = Metaspace()
    keys = check_tokenizer(server_tokenizer(tokenizer))[1]
    assert (keys.ok, keys.found) == (False, "1 that are shared or empty: '한국' for '▁한국', '한국'")


def test_a_missing_and_an_unused_idf_key_are_named() -> None:
    idf = {**make_idf(), "없는말": 1.0}
    del idf["검색"]
    keys, weights = check_idf(server_tokenizer(), idf)
    assert (keys.ok, keys.found) == (False, "1 missing: '검색'; 1 unused: '없는말'")
    assert weights.ok


def test_idf_keys_of_special_tokens_are_allowed() -> None:
    assert all(f.ok for f in check_idf(server_tokenizer(), {**make_idf(), "[CLS]": 0.0}))


@pytest.mark.parametrize("weight", [-0.5, float("nan"), float("inf")])
def test_an_idf_weight_that_no_query_takes_is_found(weight: float) -> None:
    _, weights = check_idf(server_tokenizer(), {**make_idf(), "검색": weight})
    assert (weights.ok, weights.found) == (False, f"'검색': {weight}")


def test_a_broken_tokenizer_is_named() -> None:
    with pytest.raises(InputError, match=r"x\.zip/tokenizer\.json: found no tokenizer"):
        ServerTokenizer(b"{}", "x.zip/tokenizer.json")
