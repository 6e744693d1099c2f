"""The gold list: what counts as right, wrong and neither."""

from pathlib import Path

import pytest
from ko_synonyms._files import InputError
from ko_synonyms.gold import read_gold, score
from ko_synonyms.records import Synonym


def test_a_pair_is_wrong_only_where_its_head_is_known(tmp_path: Path) -> None:
    path = tmp_path / "gold.tsv"
    path.write_text("en\tko\tsources\nserver\t서버\tx\nquery\t쿼리\tx\nquery\t질의\tx\n", encoding="utf-8")
    proposed = [("서버", "Server"), ("문의", "query"), ("질의", "query"), ("색인", "index")]
    found = score([Synonym(ko=ko, en=en, confidence=1.0, evidence=()) for ko, en in proposed], read_gold(path))
    assert (found.n_proposed, found.n_judged, found.n_right, found.n_gold) == (4, 3, 2, 3)
    assert (found.precision, found.recall) == (0.6667, 0.6667)


def test_a_list_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gold.tsv"
    path.write_text("english\tkorean\nserver\t서버\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"gold\.tsv:2: .*wanted the columns 'en' and 'ko'"):
        read_gold(path)
