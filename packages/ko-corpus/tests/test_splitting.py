from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import Shares, split_documents

IDS = st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=60)


@given(IDS, st.integers(0, 9))
def test_the_order_of_documents_does_not_matter(ids: list[str], seed: int) -> None:
    assert split_documents(ids[::-1], Shares(), seed=seed) == split_documents(ids, Shares(), seed=seed)


@given(IDS)
def test_shares_are_met_to_within_a_document(ids: list[str]) -> None:
    counts = Counter(split_documents(ids, Shares(), seed=42).values())
    assert abs(counts["train"] - 0.8 * len(ids)) <= 1
    assert abs(counts["val"] - 0.1 * len(ids)) <= 1


def test_another_seed_is_another_split() -> None:
    ids = [str(number) for number in range(50)]
    assert split_documents(ids, Shares(), seed=1) != split_documents(ids, Shares(), seed=2)


def test_a_share_of_0_gets_nothing() -> None:
    assert set(split_documents("abc", Shares.parse("1,0,0"), seed=42).values()) == {"train"}


@pytest.mark.parametrize("text", ["80,20", "80,10,x", "-1,1,1", "0,0,0", ""])
def test_shares_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted"):
        Shares.parse(text)
