"""The transformers backend with a tiny model of random weights; needs the dependency group `torch`."""

from dataclasses import replace
from pathlib import Path

import pytest
from a_task import a_task
from ko_synth_llm import InputError, Options, Rejected, run
from ko_synth_llm.asking import Asking, Request
from ko_synth_llm.engine import Engine
from ko_synth_llm.records import Record
from ko_synth_llm.tasks import Sampling
from tiny_model import save_tiny_model

pytest.importorskip("transformers", reason="needs `uv sync --package ko-synth-llm --group torch`")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


def requests(tmp_path: Path, texts: list[str], sampling: Sampling) -> list[Request]:
    asking = Asking(a_task(tmp_path))
    found = [asking.requests(Record(fields={"id": text, "text": text}, where="here"))[0] for text in texts]
    return [replace(request, sampling=sampling) for request in found]


def test_a_batch_of_unequal_prompts_is_answered_as_each_alone(tmp_path: Path, model: Path) -> None:
    from ko_synth_llm.transformers_model import TransformersBackend

    backend = TransformersBackend(str(model), Engine(dtype="float32"))
    wanted = requests(tmp_path, ["색인", "희소 검색은 단어마다 가중치를 둔다.", "a"], Sampling(max_tokens=12))
    together = backend.replies(wanted)
    assert [reply.text for reply in together] == [backend.replies([request])[0].text for request in wanted]
    assert {reply.finish_reason for reply in together} == {"length"}
    assert [reply.usage.completion_tokens for reply in together] == [12, 12, 12]
    assert together[0].usage.prompt_tokens < together[1].usage.prompt_tokens


def test_a_thought_ends_at_its_budget_and_stays_apart_from_the_answer(tmp_path: Path, model: Path) -> None:
    from ko_synth_llm.transformers_model import TransformersBackend

    backend = TransformersBackend(str(model), Engine(dtype="bfloat16"))
    (reply,) = backend.replies(requests(tmp_path, ["색인"], Sampling(max_tokens=5, thinking="7")))
    assert reply.reasoning
    assert reply.usage.completion_tokens == 12
    (plain,) = backend.replies(requests(tmp_path, ["색인"], Sampling(max_tokens=5, thinking="off")))
    assert (plain.reasoning, plain.usage.completion_tokens) == ("", 5)
    assert plain.usage.prompt_tokens > reply.usage.prompt_tokens


def test_a_run_gathers_batches_and_a_seed_repeats_it(tmp_path: Path, model: Path) -> None:
    from ko_synth_llm.transformers_model import TransformersBackend

    found = []
    for _ in range(2):
        backend = TransformersBackend(str(model), Engine(dtype="float32", batch_size=4))
        records = [{"id": f"r{number}", "text": f"질문 {number}"} for number in range(6)]
        found.append(
            [result.outcome for result in run(a_task(tmp_path), records, backend, options=Options(max_asks=1))]
        )
    assert found[0] == found[1]
    assert [outcome.id for outcome in found[0] if isinstance(outcome, Rejected)] == [f"r{n}#1" for n in range(6)]


def test_int8_weights_are_loaded_and_named_in_the_revision(tmp_path: Path, model: Path) -> None:
    from ko_synth_llm.transformers_model import TransformersBackend

    backend = TransformersBackend(str(model), Engine(quantization="int8"))
    assert backend.revision == "quantization=int8"
    assert len(backend.replies(requests(tmp_path, ["색인"], Sampling(max_tokens=4)))) == 1


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    from ko_synth_llm.transformers_model import TransformersBackend

    with pytest.raises(InputError, match="nothing-here: transformers cannot load it"):
        TransformersBackend(str(tmp_path / "nothing-here"))
    with pytest.raises(InputError, match="transformers has int8"):
        TransformersBackend("any", Engine(quantization="fp8"))
