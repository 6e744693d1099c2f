from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_encoder._files import InputError
from sparse_encoder.encoding import TorchEncoder, encode_texts
from sparse_encoder.model_folder import SparseModel, read_model
from sparse_encoder.pruning import Pruning, Terms, prune
from sparse_encoder.shards import Partial, encode_shards

TEXTS = [
    (f"d{i}", text) for i, text in enumerate(["희소 검색", "검색 색인은 index", "문서 단어", "", "sparse vector 검색"])
]
ALL = Pruning(top_k=25)


@pytest.fixture(scope="module")
def model(golden: Path) -> SparseModel:
    return read_model(golden / "model")


def run(model: SparseModel, work: Path, identity: str = "one") -> list[tuple[str, list[int], list[float]]]:
    partial = Partial(folder=work, identity=identity, n_texts=2)
    found = encode_shards(TorchEncoder(model), TEXTS, pruning=ALL, work=partial, log=lambda line: None)
    return [(v.id, v.token_ids.tolist(), v.weights.tolist()) for v in found]


def test_finished_shards_are_not_encoded_again(
    model: SparseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = run(model, tmp_path / "a")
    run(model, tmp_path / "b")
    (tmp_path / "b" / "shard-000000002.npz").unlink()
    calls: list[int] = []

    encode = TorchEncoder.encode

    def counted(self: TorchEncoder, texts: list[str], *, pruning: Pruning) -> list[Terms]:
        calls.append(len(texts))
        return encode(self, texts, pruning=pruning)

    monkeypatch.setattr(TorchEncoder, "encode", counted)
    assert run(model, tmp_path / "b") == wanted
    assert calls == [2]


def test_partial_work_of_another_run_is_refused(model: SparseModel, tmp_path: Path) -> None:
    run(model, tmp_path)
    with pytest.raises(InputError, match="partial work of another model"):
        run(model, tmp_path, identity="two")


def test_the_order_of_texts_does_not_change_a_vector(model: SparseModel) -> None:
    texts = [text for _, text in TEXTS]
    forward, backward = encode_texts(model, texts, pruning=ALL), encode_texts(model, texts[::-1], pruning=ALL)
    for (ids, weights), (other_ids, other_weights) in zip(forward, backward[::-1], strict=True):
        assert ids.tolist() == other_ids.tolist()
        np.testing.assert_allclose(weights, other_weights, atol=1e-6)


rows = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=12)


@settings(max_examples=50)
@given(rows, st.integers(1, 5), st.sampled_from([0.0, 0.5]))
def test_pruning_keeps_the_heaviest_in_order_of_id(row: list[float], top_k: int, ratio: float) -> None:
    values = np.array(row, dtype=np.float32)
    ids, weights = prune(values, Pruning(top_k=top_k, ratio=ratio))
    assert ids.tolist() == sorted(ids.tolist())
    assert len(ids) <= top_k
    assert weights.tolist() == values[ids].tolist()
    dropped = np.delete(values, ids)
    assert not len(ids) or dropped.max(initial=0) <= max(weights.min(), ratio * values.max())


def test_a_ratio_keeps_terms_of_at_least_that_share() -> None:
    row = np.array([0.0, 2.0, 1.0, 0.5, 2.0], dtype=np.float32)
    assert prune(row, Pruning(top_k=5, ratio=1.0))[0].tolist() == [1, 4]
    assert prune(row, Pruning(top_k=5, ratio=0.5))[0].tolist() == [1, 2, 4]
    assert prune(np.zeros(3, dtype=np.float32), Pruning(top_k=5, ratio=1.0))[0].tolist() == []
