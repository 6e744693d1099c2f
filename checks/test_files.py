"""What the vendored `_files.py` does with folders that are not a command's own."""

from pathlib import Path

import pytest
from ko_corpus._files import InputError, claim_work, clear_work, manifest_path, whole


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("kept", encoding="utf-8")
    return folder


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    mine = fill(tmp_path / "out", "thesis.txt")
    said = "out: holds 'thesis.txt' and has no out.manifest.json beside it, so it is no earlier output: nothing was"
    with pytest.raises(InputError, match=said), whole(mine) as part:
        fill(part, "model.json")
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("names", [(), ("model.json",)], ids=["an empty one", "one with the same names"])
def test_a_folder_without_other_files_is_replaced(tmp_path: Path, names: tuple[str, ...]) -> None:
    out = fill(tmp_path / "out", *names)
    with whole(out) as part:
        fill(part, "model.json", "tokens.json")
    assert sorted(p.name for p in out.iterdir()) == ["model.json", "tokens.json"]


def test_an_earlier_output_is_replaced(tmp_path: Path) -> None:
    out = fill(tmp_path / "out", "old.json")
    fill(tmp_path, manifest_path(out).name)
    with whole(out) as part:
        fill(part, "model.json")
    assert [p.name for p in out.iterdir()] == ["model.json"]


def test_a_folder_of_other_files_is_no_place_for_partial_work(tmp_path: Path) -> None:
    mine = fill(tmp_path / "wk", "thesis.txt")
    with pytest.raises(InputError, match=r"wk: holds 'thesis.txt' and is no folder of partial work"):
        claim_work(mine)
    clear_work(mine)
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]


def test_partial_work_is_taken_up_and_goes_in_the_end(tmp_path: Path) -> None:
    work = tmp_path / "new" / "wk"
    claim_work(work)
    fill(work, "piece")
    claim_work(work)
    assert (work / "piece").read_text(encoding="utf-8") == "kept"
    clear_work(work)
    assert not work.exists()


def test_a_file_is_no_folder_for_partial_work(tmp_path: Path) -> None:
    fill(tmp_path, "wk")
    with pytest.raises(InputError, match="wk: cannot hold partial work: File exists"):
        claim_work(tmp_path / "wk")
