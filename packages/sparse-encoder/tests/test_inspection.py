import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sparse_encoder._files import InputError, read_json, write_json
from sparse_encoder.cli import app
from sparse_encoder.inspection import ADVICE, Inspection, _hangul_composed, inspect, table
from sparse_encoder.model_folder import SparseModel, read_model
from sparse_encoder.vocabulary import Vocabulary
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def model(golden: Path) -> SparseModel:
    found = read_model(golden / "model")
    with torch.no_grad():
        found.bert.output_bias()[:5] = -10_000.0
    return found


def outcomes(report: Inspection) -> dict[str, bool]:
    return {check.check: check.ok for check in report.checks}


def test_the_golden_report_is_written_as_it_was_read(golden: Path, tmp_path: Path) -> None:
    report = read_json(golden / "inspection.json", Inspection)
    write_json(tmp_path / "again.json", report)
    assert read_json(tmp_path / "again.json", Inspection) == report


def test_every_check_of_a_sound_model_holds(model: SparseModel) -> None:
    found = outcomes(inspect(model, name="m", texts=["희소 검색 색인은 sparse vector"]))
    assert found["vocabulary_size"]
    assert found["decoded_keys"]
    assert found["idf_keys"]
    assert found["size"]
    assert found["special_tokens"]
    assert found["hangul"]


def test_an_active_special_token_is_found(model: SparseModel) -> None:
    heavy = model.idf.clone()
    heavy[2] = 1.0
    report = inspect(replace(model, idf=heavy), name="m", texts=["검색"])
    assert not outcomes(report)["special_tokens"]
    assert not report.safe_for_opensearch


def test_unknown_hangul_is_found(model: SparseModel) -> None:
    assert not outcomes(inspect(model, name="m", texts=["쇼핑몰 뷔페"]))["hangul"]


def test_a_heavy_query_weight_is_advice_only(model: SparseModel) -> None:
    heavy = model.idf.clone()
    heavy[6] = 20.0
    report = inspect(replace(model, idf=heavy), name="m", texts=["희소 검색"])
    assert not outcomes(report)["query_ceiling"]
    assert report.safe_for_opensearch == all(c.ok for c in report.checks if c.check not in ADVICE)


def test_a_tokenizer_that_leaves_hangul_decomposed_is_warned_of(model: SparseModel, vocabulary: Vocabulary) -> None:
    report = inspect(model, name="m", texts=["희소 검색"])
    assert not outcomes(report)["hangul_composed"]
    assert report.safe_for_opensearch
    assert _hangul_composed(replace(model, vocabulary=vocabulary)).ok


def test_the_table_gives_every_reason_and_ends_with_a_verdict(model: SparseModel) -> None:
    heavy = model.idf.clone()
    heavy[6] = 20.0
    lines = table(inspect(replace(model, idf=heavy), name="m", texts=["희소 검색"])).splitlines()
    assert lines[0] == "ok   vocabulary_size: 25 (wanted at most 32768)"
    assert lines[1] == "     because sparse_vector folds token ids at 32768"
    (warned,) = [line for line in lines if "query_ceiling:" in line]
    assert warned.startswith("WARN query_ceiling: 20.00 (wanted at most 16.0, or quantization_ceiling_search of the")
    assert lines[-1] == (
        "m: safe for OpenSearch; outside the model, meet what is wanted by hangul_composed, query_ceiling"
    )
    heavy[2] = 1.0
    lines = table(inspect(replace(model, idf=heavy), name="m", texts=["희소 검색"])).splitlines()
    assert "FAIL special_tokens: [CLS] (wanted no special token in a vector or a query)" in lines
    assert lines[-1].startswith("m: NOT safe for OpenSearch, for it fails special_tokens; outside the model")


def test_a_second_network_counts(model: SparseModel) -> None:
    both = replace(model, query=copy.deepcopy(model.bert))
    (check,) = [c for c in inspect(both, name="m", texts=["희소 검색"]).checks if c.check == "size"]
    assert check.found == (
        "documents: 0.0 million weights, 0.0 MB in fp32; queries: 0.0 million weights, 0.0 MB in fp32"
    )


def test_passages_of_nothing_are_named(golden: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    words = ["inspect", str(golden / "model"), "--passages", str(tmp_path / "empty.jsonl")]
    with pytest.raises(InputError, match=r"empty\.jsonl: holds no passage; wanted at least one to try the model on"):
        CliRunner().invoke(app, words, catch_exceptions=False)
