"""The golden samples of this package's own formats come back byte for byte, and its golden export is right."""

from pathlib import Path

import pytest
from msgspec import Struct
from os_deploy import check_folder
from os_deploy._files import read_json, write_json
from os_deploy.deployment import Deployment
from os_deploy.prove.bench import Bench
from os_deploy.prove.quality import Timing

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


@pytest.mark.parametrize(("name", "kind"), [("bench", Bench), ("deployment", Deployment), ("timing", Timing)])
def test_a_golden_sample_is_written_as_it_was_read(name: str, kind: type[Struct], tmp_path: Path) -> None:
    write_json(tmp_path / "again.json", read_json(GOLDEN / f"{name}.json", kind))
    assert (tmp_path / "again.json").read_bytes() == (GOLDEN / f"{name}.json").read_bytes()


def test_the_golden_export_has_no_failures() -> None:
    assert [f.line() for f in check_folder(GOLDEN / "deploy") if not f.ok] == []
