from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import Document, Lengths, chunk_document, read_documents
from ko_corpus._files import write_jsonl
from ko_corpus.chunking import join_short, sections

SHORT = "짧은 문단이다."
LONG = "가중치(weight)를 단어마다 둔다. " * 8


def texts(text: str) -> list[str]:
    return [passage.text for passage in chunk_document(Document(id="d", text=text))]


def test_the_golden_documents_become_the_golden_passages(golden: Path, tmp_path: Path) -> None:
    documents = read_documents([golden / "documents.jsonl"])
    write_jsonl(tmp_path / "corpus.jsonl", (p for document in documents for p in chunk_document(document)))
    assert (tmp_path / "corpus.jsonl").read_bytes() == (golden / "passages" / "corpus.jsonl").read_bytes()


def test_a_paragraph_of_fair_length_is_a_passage_by_itself() -> None:
    one, two = LONG.strip(), LONG.replace("둔다", "준다").strip()
    assert texts(f"{one}\n\n{two}") == [one, two]


def test_a_short_paragraph_is_joined_to_what_follows_and_a_short_tail_to_what_is_before() -> None:
    body = LONG.strip()
    assert texts(f"{SHORT}\n\n{body}") == [f"{SHORT}\n{body}"]
    assert texts(f"{body}\n\n{SHORT}") == [f"{body}\n{SHORT}"]


def test_nothing_is_joined_across_a_heading() -> None:
    assert texts(f"{SHORT}\n\n## 다음\n\n{LONG}") == [SHORT, LONG.strip()]


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    pieces = texts("열 글자인 문장이다. " * 60)
    assert [len(piece) for piece in pieces] == [359, 359]
    assert all(piece.endswith("이다.") for piece in pieces)


def test_ids_count_from_0_through_the_document() -> None:
    document = Document(id="문서", text=f"{SHORT}\n\n# 가\n\n{SHORT}\n\n## 나\n\n{SHORT}")
    passages = list(chunk_document(document))
    assert [(p.id, p.metadata.heading) for p in passages] == [("문서#0", ""), ("문서#1", "가"), ("문서#2", "가 > 나")]


def test_a_heading_of_the_same_level_ends_the_one_before() -> None:
    assert [s.heading for s in sections("# 가\n1\n## 나\n2\n## 다\n3\n# 라\n4")] == ["가", "가 > 나", "가 > 다", "라"]


def test_a_hash_inside_a_code_fence_or_without_a_space_is_no_heading() -> None:
    text = "```bash\n# 설치\npip install\n```\n\n#해시태그 이다."
    assert [(s.heading, s.paragraphs) for s in sections(text)] == [
        ("", ["```bash\n# 설치\npip install\n```", "#해시태그 이다."])
    ]


def test_a_piece_without_a_word_is_no_passage() -> None:
    assert texts("- - -\n\n## 참고\n\n***") == []


def test_lengths_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(ValueError, match="400 and 120"):
        Lengths(min_chars=400, max_chars=120)


@given(st.lists(st.text(alphabet="가나다. ", min_size=1).filter(str.strip)), st.integers(1, 30))
def test_joining_keeps_order_and_leaves_at_most_one_short_block_alone(paragraphs: list[str], least: int) -> None:
    joined = join_short(paragraphs, min_chars=least)
    assert "\n".join(joined) == "\n".join(paragraphs)
    assert all(len(block) >= least for block in joined) or len(joined) == 1


@given(st.text(alphabet="가나다. #\n", max_size=400), st.integers(1, 20), st.integers(0, 40))
def test_no_passage_is_longer_than_asked_and_no_heading_is_in_one(text: str, least: int, more: int) -> None:
    lengths = Lengths(min_chars=least, max_chars=least + more)
    for passage in chunk_document(Document(id="d", text=text), lengths):
        assert 1 <= len(passage.text) <= lengths.max_chars
