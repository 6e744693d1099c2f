import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.vectors import read_vectors
from typer.testing import CliRunner


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_from_passages_to_an_export(data: Path, tmp_path: Path) -> None:
    run("train", data / "recipe.yaml", "-o", tmp_path / "model", "--history", tmp_path / "history.json")
    assert json.loads((tmp_path / "history.json").read_text())["entries"][0]["step"] == 6
    run("encode", tmp_path / "model", data, "-o", tmp_path / "v.parquet", "--top-k", "5")
    vectors, tokens = read_vectors(tmp_path / "v.parquet")
    assert [v.id for v in vectors] == [f"d{i}" for i in range(8)]
    assert all(0 < len(v.token_ids) <= 5 for v in vectors)
    run("encode", tmp_path / "model", data / "corpus.jsonl", "-o", tmp_path / "q.parquet", "--queries")
    assert read_vectors(tmp_path / "q.parquet")[1] == tokens
    assert "vocabulary_size" in run(
        "inspect", tmp_path / "model", "-o", tmp_path / "inspection.json", "--passages", data
    )
    shown = json.loads(run("explain", tmp_path / "model", "희소 검색", "--query", "검색", "--json"))
    assert shown["query"] == "검색"
    run("export", tmp_path / "model", "-o", tmp_path / "deploy", "--passages", data)
    manifest = json.loads((tmp_path / "deploy.manifest.json").read_text(encoding="utf-8"))
    assert manifest["outputs"][0]["format"] == "deploy"
    assert not list(tmp_path.glob(".*"))


def test_a_tokenizer_is_built_twice_with_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("tokenizer", "build", data, "-o", tmp_path / name, "--vocab-size", "500")
    assert (tmp_path / "a" / "tokenizer.json").read_bytes() == (tmp_path / "b" / "tokenizer.json").read_bytes()


def test_a_model_gives_its_tokenizer_and_query_weights_back(data: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    run("train", data / "recipe.yaml", "-o", tmp_path / "model")
    run("tokenizer", "take", tmp_path / "model", "-o", tmp_path / "own", "--idf", tmp_path / "idf.json")
    assert (tmp_path / "own" / "tokenizer.json").read_bytes() == (tokenizer_folder / "tokenizer.json").read_bytes()
    assert json.loads((tmp_path / "own" / "tokenizer_config.json").read_bytes())["model_max_length"] == 64
    weights = json.loads((tmp_path / "idf.json").read_text(encoding="utf-8"))
    assert weights == json.loads((data / "idf.json").read_text(encoding="utf-8"))


def test_a_folder_without_a_tokenizer_gives_none(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(InputError, match=r"tokenizer\.json: no such file; wanted a model folder with a fast tokenizer"):
        CliRunner().invoke(app, ["tokenizer", "take", str(tmp_path / "model"), "-o", "x"], catch_exceptions=False)


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, sparse_encoder.cli; assert not {'torch', 'kiwipiepy', 'pyarrow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_bad_recipe_leaves_an_earlier_model_as_it_was(data: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "keep").write_text("kept")
    (tmp_path / "model.manifest.json").write_text('{"outputs": []}')
    (data / "bad.yaml").write_text("train: [nowhere.jsonl]\nmodel: {tokenizer: nowhere, idf: idf.json}")
    with pytest.raises(InputError, match="sparse-encoder tokenizer build"):
        run("train", data / "bad.yaml", "-o", tmp_path / "model")
    assert (tmp_path / "model" / "keep").read_text() == "kept"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("precision: fp16", "'precision' is fp16, which wants a CUDA GPU"),
        ("patience: 3", "'patience' is 3, but 'evaluate_every' is 0"),
        ("model: {size: tiny}", "the recipe's 'model.tokenizer' is missing"),
        ("target_active_terms: 50", "'target_active_terms' is 50, but 'model.max_active_terms' keeps 40"),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 is no mistake on a GPU")
def test_a_setting_that_cannot_be_used_is_told_with_its_recipe(
    data: Path, tmp_path: Path, change: str, message: str
) -> None:
    key = change.partition(":")[0]
    lines = (data / "recipe.yaml").read_text(encoding="utf-8").splitlines()
    text = "\n".join([*(line for line in lines if not line.startswith(key)), "device: cpu", change])
    (data / "unusable.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        run("train", data / "unusable.yaml", "-o", tmp_path / "m")
    assert str(error.value).startswith(f"{data / 'unusable.yaml'}: {message}")


def test_training_is_watched_drawn_and_held_to_a_number_of_terms(data: Path, tmp_path: Path) -> None:
    run(
        "train",
        data / "recipe.yaml",
        "-o",
        tmp_path / "m",
        "--target-active-terms",
        "12",
        "--curve",
        tmp_path / "c.png",
    )
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "m.tensorboard").glob("events.*"))
    entry = json.loads((tmp_path / "m" / "training_history.json").read_text())["entries"][0]
    assert entry["pressure"] != 1
    run("curve", tmp_path / "m", "-o", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_a_monitor_that_is_not_installed_is_refused_before_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r'pip install "sparse-encoder\[wandb\]"; nothing was trained'):
        run("train", data / "recipe.yaml", "-o", tmp_path / "m", "--wandb", "korean", "--no-tensorboard")
    assert not list(tmp_path.iterdir())


def test_a_tokenizer_that_keeps_nothing_of_a_text_is_refused(data: Path, tmp_path: Path) -> None:
    words = ["tokenizer", "build", str(data), "-o", str(tmp_path / "t"), "--max-tokens", "0"]
    assert CliRunner().invoke(app, words).exit_code == 2
    assert not (tmp_path / "t").exists()
