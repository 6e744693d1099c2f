"""The analysis that four packages must agree on."""

import json
from pathlib import Path

import msgspec
from ko_synonyms._kiwi import analysis, morphemes, terms


def test_the_golden_analysis_is_what_kiwi_finds_here(golden: Path) -> None:
    wanted = json.loads((golden / "analysis.json").read_text(encoding="utf-8"))
    assert msgspec.to_builtins(analysis(), builtin_types=(tuple,)) == {
        **wanted["identity"],
        "tags": tuple(wanted["identity"]["tags"]),
    }
    for sample in wanted["samples"]:
        assert [list(m) for m in next(morphemes([sample["text"]]))] == sample["morphemes"]
        assert next(terms([sample["text"]])) == sample["terms"]
