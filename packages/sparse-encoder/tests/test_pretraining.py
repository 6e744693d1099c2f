import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch
from conftest import TEXTS
from pretrained import save_pretrained
from sparse_encoder._files import InputError
from sparse_encoder.backbone_folder import read_backbone, write_backbone
from sparse_encoder.masking import NO_UNIT, Text
from sparse_encoder.pretraining import Pretrained, pretrain
from sparse_encoder.pretraining_recipe import Pretraining, WeakDecoder, read_pretraining
from sparse_encoder.pretraining_texts import Order, Schedule, Texts
from sparse_encoder.recipe import read_recipe
from sparse_encoder.training import train
from transformers import AutoModelForMaskedLM, AutoTokenizer


def silent(line: str) -> None:
    """No progress in tests."""


@pytest.fixture(scope="module")
def recipe(data: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretraining")
    lines = (data / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    many = [json.loads(line) | {"_id": f"{k}-{i}"} for k in range(5) for i, line in enumerate(lines)]
    text = "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in many)
    (folder / "corpus.jsonl").write_text(text, encoding="utf-8")
    pairs = [{"id": "1", "ko": "역색인은 길이다.", "en": "An inverted index keeps terms."}]
    (folder / "parallel.jsonl").write_text(
        "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in pairs), encoding="utf-8"
    )
    (folder / "recipe.yaml").write_text(
        f"""
model: {{size: tiny, tokenizer: {tokenizer_folder}, max_tokens: 64}}
passages: [corpus.jsonl]
parallel: parallel.jsonl
tokens: 32
steps: 6
batch: 4
checkpoint_every: 2
precision: fp32
decoder: {{weight: 0.5}}
""",
        encoding="utf-8",
    )
    return folder / "recipe.yaml"


def settings(recipe: Path, **changes: object) -> Pretraining:
    return msgspec.structs.replace(read_pretraining(recipe), **changes)


def same(one: Pretrained, other: Pretrained) -> bool:
    first, second = one.backbone.state_dict(), other.backbone.state_dict()
    return one.history == other.history and all(torch.equal(first[name], second[name]) for name in first)


def test_a_killed_process_goes_on_and_writes_the_same_bytes(recipe: Path, tmp_path: Path) -> None:
    long = recipe.with_name("long.yaml")
    long.write_text(recipe.read_text(encoding="utf-8").replace("steps: 6", "steps: 30"), encoding="utf-8")
    command = [sys.executable, "-m", "sparse_encoder", "pretrain", str(long), "-o"]
    process = subprocess.Popen([*command, str(tmp_path / "m1"), "--work", str(tmp_path / "work")])
    while not list(tmp_path.glob("work/step-*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    subprocess.run([*command, str(tmp_path / "m1"), "--work", str(tmp_path / "work")], check=True)
    subprocess.run([*command, str(tmp_path / "m2")], check=True)
    files = sorted(p.relative_to(tmp_path / "m2") for p in (tmp_path / "m2").rglob("*") if p.is_file())
    assert [str(f) for f in files] == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training_history.json",
    ]
    assert all((tmp_path / "m1" / f).read_bytes() == (tmp_path / "m2" / f).read_bytes() for f in files)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("changes", [{"parallel": ""}, {"whole_morphemes": False, "decoder": WeakDecoder()}])
def test_an_interrupted_run_ends_with_the_same_weights(
    recipe: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    chosen = settings(recipe, **changes)
    undisturbed = pretrain(chosen, work=tmp_path / "a", log=silent)

    def stop_at_the_end(line: str) -> None:
        if line.startswith("step 6/6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(chosen, work=tmp_path / "b", log=stop_at_the_end)
    lines: list[str] = []
    assert same(undisturbed, pretrain(chosen, work=tmp_path / "b", log=lines.append))
    assert lines[0] == "goes on after step 4 of 6"


def test_it_learns_to_tell_masked_tokens(recipe: Path, tmp_path: Path) -> None:
    chosen = settings(recipe, steps=80, learning_rate=0.002, parallel="", decoder=WeakDecoder(weight=0.2))
    history = pretrain(chosen, work=tmp_path, log=silent).history
    trained = [entry for entry in history if "mlm" in entry]
    assert trained[-1]["mlm"] < 0.8 * trained[0]["mlm"]
    assert trained[-1]["decoder"] < trained[0]["decoder"]
    assert history[-1].keys() == {"step", "val_mlm", "val_accuracy"}


def test_training_starts_from_what_it_leaves(recipe: Path, data: Path, tmp_path: Path) -> None:
    found = pretrain(settings(recipe), work=tmp_path / "work", log=silent)
    write_backbone(found.backbone, found.vocabulary.tokenizer, tmp_path / "mlm", max_tokens=64)
    text = (data / "recipe.yaml").read_text(encoding="utf-8").replace("size: tiny", f"start_from: {tmp_path / 'mlm'}")
    (data / "start.yaml").write_text(text, encoding="utf-8")
    started = msgspec.structs.replace(read_recipe(data / "start.yaml"), steps=1, learning_rate=1e-9)
    trained = train(started, work=tmp_path / "train", log=silent).model
    torch.testing.assert_close(trained.bert.output_weight(), found.backbone.output_weight())


def test_transformers_loads_what_it_leaves(recipe: Path, tmp_path: Path) -> None:
    found = pretrain(settings(recipe, steps=1), work=tmp_path / "work", log=silent)
    write_backbone(found.backbone, found.vocabulary.tokenizer, tmp_path / "mlm", max_tokens=64)
    theirs = AutoModelForMaskedLM.from_pretrained(tmp_path / "mlm").eval()
    batch = AutoTokenizer.from_pretrained(tmp_path / "mlm")("희소 [MASK]은 단어", return_tensors="pt")
    with torch.no_grad():
        ours = found.backbone.hidden(batch["input_ids"], batch["attention_mask"]) @ found.backbone.output_weight().T
        torch.testing.assert_close(
            ours + found.backbone.output_bias(),
            theirs(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits,
            atol=2e-5,
            rtol=1e-4,
        )


@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
def test_it_goes_on_with_other_architectures(
    recipe: Path, kind: str, data: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    texts = (data / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    save_pretrained(kind, tmp_path / "mlm", texts, tokenizer_folder)
    (tmp_path / "recipe.yaml").write_text(
        f"model: {{start_from: mlm, max_tokens: 64}}\npassages: [{recipe.parent}]\ntokens: 32\nsteps: 2\nbatch: 4\n"
    )
    found = pretrain(read_pretraining(tmp_path / "recipe.yaml"), work=tmp_path / "work", log=silent)
    write_backbone(found.backbone, found.vocabulary.tokenizer, tmp_path / "more", max_tokens=64)
    read_backbone(tmp_path / "more")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch: 4": "batch: 400"}, "texts are fewer than a batch of 400"),
        ({"mask: 0.3": "", "tokens: 32": "tokens: 65"}, "'tokens' is 65, more than 'model.max_tokens', 64"),
        ({"passages: [corpus.jsonl]": "passages: []"}, "'passages' is empty"),
        ({"passages: [corpus.jsonl]": "passages: [no.jsonl]"}, "no such file or folder; the recipe's 'passages[0]'"),
        ({"parallel: parallel.jsonl": "parallel: no.jsonl"}, "no such file or folder; the recipe's 'parallel'"),
        ({"steps: 6": "stpes: 6"}, "unknown key 'stpes'; did you mean 'steps'?"),
        ({"size: tiny, tokenizer": "size: tiny, tokeniser"}, "did you mean 'model.tokenizer'?"),
    ],
)
def test_a_wrong_recipe_is_named(recipe: Path, tmp_path: Path, changes: dict[str, str], message: str) -> None:
    text = recipe.read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    wrong = recipe.with_name("wrong.yaml")
    wrong.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        pretrain(read_pretraining(wrong), work=tmp_path, log=silent)
    assert message in str(error.value)


def test_a_loss_that_is_no_number_stops_the_run(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"the loss at step 2 is .*; its batch is in .*-2\.json; lower 'learning_rate'"
    ):
        pretrain(settings(recipe, learning_rate=1e30, clip=1e30, steps=20), work=tmp_path, log=silent)
    (file,) = tmp_path.glob("failed-step-*.json")
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["step"] == 2
    assert len(found["texts"]) == 4
    known = {text.replace(" ", "").lower()[:4] for text in TEXTS}
    assert {text.replace(" ", "")[:4] for text in found["texts"]} <= known


@pytest.mark.parametrize("held_out", [0, 256])
def test_a_last_step_that_ruins_the_model_saves_none(recipe: Path, tmp_path: Path, held_out: int) -> None:
    with pytest.raises(InputError, match=r"after .*step,? 1,? is nan; lower 'learning_rate'"):
        pretrain(settings(recipe, learning_rate=1e30, steps=1, held_out=held_out), work=tmp_path, log=silent)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'device' is cuda, but torch finds no CUDA GPU here"):
        pretrain(settings(recipe, device="cuda"), work=tmp_path, log=silent)


def test_every_text_comes_once_an_epoch_in_batches_of_like_length() -> None:
    texts = [Text((2, *[9] * n, 3), (NO_UNIT, *[0] * n, NO_UNIT)) for n in range(32)]
    order = Order(texts, batch=4, seed="1")
    epoch = [order[i] for i in range(8)]
    assert sorted(len(t.ids) for batch in epoch for t in batch) == [n + 2 for n in range(32)]
    assert all(max(len(t.ids) for t in batch) - min(len(t.ids) for t in batch) == 3 for batch in epoch)
    assert [len(b[0].ids) for b in epoch] != [len(order[i][0].ids) for i in range(8, 16)]


def test_parallel_sentences_get_their_share_of_the_steps(recipe: Path) -> None:
    passage, pair = Text((1,), (0,)), Text((2,), (0,))
    chosen = settings(recipe, parallel_share=0.25, batch=1)
    schedule = Schedule(Texts(passages=[passage] * 3, held_out=[], parallel=[pair]), chosen)
    assert [schedule[i][0].ids for i in range(8)] == [(1,), (1,), (1,), (2,)] * 2
