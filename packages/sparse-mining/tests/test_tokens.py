"""Tests of `tokens`."""

from sparse_mining.tokens import weigh_queries
from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def tokenizer() -> Tokenizer:
    vocabulary = {"[UNK]": 0, "검색": 1, "##엔진": 2, "색인": 3}
    found = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    found.decoder = decoders.WordPiece()
    found.add_special_tokens(["[UNK]"])
    return found


def test_each_distinct_token_weighs_its_idf_once() -> None:
    idf = {"검색": 1.5, "##엔진": 2.0, "색인": 0.0}
    bag = next(weigh_queries(["검색엔진 검색 색인"], tokenizer=tokenizer(), idf=idf))
    assert bag == ([1, 2], [1.5, 2.0])


def test_a_token_without_idf_weighs_one_as_on_the_server() -> None:
    assert next(weigh_queries(["색인"], tokenizer=tokenizer(), idf={})) == ([3], [1.0])


def test_unknown_words_leave_an_empty_bag() -> None:
    assert next(weigh_queries(["xyz"], tokenizer=tokenizer(), idf={})) == ([], [])
