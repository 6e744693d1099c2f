from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import Clusters, Document, DuplicateCluster, deduplicate
from ko_corpus._files import read_jsonl, write_jsonl
from ko_corpus.duplicates import Deduplicator, jaccard, shingles

TEXT = (
    "역색인(inverted index)은 단어에서 그 단어가 나오는 문서로 가는 길이다. 책 뒤의 찾아보기와 같아서, 질의가 오면 "
    "단어마다 목록을 꺼내 합치기만 하면 된다. 목록은 문서 번호 순으로 놓이고 차이만 적어 작게 만든다."
)
OTHER = (
    "김치는 배추에 붙어 있던 유산균이 당을 분해하면서 익는다. 온도가 낮을수록 천천히 익고, 소금이 많으면 균이 자라기 "
    "어려워진다. 오래 두면 산이 늘어 시어지므로 찌개나 볶음에 쓴다."
)


def kept(*texts: str) -> tuple[list[str], list[DuplicateCluster]]:
    clusters = Clusters()
    documents = [Document(id=f"d{number}", text=text) for number, text in enumerate(texts)]
    return [d.id for d in deduplicate(documents, clusters)], list(clusters.records())


def test_the_golden_clusters_are_written_as_they_were_read(golden: Path, tmp_path: Path) -> None:
    source = golden / "duplicate_clusters.jsonl"
    write_jsonl(tmp_path / "clusters.jsonl", read_jsonl(source, DuplicateCluster))
    assert (tmp_path / "clusters.jsonl").read_bytes() == source.read_bytes()


def test_the_first_of_exact_copies_is_kept_whatever_their_spacing() -> None:
    ids, clusters = kept(TEXT, OTHER, TEXT.replace(" ", "  "), TEXT.replace("찾아보기와 같아서", "찾아 보기와 같아서"))
    assert ids == ["d0", "d1"]
    assert clusters == [
        DuplicateCluster(cluster_id="c-1", doc_ids=["d0", "d2", "d3"], kept="d0", similarity=1.0, kind="exact")
    ]


def test_a_text_with_one_word_changed_is_a_near_copy() -> None:
    ids, clusters = kept(TEXT, TEXT.replace("작게", "짧게"))
    assert ids == ["d0"]
    assert (clusters[0].kind, clusters[0].similarity) == ("near", 0.8925)


def test_different_texts_are_both_kept() -> None:
    assert kept(TEXT, OTHER) == (["d0", "d1"], [])


def test_two_halves_of_a_text_are_no_copies_of_it() -> None:
    half = len(TEXT) // 2
    assert kept(TEXT, TEXT[:half], TEXT[half:])[0] == ["d0", "d1", "d2"]


def test_the_similarity_of_a_cluster_is_the_least_of_its_members() -> None:
    _, clusters = kept(TEXT, TEXT + " ", TEXT.replace("작게", "짧게"))
    assert (clusters[0].doc_ids, clusters[0].kind, clusters[0].similarity) == (["d0", "d1", "d2"], "near", 0.8925)


def test_texts_of_punctuation_alone_are_copies_of_each_other() -> None:
    assert kept("...", "---", "가")[0] == ["d0", "d2"]


def test_a_threshold_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"threshold is 1\.5"):
        Deduplicator(threshold=1.5)


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_jaccard_is_that_of_the_sets(one: set[int], other: set[int]) -> None:
    first, second = (np.array(sorted(values), dtype=np.uint64) for values in (one, other))
    wanted = len(one & other) / len(one | other) if one | other else 1.0
    assert jaccard(first, second) == jaccard(second, first) == wanted


@given(st.text(alphabet="가나다라 abcd.", max_size=60))
def test_shingles_do_not_see_case_spaces_and_punctuation(text: str) -> None:
    plain = "".join(c for c in text.upper() if c.isalnum())
    assert np.array_equal(shingles(text), shingles(plain))


def test_clusters_serialise_in_the_order_of_the_format() -> None:
    assert msgspec.json.encode(kept("가나다", "가나다")[1][0]) == (
        b'{"cluster_id":"c-1","doc_ids":["d0","d1"],"kept":"d0","similarity":1.0,"kind":"exact"}'
    )
