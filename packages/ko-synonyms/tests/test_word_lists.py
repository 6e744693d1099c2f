"""Word lists: every term is asked for in each language, of a text that holds it in the other."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from ko_synonyms._files import read_jsonl, write_jsonl
from ko_synonyms.records import TermPair
from ko_synonyms.word_lists import WordList, word_lists

GOLDEN = Path(__file__).parents[3] / "docs" / "formats" / "golden"


def term(ko: str, en: str) -> TermPair:
    return TermPair(ko=ko, en=en, weight=1.0)


def test_sentences_and_lists_are_no_terms() -> None:
    pairs = [term("소금", "salt"), term("소금, 맛", "salt, taste"), term("아주 긴 말", "a text of five words")]
    assert [(w.query, w.text) for w in word_lists(pairs, rounds=1)] == [("salt", "소금"), ("소금", "salt")]


@given(n=st.integers(0, 40), terms=st.integers(2, 9), rounds=st.integers(1, 3), seed=st.integers(0, 9))
def test_every_term_is_asked_for_as_often_as_wanted_of_a_text_that_holds_its_translation(
    n: int, terms: int, rounds: int, seed: int
) -> None:
    pairs = [term(f"말{i}", f"w{i}") for i in range(n)]
    made = list(word_lists(pairs, terms=terms, rounds=rounds, seed=seed))
    assert sorted(w.query for w in made) == sorted([t for p in pairs for t in (p.ko, p.en)] * rounds)
    for word_list in made:
        held = word_list.text.split(", ")
        assert len(held) <= terms
        assert ("말" if word_list.query[0] == "w" else "w") + word_list.query[1:] in held


def test_the_same_seed_makes_the_same_lists_and_another_one_others() -> None:
    pairs = [term(f"말{i}", f"w{i}") for i in range(30)]
    assert list(word_lists(pairs, seed=1)) == list(word_lists(pairs, seed=1)) != list(word_lists(pairs, seed=2))


def test_the_golden_answers_are_read_and_written_as_they_are(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", read_jsonl(GOLDEN / "answers.jsonl", WordList))
    assert (tmp_path / "a.jsonl").read_bytes() == (GOLDEN / "answers.jsonl").read_bytes()
