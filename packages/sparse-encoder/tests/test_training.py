import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import torch
from conftest import TEXTS
from safetensors.torch import save_file
from sparse_encoder._files import InputError
from sparse_encoder.checkpoints import read_checkpoint
from sparse_encoder.encoding import encode_texts
from sparse_encoder.layouts import INFERENCE_FREE
from sparse_encoder.material import read_material
from sparse_encoder.model_folder import SparseModel, write_model
from sparse_encoder.network import Network
from sparse_encoder.pruning import Pruning
from sparse_encoder.ranking import rank
from sparse_encoder.recipe import Groups, Guard, Losses, Noise, Queries, Recipe, Sparsity, read_recipe
from sparse_encoder.training import Trained, train


def silent(line: str) -> None:
    """No progress in tests."""


def weights(model: SparseModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.bert.state_dict().items()}


def settings(data: Path, **changes: object) -> Recipe:
    return msgspec.structs.replace(read_recipe(data / "recipe.yaml"), **changes)


def same(one: Trained, other: Trained) -> bool:
    first, second = weights(one.model), weights(other.model)
    return one.history == other.history and all(torch.equal(first[name], second[name]) for name in first)


STEERED = {"target_active_terms": 12, "accumulate": 2, "evaluate_every": 1, "encode_at_once": 3, "batch": 2}
"""Everything that has a state of its own: guard, best weights, several batches a step."""


@pytest.mark.parametrize("changes", [{}, {"ema": 0.9}, STEERED | {"ema": 0.9}])
def test_an_interrupted_run_ends_with_the_same_weights(data: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    recipe = settings(data, **changes)
    undisturbed = train(recipe, work=tmp_path / "a", log=silent)
    lines: list[str] = []

    def stop_at_the_end(line: str) -> None:
        if line.startswith("step 6/6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, work=tmp_path / "b", log=stop_at_the_end)
    resumed = train(recipe, work=tmp_path / "b", log=lines.append)
    assert lines[0] == "goes on after step 4 of 6"
    assert same(undisturbed, resumed)


def test_a_killed_process_goes_on_and_writes_the_same_bytes(data: Path, tmp_path: Path) -> None:
    recipe = data / "long.yaml"
    steered = "steps: 30\naccumulate: 2\ntarget_active_terms: 12\nevaluate_every: 3"
    recipe.write_text((data / "recipe.yaml").read_text(encoding="utf-8").replace("steps: 6", steered), encoding="utf-8")
    command = [sys.executable, "-m", "sparse_encoder", "train", str(recipe), "-o"]
    process = subprocess.Popen([*command, str(tmp_path / "m1"), "--work", str(tmp_path / "work")])
    while not list(tmp_path.glob("work/step-*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    subprocess.run([*command, str(tmp_path / "m1"), "--work", str(tmp_path / "work")], check=True)
    subprocess.run([*command, str(tmp_path / "m2")], check=True)
    files = sorted(p.relative_to(tmp_path / "m2") for p in (tmp_path / "m2").rglob("*") if p.is_file())
    assert files
    assert all((tmp_path / "m1" / f).read_bytes() == (tmp_path / "m2" / f).read_bytes() for f in files)
    assert not (tmp_path / "work").exists()


def test_training_lowers_the_loss(data: Path, tmp_path: Path) -> None:
    recipe = settings(data, steps=40, validation="", checkpoint_every=1000)
    history = train(recipe, work=tmp_path, log=silent).history
    assert history[-1]["infonce"] < history[0]["infonce"] or history[-1]["alignment"] < history[0]["alignment"]


def test_special_tokens_are_never_active(data: Path, tmp_path: Path) -> None:
    model = train(settings(data), work=tmp_path, log=silent).model
    assert max(float(model.bert.output_bias()[i].detach()) for i in model.vocabulary.special_ids) < -9000


def test_a_checkpoint_of_other_settings_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(settings(data), work=tmp_path, log=_interrupt)
    with pytest.raises(InputError, match="checkpoint of other settings or data"):
        train(settings(data, learning_rate=0.5), work=tmp_path, log=silent)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({"steps": 6}, {"steps": 7}, "'steps' is 6 there and 7 here; remove"),
        (
            {"train": [("train.jsonl", 1.0), ("train.jsonl", 1.0)]},
            {"train": [("train.jsonl", 1.0), ("train.jsonl", 100.0)]},
            r"'train\[1\]\.weight' is 1\.0 there and 100\.0 here",
        ),
        (
            {"term_pairs": "terms.jsonl"},
            {"parallel": "terms.jsonl"},
            r"'parallel' is left out there and a file of sha256 [0-9a-f]{12} here, "
            r"'term_pairs' is a file of sha256 [0-9a-f]{12} there and left out here",
        ),
    ],
)
def test_the_setting_that_differs_from_a_checkpoint_s_is_named(
    data: Path, tmp_path: Path, before: dict[str, object], after: dict[str, object], message: str
) -> None:
    def changed(changes: dict[str, object]) -> Recipe:
        files = [Groups(path=str(data / name), weight=w) for name, w in changes.get("train", [("train.jsonl", 1.0)])]
        texts = {key: str(data / changes[key]) if key in changes else "" for key in ("term_pairs", "parallel")}
        return settings(data, **changes | texts | {"train": files})

    with pytest.raises(KeyboardInterrupt):
        train(changed(before), work=tmp_path, log=_interrupt)
    with pytest.raises(InputError, match=message):
        train(changed(after), work=tmp_path, log=silent)


def test_a_file_in_the_work_folder_that_is_no_checkpoint_is_told(data: Path, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "step-00000009.safetensors")
    with pytest.raises(InputError, match=r"step-00000009\.safetensors: is no checkpoint of ours; move it away"):
        train(settings(data), work=tmp_path, log=silent)


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("model.token_vectors", {"token_vectors": "/missing/v.npy"}),
        ("model.noise.tokens", {"noise": Noise(tokens="/missing/noise.json")}),
        ("model.start_from", {"start_from": "/missing/model"}),
        ("model.idf", {"idf": "/missing/idf.json"}),
    ],
)
def test_a_missing_input_is_told_with_its_setting(
    data: Path, tmp_path: Path, key: str, changes: dict[str, object]
) -> None:
    recipe = settings(data)
    model = msgspec.structs.replace(recipe.model, **changes)
    with pytest.raises(InputError, match=f"^/missing/.*: no such file or folder; the recipe's '{key}' names it"):
        train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=silent)


@pytest.mark.parametrize(("side", "max_tokens"), [("idf", 16), ("idf", 8), ("same", 16), ("other", 16)])
def test_texts_longer_than_the_model_reads_are_cut(data: Path, tmp_path: Path, side: str, max_tokens: int) -> None:
    long = {"ko": "희소 검색 단어 " * 20, "en": "sparse vector weight " * 20}
    group = {"query": long["ko"], "docs": [long["ko"], long["en"]], "scores": [2.0, 1.0]}
    for name, line in (("long.jsonl", long), ("groups.jsonl", group)):
        (tmp_path / name).write_text((json.dumps(line, ensure_ascii=False) + "\n") * 4, encoding="utf-8")
    recipe = settings(
        data,
        train=[Groups(path=str(tmp_path / "groups.jsonl"))],
        validation=str(tmp_path / "groups.jsonl"),
        term_pairs=str(tmp_path / "long.jsonl"),
        parallel=str(tmp_path / "long.jsonl"),
        steps=2,
    )
    model = msgspec.structs.replace(recipe.model, max_tokens=max_tokens, queries=Queries(side=side))
    found = train(msgspec.structs.replace(recipe, model=model), work=tmp_path / "work", log=silent)
    assert found.history[-1]["val_ndcg_at_10"] > 0


@pytest.mark.parametrize(("side", "n_tokens"), [("idf", 8), ("same", 6)])
def test_queries_of_validation_are_as_long_as_the_saved_model_reads(
    data: Path, tmp_path: Path, side: str, n_tokens: int
) -> None:
    """Its special tokens are among those of a network, and not among those of a bag."""
    group = {"query": "검색 " * 20, "docs": ["희소 검색"], "scores": [1.0]}
    (tmp_path / "v.jsonl").write_text(json.dumps(group, ensure_ascii=False), encoding="utf-8")
    recipe = settings(data, validation=str(tmp_path / "v.jsonl"), query_tokens=4)
    model = msgspec.structs.replace(recipe.model, max_tokens=8, queries=Queries(side=side))
    validation = read_material(msgspec.structs.replace(recipe, model=model)).validation
    assert validation is not None
    assert len(validation.examples[0].sequence) == n_tokens + 2


@pytest.mark.parametrize("side", ["idf", "same"])
def test_validation_is_of_the_vectors_that_are_saved(data: Path, tmp_path: Path, side: str) -> None:
    """Of documents as long as the model reads, with as many terms as it keeps."""
    recipe = settings(data, document_tokens=8, query_tokens=3)
    model = msgspec.structs.replace(recipe.model, max_active_terms=5, queries=Queries(side=side))
    found = train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=silent)
    vectors = encode_texts(found.model, TEXTS, pruning=Pruning(top_k=5))
    assert found.history[-1]["val_active_terms"] == sum(len(ids) for ids, _ in vectors) / len(TEXTS)
    mass = torch.zeros(len(found.model.idf))
    for ids, weights_of_text in vectors:
        mass[torch.tensor(ids).long()] += torch.tensor(weights_of_text)
    assert found.history[-1]["val_flops"] == pytest.approx(float((mass / len(TEXTS)).square().sum()), rel=1e-4)


def test_an_older_checkpoint_is_removed(data: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(settings(data), work=tmp_path, log=_interrupt)
    (file,) = tmp_path.glob("step-*")
    assert file.name == "step-00000004.safetensors"
    with pytest.raises(InputError):
        read_checkpoint(tmp_path, "another identity")


def test_a_batch_larger_than_the_data_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8 groups are fewer than a batch of 9"):
        train(settings(data, batch=9), work=tmp_path, log=silent)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_its_batch(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"at step \d+ is .*; its batch is in .*failed-step-\d+\.json; lower"):
        train(settings(data, learning_rate=1e30, clip=1e30, steps=20), work=tmp_path, log=silent)
    (file,) = tmp_path.glob("failed-step-*.json")
    found = json.loads(file.read_text(encoding="utf-8"))
    assert len(found["groups"]) == 4
    assert sorted((pair["ko"], pair["en"], pair["weight"]) for pair in found["pairs"]) == [
        ("검색", "sparse", 0.9),
        ("단어", "weight", 0.5),
    ]
    written = (data / "train.jsonl").read_text(encoding="utf-8").splitlines()
    for group in found["groups"]:
        line = json.loads(written[group["line"] - 1])
        assert group["file"] == str(data / "train.jsonl")
        assert group["scores"][0] == 10.0
        assert set("".join(group["query"]).replace("##", "")) <= set(line["query"])


@pytest.mark.parametrize("validation", ["", "train.jsonl"])
def test_a_last_step_that_ruins_the_model_saves_none(data: Path, tmp_path: Path, validation: str) -> None:
    recipe = settings(data, learning_rate=1e30, steps=1, validation=str(data / validation) if validation else "")
    with pytest.raises(InputError, match=r"after step 1 .*; lower 'learning_rate'"):
        train(recipe, work=tmp_path, log=silent)


def test_the_best_weights_are_kept_and_training_stops_early(data: Path, tmp_path: Path) -> None:
    """A rate that destroys the model after the first step, which is the best then."""
    lines: list[str] = []
    recipe = settings(data, steps=30, evaluate_every=1, patience=3, learning_rate=3.0, warmup=1.0, clip=1e9)
    found = train(recipe, work=tmp_path, log=lines.append)
    measured = [entry["val_ndcg_at_10"] for entry in found.history if "val_ndcg_at_10" in entry]
    best = max(measured)
    assert len(measured) == measured.index(best) + 4 < 30
    assert f"keeps the weights of step {measured.index(best) + 1}, with nDCG@10 {best:.3f}" in lines
    network = Network(bert=found.model.bert, idf=found.model.idf)
    validation = read_material(recipe).validation
    assert validation is not None
    assert rank(network, validation, max_active_terms=40).ndcg_at_10 == pytest.approx(best, abs=1e-6)


def test_the_guard_stops_a_collapse(data: Path, tmp_path: Path) -> None:
    strict = Guard(fewest=1000.0, patience=3, steer=False)
    with pytest.raises(InputError, match=r"at step 4, below 1000\.0 for long"):
        train(settings(data, guard=strict), work=tmp_path, log=silent)


def test_a_monitor_is_told_what_the_history_holds(data: Path, tmp_path: Path) -> None:
    told: list[Mapping[str, float]] = []

    class Listener:
        def record(self, entry: Mapping[str, float]) -> None:
            told.append(entry)

        def close(self) -> None:
            """Nothing to close."""

    found = train(settings(data, evaluate_every=2), work=tmp_path, log=silent, monitors=[Listener()])
    assert told == found.history
    assert [entry["step"] for entry in told] == [2, 4, 6, 6]


def test_a_vocabulary_above_the_limit_is_refused(data: Path, tmp_path: Path) -> None:
    recipe = settings(data)
    model = msgspec.structs.replace(recipe.model, vocabulary_limit=100)
    with pytest.raises(InputError, match="tokens, above 100: OpenSearch"):
        train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=silent)


def test_patience_without_evaluations_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'patience' is 3, but 'evaluate_every' is 0"):
        train(settings(data, patience=3), work=tmp_path, log=silent)


def test_a_target_without_a_weight_to_start_from_is_refused(data: Path, tmp_path: Path) -> None:
    losses = msgspec.structs.replace(Losses(), flops=Sparsity(weight=0.0))
    with pytest.raises(InputError, match=r"'target_active_terms' wants 'losses\.flops\.weight' above 0"):
        train(settings(data, target_active_terms=80, losses=losses), work=tmp_path, log=silent)


def test_evaluations_without_validation_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'evaluate_every' is 2, but there is no 'validation' to evaluate on"):
        train(settings(data, evaluate_every=2, validation=""), work=tmp_path, log=silent)


@pytest.mark.parametrize("name", ["kl", "margin_mse", "margin_ranking"])
def test_a_loss_on_negatives_of_which_none_is_drawn_is_refused(data: Path, tmp_path: Path, name: str) -> None:
    losses = msgspec.structs.replace(Losses(), **{name: msgspec.structs.replace(getattr(Losses(), name), weight=0.5)})
    with pytest.raises(InputError, match=rf"'losses\.{name}\.weight' is 0\.5, but 'hard_negatives' and"):
        train(settings(data, hard_negatives=0, losses=losses), work=tmp_path, log=silent)


@pytest.mark.parametrize(
    ("target", "kept", "message"),
    [
        (41, 40, r"is 41, but 'model\.max_active_terms' keeps 40 of a document"),
        (9999, 20000, "is 9999, but the tokeni"),
    ],
)
def test_a_target_that_no_document_can_have_is_refused(
    data: Path, tmp_path: Path, target: int, kept: int, message: str
) -> None:
    recipe = settings(data, target_active_terms=target)
    model = msgspec.structs.replace(recipe.model, max_active_terms=kept)
    with pytest.raises(InputError, match=f"^'target_active_terms' {message}"):
        train(msgspec.structs.replace(recipe, model=model), work=tmp_path, log=silent)


def test_a_model_to_go_on_from_brings_its_own_lexical_channel(data: Path, tmp_path: Path) -> None:
    scratch = settings(data)
    with_channel = msgspec.structs.replace(scratch.model, lexical_channel=True)
    first = train(msgspec.structs.replace(scratch, model=with_channel), work=tmp_path / "a", log=silent).model
    assert first.lexical is not None
    with torch.no_grad():
        first.lexical.gate[7], first.lexical.mean_length[()] = 3.25, 999.0
    write_model(first, tmp_path / "first")
    further = msgspec.structs.replace(with_channel, start_from=str(tmp_path / "first" / INFERENCE_FREE.document))
    recipe = msgspec.structs.replace(scratch, model=further, steps=1, learning_rate=1e-9)
    second = train(recipe, work=tmp_path / "b", log=silent).model
    assert second.lexical is not None
    assert torch.allclose(second.lexical.gate, first.lexical.gate)
    assert float(second.lexical.mean_length) < 32, "the mean length of the passages that it goes on with"


def _interrupt(line: str) -> None:
    if line.startswith("step 6/6"):
        raise KeyboardInterrupt


def test_the_start_can_be_kept_in_part_or_whole(data: Path, tmp_path: Path) -> None:
    last, half, first = (
        weights(train(settings(data, keep_start=share), work=tmp_path / f"{share}", log=silent).model)
        for share in (0.0, 0.5, 1.0)
    )
    for name in half:
        torch.testing.assert_close(half[name], (last[name] + first[name]) / 2)
    assert any(not torch.equal(last[name], first[name]) for name in last)


def test_counts_can_be_trusted_more_than_training_found(data: Path, tmp_path: Path) -> None:
    model = msgspec.structs.replace(settings(data).model, lexical_channel=True)
    plain, trusted = (
        train(settings(data, steps=2, model=model, trust_counts=factor), work=tmp_path / f"{factor}", log=silent).model
        for factor in (1.0, 1.5)
    )
    assert plain.lexical is not None
    assert trusted.lexical is not None
    torch.testing.assert_close(trusted.lexical.gate, 1.5 * plain.lexical.gate)
    assert torch.equal(trusted.lexical.shape, plain.lexical.shape)


def test_the_last_evaluation_is_of_the_weights_that_are_saved(data: Path, tmp_path: Path) -> None:
    """The start kept whole, it is that of the start."""
    recipe = settings(data, keep_start=1.0)
    kept = train(recipe, work=tmp_path / "kept", log=silent).history[-1]
    first = train(msgspec.structs.replace(recipe, steps=1), work=tmp_path / "first", log=silent).history[-1]
    assert {**kept, "step": 1} == first
