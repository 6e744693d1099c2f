import subprocess
import sys
from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.output_folder import check_output_folder
from typer.testing import CliRunner


def run(*arguments: str | Path) -> None:
    CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def read(tmp_path: Path) -> Path:
    (tmp_path / "models" / "one").mkdir(parents=True)
    (tmp_path / "models" / "one" / "modules.json").write_text("[]")
    return tmp_path / "models" / "one"


def test_what_is_read_is_not_written(read: Path) -> None:
    with pytest.raises(InputError, match=r"-o .*one: is what is read, and would be replaced"):
        check_output_folder(read / ".." / "one", inputs=[read])


def test_a_folder_that_holds_what_is_read_is_not_written(read: Path) -> None:
    with pytest.raises(InputError, match=r"-o .*models: holds .*one, which is read and would be removed"):
        check_output_folder(read.parent, inputs=[read])


def test_a_folder_in_what_is_read_is_not_written(read: Path) -> None:
    with pytest.raises(InputError, match=r"-o .*deploy: lies in .*one, which is read and would be changed"):
        check_output_folder(read / "deploy", inputs=[read])


def test_a_file_is_no_place_for_a_folder(read: Path) -> None:
    with pytest.raises(InputError, match=r"modules\.json: is a file, and a folder is to be written"):
        check_output_folder(read / "modules.json", inputs=[])
    with pytest.raises(InputError, match=r"modules\.json is a file; wanted a folder there"):
        check_output_folder(read / "modules.json" / "model", inputs=[])


def test_only_a_folder_with_its_manifest_is_an_earlier_output(read: Path) -> None:
    with pytest.raises(InputError, match=r"holds 'modules\.json' and has no one\.manifest\.json beside it"):
        check_output_folder(read, inputs=[])
    read.with_name("one.manifest.json").write_text("{}")
    check_output_folder(read, inputs=[Path("klue/bert-base")])


def test_new_and_empty_folders_are_written(tmp_path: Path) -> None:
    check_output_folder(tmp_path / "new" / "model", inputs=[])
    (tmp_path / "empty").mkdir()
    check_output_folder(tmp_path / "empty", inputs=[])


@pytest.mark.parametrize("output", [".", "..", "/"])
def test_a_folder_without_a_name_is_refused(output: str) -> None:
    with pytest.raises(InputError, match=r"wanted the name of a folder in it"):
        check_output_folder(Path(output), inputs=[])


def test_a_run_killed_before_its_manifest_goes_on(read: Path) -> None:
    work = read.with_name(".one.work")
    work.mkdir()
    (work / ".partial").touch()
    check_output_folder(read, inputs=[])


@pytest.mark.parametrize("words", [["train"], ["pretrain"], ["tokenizer", "build"]])
def test_a_foreign_folder_is_refused_before_any_work(
    words: list[str], data: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "thesis.txt").write_text("mine")
    mlm = tmp_path / "mlm.yaml"
    mlm.write_text(f"model: {{size: tiny, tokenizer: {tokenizer_folder}}}\npassages: [{data}]\nsteps: 1\n")
    given = {"train": data / "recipe.yaml", "pretrain": mlm}.get(words[0], data)
    with pytest.raises(InputError, match=r"holds 'thesis\.txt' and has no docs\.manifest\.json beside it"):
        run(*words, given, "-o", tmp_path / "docs")
    assert names(tmp_path) == ["docs", "mlm.yaml"]
    assert names(tmp_path / "docs") == ["thesis.txt"]


@pytest.mark.parametrize("words", [["export"], ["shrink"], ["tokenizer", "take"], ["tokenizer", "adapt"]])
def test_a_model_is_not_replaced_by_what_is_made_of_it(words: list[str], golden: Path, data: Path) -> None:
    texts = [data] if words[-1] == "adapt" else []
    with pytest.raises(InputError, match=r"-o .*model: is what is read"):
        run(*words, golden / "model", *texts, "-o", golden / "model")


def test_the_refusal_is_one_line(read: Path) -> None:
    command = [sys.executable, "-m", "sparse_encoder", "export", str(read), "-o", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: -o .: is the folder of other files itself; wanted the name of a folder in it\n"
