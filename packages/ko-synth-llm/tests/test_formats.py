"""Golden samples of the formats that this package touches are read and written byte for byte."""

from pathlib import Path

import pytest
from ko_synth_llm._files import read_jsonl, write_jsonl
from ko_synth_llm.outcomes import Answered
from ko_synth_llm.pairs import Pair, read_passages, read_splits
from ko_synth_llm.recordings import RecordedReply
from ko_synth_llm.shown import ShownRecord
from ko_synth_llm.verdicts import Verdict, read_candidates

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("records", Answered),
        ("pairs", Pair),
        ("synonym_verdicts", Verdict),
        ("recordings", RecordedReply),
        ("messages", ShownRecord),
    ],
)
def test_a_golden_sample_is_written_as_it_was_read(tmp_path: Path, name: str, kind: type[object]) -> None:
    golden = GOLDEN / f"{name}.jsonl"
    write_jsonl(tmp_path / "out.jsonl", read_jsonl(golden, kind))
    assert (tmp_path / "out.jsonl").read_bytes() == golden.read_bytes()


def test_golden_passages_candidates_and_splits_are_read() -> None:
    assert list(read_passages(GOLDEN / "passages")) == ["doc-1#0", "doc-1#1", "doc-2#0"]
    assert read_candidates(GOLDEN / "synonym_candidates.jsonl")["색인|index"].en == "index"
    assert read_splits(GOLDEN / "pairs.jsonl") == {"doc-1": "train", "doc-2": "val"}
