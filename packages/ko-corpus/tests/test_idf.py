import json
import math
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import InputError, Trend, Trends, decoded_keys, load_tokenizer, token_idf, trend_boosts, write_idf
from ko_corpus._files import read_json
from ko_corpus._kiwi import analysis
from ko_corpus.idf import Adjustments, Prior, inverse_document_frequency, query_ceilings, read_idf
from ko_corpus.token_morphemes import TokenMorpheme, read_token_morphemes
from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def trends(*terms: tuple[str, float]) -> Trends:
    found = [Trend(term=t, n_recent=5, n_before=0, ratio=9.0, z_score=4.0, boost=b) for t, b in terms]
    return Trends(recent_from="2026-07-01", recent_to="2026-10-31", analysis=analysis(), terms=found)


def saved(tokenizer: Tokenizer, folder: Path) -> Path:
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_the_golden_idf_is_written_as_it_was_read(golden: Path, tmp_path: Path) -> None:
    write_idf(tmp_path / "idf.json", read_json(golden / "idf.json", dict[str, float]))
    assert (tmp_path / "idf.json").read_bytes() == (golden / "idf.json").read_bytes()


def test_every_token_but_the_special_ones_has_a_weight(wordpiece: Tokenizer, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(saved(wordpiece, tmp_path))
    weights = token_idf(["검색 검색어 희소", "희소 검색 Weight"], tokenizer)
    assert weights == {
        "검색": 0.1823216,
        "희소": 0.1823216,
        "##어": 0.6931472,
        "weight": 0.6931472,
        "vector": 1.7917595,
    }


def test_a_prior_counts_as_passages_beside_those_of_the_corpus(wordpiece: Tokenizer) -> None:
    wordpiece.no_truncation()
    texts = ["검색 검색어 희소", "희소 검색 Weight"]
    before = token_idf(texts, wordpiece)
    larger = token_idf(["검색"] * 90 + ["희소"] * 9, wordpiece)
    both = token_idf(texts, wordpiece, prior=Prior(weights=larger, n_passages=100))
    assert both["검색"] == pytest.approx(math.log(103 / (2 + 90.5 + 0.5)), abs=1e-6)
    assert both["희소"] == pytest.approx(math.log(103 / (2 + 9.5 + 0.5)), abs=1e-6)
    assert token_idf(texts, wordpiece, prior=Prior(weights=larger, n_passages=0)) == before


@given(st.integers(0, 500), st.floats(0.001, 12), st.floats(0, 10_000))
def test_a_weight_with_a_prior_lies_between_the_corpus_s_and_the_prior_s(df: int, weight: float, n: float) -> None:
    prior = Prior(weights={"검색": weight}, n_passages=n)
    own = inverse_document_frequency(500, df)
    both = inverse_document_frequency(500 + n, df + prior.counts("검색"))
    assert min(own, weight) - 1e-9 <= both <= max(own, weight) + 1e-9


def test_a_prior_of_another_tokenizer_is_refused(wordpiece: Tokenizer) -> None:
    with pytest.raises(InputError, match="made with another tokenizer: 'other' and 0 more"):
        token_idf(["검색"], wordpiece, prior=Prior(weights={"검색": 1.0, "other": 2.0}, n_passages=5))


def test_a_weight_that_is_no_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "idf.json").write_text('{"검색": -1.0}', encoding="utf-8")
    with pytest.raises(InputError, match=r"the weight of '검색' is -1\.0"):
        read_idf(tmp_path / "idf.json")


def test_the_file_of_a_tokenizer_is_as_good_as_its_folder(wordpiece: Tokenizer, tmp_path: Path) -> None:
    folder = saved(wordpiece, tmp_path)
    assert decoded_keys(load_tokenizer(folder / "tokenizer.json")) == decoded_keys(load_tokenizer(folder))


def test_keys_are_what_the_tokenizer_decodes_by_id(wordpiece: Tokenizer) -> None:
    assert decoded_keys(wordpiece) == {2: "검색", 3: "희소", 4: "##어", 5: "weight", 6: "vector"}


def test_tokens_that_decode_alike_are_refused_by_name() -> None:
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁한국", -1.0), ("한국", -2.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    with pytest.raises(InputError, match=r"'▁한국' \(1\) and '한국' \(2\) both decode to '한국'"):
        decoded_keys(tokenizer)


def test_trends_raise_the_tokens_of_their_terms_within_the_bound(wordpiece: Tokenizer) -> None:
    wordpiece.no_truncation()
    found = trends(("희소 검색어", 1.2), ("검색", 1.4), ("vector", 1.9))
    assert trend_boosts(found, wordpiece, max_boost=1.5) == {3: 1.2, 2: 1.4, 4: 1.2, 6: 1.5}


def test_a_token_without_a_letter_is_not_raised() -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "glp": 1, "-": 2, "1": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert trend_boosts(trends(("glp-1", 1.3)), tokenizer) == {1: 1.3}


def test_a_boost_multiplies_the_weight(wordpiece: Tokenizer) -> None:
    plain, raised = token_idf(["검색"], wordpiece), token_idf(["검색"], wordpiece, adjust=Adjustments(boosts={6: 1.5}))
    assert raised["vector"] == pytest.approx(1.5 * plain["vector"], abs=1e-6)
    assert {k: v for k, v in raised.items() if k != "vector"} == {k: v for k, v in plain.items() if k != "vector"}


def test_keys_that_are_not_nfc_are_written_as_the_server_has_them(tmp_path: Path) -> None:
    key = unicodedata.normalize("NFD", "검")
    write_idf(tmp_path / "idf.json", {key: 1.0})
    assert list(json.loads((tmp_path / "idf.json").read_text(encoding="utf-8"))) == [key]


def test_no_passages_are_refused(wordpiece: Tokenizer) -> None:
    with pytest.raises(InputError, match="no passages"):
        token_idf([], wordpiece)


def test_a_missing_or_broken_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tokenizer.json: no such file"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"is not a tokenizer.json"):
        load_tokenizer(tmp_path)


@given(st.integers(1, 10**6), st.data())
def test_idf_is_positive_and_falls_as_documents_have_the_token(n: int, data: st.DataObject) -> None:
    df = data.draw(st.integers(0, n - 1))
    rarer, commoner = inverse_document_frequency(n, df), inverse_document_frequency(n, df + 1)
    assert rarer > commoner > 0


def test_idf_is_the_formula_of_opensearch() -> None:
    assert inverse_document_frequency(1000, 10) == math.log(1 + 990.5 / 10.5)


def test_what_many_queries_hold_weighs_no_more_than_their_share_of_it(wordpiece: Tokenizer) -> None:
    asked = ["검색 weight", "검색 vector", "검색 희소", "희소"]
    ceilings = query_ceilings(asked, wordpiece)
    assert ceilings == {2: pytest.approx(math.log(1 + 1.5 / 3.5))}
    texts = ["희소"] * 20
    plain, limited = token_idf(texts, wordpiece), token_idf(texts, wordpiece, adjust=Adjustments(ceilings=ceilings))
    assert limited["검색"] == pytest.approx(math.log(1 + 1.5 / 3.5), abs=1e-6)
    assert plain["검색"] > 3
    assert {k: v for k, v in limited.items() if k != "검색"} == {k: v for k, v in plain.items() if k != "검색"}


def test_a_token_weighs_by_the_words_it_stands_for_and_grammar_next_to_nothing(wordpiece: Tokenizer) -> None:
    stands_for = {
        "검색": TokenMorpheme(content=1.0, general_idf=5.0),
        "##어": TokenMorpheme(content=0.0, general_idf=0.0),
        "희소": TokenMorpheme(content=0.5, general_idf=1.0),
    }
    texts = ["검색 희소", "검색 weight", "검색"]
    plain, judged = token_idf(texts, wordpiece), token_idf(texts, wordpiece, adjust=Adjustments(morphemes=stands_for))
    assert judged["검색"] == pytest.approx((plain["검색"] + 5) / 2, abs=1e-6)
    assert judged["##어"] == 0.01
    assert judged["희소"] == pytest.approx((plain["희소"] / 2 + 1) / 2, abs=1e-6)
    assert (judged["weight"], judged["vector"]) == (plain["weight"], plain["vector"])


def test_the_golden_table_of_token_morphemes_is_read(golden: Path) -> None:
    keys = load_tokenizer(golden / "tokenizer").get_vocab()
    table = read_token_morphemes(golden / "token_morphemes.json", keys)
    assert table["색인"] == TokenMorpheme(content=1.0, general_idf=7.3026)


def test_a_table_of_another_tokenizer_is_refused(golden: Path) -> None:
    with pytest.raises(
        InputError, match=r"token_morphemes\.json: was made with another tokenizer: '##[^']+' and \d+ more"
    ):
        read_token_morphemes(golden / "token_morphemes.json", ["검색"])
