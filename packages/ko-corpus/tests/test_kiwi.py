from pathlib import Path

import msgspec
from ko_corpus._files import read_json
from ko_corpus._kiwi import Morpheme, analysis, morphemes, terms


class Sample(msgspec.Struct):
    text: str
    morphemes: list[Morpheme]
    terms: list[str]


class Pinned(msgspec.Struct):
    samples: list[Sample]


def test_kiwi_finds_what_the_golden_analysis_pins(golden: Path) -> None:
    samples = read_json(golden / "analysis.json", Pinned).samples
    texts = [sample.text for sample in samples]
    assert list(morphemes(texts)) == [sample.morphemes for sample in samples]
    assert list(terms(texts)) == [sample.terms for sample in samples]


def test_the_identity_names_what_was_asked_for() -> None:
    identity = analysis(("NNG",))
    assert (identity.analyser, identity.tags, identity.options) == ("kiwi", ("NNG",), {"lowercase": True})
    assert Morpheme("검색", "NNG", 0, 2) in next(morphemes(["검색"]))
