"""Discovery: what becomes an entry, what a candidate, and why."""

from ko_synonyms.discovery import discover
from ko_synonyms.records import CuratedPair, Evidence, Passage


def passage(name: str, text: str) -> Passage:
    return Passage(id=name, text=text)


def test_one_mention_without_other_evidence_is_a_candidate() -> None:
    found = discover([passage("d#0", "문서를 색인(index)한다. 다른 문장이다.")])
    assert found.synonyms == []
    assert [(c.pair_id, c.confidence, c.contexts) for c in found.candidates] == [
        ("색인|index", 0.5, ("문서를 색인(index)한다.",))
    ]


def test_two_documents_make_an_entry_and_two_passages_of_one_do_not() -> None:
    text = "문서를 색인(index)한다."
    assert [s.confidence for s in discover([passage("a#0", text), passage("b#0", text)]).synonyms] == [0.75]
    assert discover([passage("a#0", text), passage("a#1", text)]).synonyms == []


def test_a_loanword_needs_no_second_mention() -> None:
    (entry,) = discover([passage("d#0", "임베딩(embedding)")]).synonyms
    assert [e.kind for e in entry.evidence] == ["parenthesis", "transliteration"]


def test_a_curated_pair_is_an_entry_at_confidence_one_and_no_candidate() -> None:
    found = discover([passage("d#0", "색인(index)")], [CuratedPair(ko="색인", en="Index")], curated_from="list.jsonl")
    (entry,) = found.synonyms
    assert (entry.ko, entry.en, entry.confidence) == ("색인", "Index", 1.0)
    assert entry.evidence == (
        Evidence(kind="curated", source="list.jsonl", count=1),
        Evidence(kind="parenthesis", source="d#0", count=1),
    )
    assert found.candidates == []


def test_a_qualifier_put_behind_everything_is_dropped() -> None:
    texts = [
        f"{noun}(ODBC)는" for noun in ("설정", "환경", "연결", "명령", "문장", "행렬", "구조", "배열", "권한", "주소")
    ]
    found = discover([passage(f"d{n}#0", text) for n, text in enumerate(texts)] * 3)
    assert found.synonyms == []


def test_spellings_are_one_pair_under_the_usual_one() -> None:
    texts = ["색인(Index)은", "색인(index)은", "색인(index)을"]
    (entry,) = discover([passage(f"d{n}#0", text) for n, text in enumerate(texts)]).synonyms
    assert (entry.en, entry.confidence) == ("index", 0.875)


def test_the_order_of_passages_does_not_change_what_is_found() -> None:
    passages = [passage("a#0", "색인(index)과 임베딩(embedding)"), passage("b#0", "색인(index)과 질의(query)")]
    forward, backward = discover(passages), discover(passages[::-1])
    assert [(s.ko, s.en, s.confidence) for s in forward.synonyms] == [
        (s.ko, s.en, s.confidence) for s in backward.synonyms
    ]
    assert [c.pair_id for c in forward.candidates] == [c.pair_id for c in backward.candidates]


def test_a_long_context_is_cut_around_its_bracket() -> None:
    (candidate,) = discover([passage("d#0", f"{'가나 ' * 200}색인(index)을 {'다라 ' * 200}")]).candidates
    assert len(candidate.contexts[0]) <= 300
    assert "색인(index)" in candidate.contexts[0]
