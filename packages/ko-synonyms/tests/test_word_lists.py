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


def asked(*pairs: TermPair) -> list[tuple[str, str]]:
    return [(w.query, w.text) for w in word_lists(pairs, rounds=2)]


def test_sentences_are_no_terms() -> None:
    assert asked(term("아주 긴 말", "a text of five words")) == []


def test_lists_stay_as_they_are_and_are_asked_for_once_by_each_of_their_words() -> None:
    assert asked(term("맛, 소금", "flavor,salt , a text of five words")) == [
        ("flavor", "맛, 소금"),
        ("salt", "맛, 소금"),
        ("맛", "flavor, salt"),
        ("소금", "flavor, salt"),
    ]


def test_a_list_beside_nothing_asks_for_nothing() -> None:
    assert asked(term("맛, 소금", "a text of five words")) == []


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
