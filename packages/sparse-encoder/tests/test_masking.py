import random

from hypothesis import given
from hypothesis import strategies as st
from sparse_encoder.masking import NO_UNIT, Text, cut_texts, joined, masked, runs
from sparse_encoder.vocabulary import Vocabulary


def test_the_tokens_of_a_morpheme_are_one_unit(vocabulary: Vocabulary) -> None:
    (text,) = cut_texts(["도서관에서 붐빈희"], vocabulary, whole_morphemes=True)
    assert [vocabulary.tokens[i] for i in text.ids] == ["도서관", "##에서", "붐", "##빈", "##희"]
    assert text.units[0] < text.units[1] < text.units[2] <= text.units[3] <= text.units[4]
    assert len(set(text.units)) < len(text.ids)


def test_without_morphemes_every_token_is_its_own_unit(vocabulary: Vocabulary) -> None:
    (text,) = cut_texts(["도서관에서 붐빈희"], vocabulary, whole_morphemes=False)
    assert text.units == (0, 1, 2, 3, 4)


def test_an_empty_text_has_no_tokens_and_no_run(vocabulary: Vocabulary) -> None:
    (text,) = cut_texts([""], vocabulary, whole_morphemes=True)
    assert list(runs(text, first=2, last=3, max_tokens=8)) == []


def test_a_long_text_is_cut_into_runs_that_keep_every_token() -> None:
    text = Text(tuple(range(10, 20)), tuple(range(10)))
    found = list(runs(text, first=2, last=3, max_tokens=6))
    assert [run.ids for run in found] == [(2, 10, 11, 12, 13, 3), (2, 14, 15, 16, 17, 3), (2, 18, 19, 3)]
    assert found[1].units == (NO_UNIT, 4, 5, 6, 7, NO_UNIT)


def test_joined_sentences_share_the_room_and_no_unit() -> None:
    pair = [Text((10, 11, 12, 13), (0, 0, 1, 2)), Text((20, 21), (0, 1))]
    text = joined(pair, first=2, last=3, max_tokens=9)
    assert text.ids == (2, 10, 11, 12, 3, 20, 21, 3)
    assert text.units == (NO_UNIT, 0, 0, 1, NO_UNIT, 2, 3, NO_UNIT)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.floats(0.05, 0.9), st.integers(0, 99))
def test_units_are_masked_whole_and_the_ends_never(steps: list[int], share: float, seed: int) -> None:
    units = [sum(steps[: i + 1]) for i in range(len(steps))]
    text = Text((2, *range(100, 100 + len(units)), 3), (NO_UNIT, *units, NO_UNIT))
    found = masked(text, share=share, mask_id=4, vocab_size=90, chance=random.Random(seed))
    chosen = {text.units[i] for i in found.places}
    assert chosen
    assert NO_UNIT not in chosen
    assert found.places == tuple(i for i, unit in enumerate(text.units) if unit in chosen)
    assert found.told == tuple(text.ids[i] for i in found.places)
    assert all(a == b for i, (a, b) in enumerate(zip(found.ids, text.ids, strict=True)) if i not in found.places)


def test_most_masked_tokens_become_the_mask_and_a_tenth_stays() -> None:
    text = Text(tuple(range(100, 2100)), tuple(range(2000)))
    found = masked(text, share=0.5, mask_id=4, vocab_size=90, chance=random.Random(1))
    became = [found.ids[i] for i in found.places]
    assert len(became) == 1000
    assert 770 <= became.count(4) <= 830
    assert 70 <= sum(a == b for a, b in zip(became, found.told, strict=True)) <= 130
