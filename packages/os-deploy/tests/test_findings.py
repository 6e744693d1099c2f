"""Reports in the inspection format."""

import json
from pathlib import Path

import pytest
from os_deploy import Finding, InputError
from os_deploy.findings import inspection, read_inspection, refuse_failures, write_inspection

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden/inspection.json"


def test_the_golden_report_is_read_and_written_with_the_same_values(tmp_path: Path) -> None:
    write_inspection(tmp_path / "again.json", read_inspection(GOLDEN))
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(GOLDEN.read_text())


def test_a_newer_report_is_refused_by_name(tmp_path: Path) -> None:
    report = {**json.loads(GOLDEN.read_text()), "version": 9}
    (tmp_path / "new.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="format 'inspection' has version 9"):
        read_inspection(tmp_path / "new.json")


def test_one_failure_makes_a_report_unsafe_and_is_refused_with_its_line() -> None:
    good = Finding(check="a", ok=True, found="1", wanted="1", why="so")
    bad = Finding(check="b", ok=False, found="2", wanted="1", why="because")
    assert inspection("m", [good]).safe_for_opensearch
    assert not inspection("m", [good, bad]).safe_for_opensearch
    refuse_failures("m", [good])
    with pytest.raises(InputError, match=r"m: 1 of 2 checks failed(.|\n)*FAIL  b: found 2, wanted 1 \(because\)"):
        refuse_failures("m", [good, bad])
