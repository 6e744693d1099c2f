import json
from pathlib import Path

import msgspec
import pytest
from sparse_encoder._files import InputError, write_json
from sparse_encoder.encoding import encode_texts
from sparse_encoder.noise import NoiseTokens, find_noise, read_noise
from sparse_encoder.pruning import Pruning
from sparse_encoder.recipe import Noise, read_recipe
from sparse_encoder.training import train
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary

TEXTS = ["도서관에서 검색은 단어를 둔다.", "학생들이 서울에서 단어를 읽었다.", "은 벡터 (weight)를 둔다."]


def test_particles_endings_and_punctuation_are_noise_and_nouns_are_not(vocabulary: Vocabulary) -> None:
    found = find_noise(TEXTS, vocabulary, min_frequency=0.3).tokens
    assert {"##에서", "##를", "."} <= found.keys()
    assert not {"도서관", "검색", "단어", "서울", "weight"} & found.keys()
    assert found["."].document_frequency == 1.0
    assert next(iter(found)) == "."


def test_a_token_that_is_often_something_else_is_kept(vocabulary: Vocabulary) -> None:
    texts = ["금과 은을 샀다.", "은이 비싸다.", "검색은 단어다."]
    assert "은" not in find_noise(texts, vocabulary, min_frequency=0.1).tokens
    assert "##은" in find_noise(texts, vocabulary, min_frequency=0.1).tokens


def test_a_rare_token_is_no_noise(vocabulary: Vocabulary) -> None:
    assert "(" not in find_noise(TEXTS, vocabulary, min_frequency=0.5).tokens


def test_a_list_for_another_tokenizer_is_refused(vocabulary: Vocabulary, golden: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "noise.json", find_noise(TEXTS, vocabulary))
    assert read_noise(tmp_path / "noise.json", vocabulary)
    with pytest.raises(InputError, match="was made with another tokenizer"):
        read_noise(tmp_path / "noise.json", read_vocabulary(golden / "tokenizer"))


def test_the_golden_list_is_read_and_written_as_it_is(golden: Path, tmp_path: Path) -> None:
    found = msgspec.json.decode((golden / "noise_tokens.json").read_bytes(), type=NoiseTokens)
    write_json(tmp_path / "noise_tokens.json", found)
    assert (tmp_path / "noise_tokens.json").read_bytes() == (golden / "noise_tokens.json").read_bytes()
    ids = read_noise(golden / "noise_tokens.json", read_vocabulary(golden / "tokenizer"))
    assert len(ids) == len(found.tokens)


@pytest.mark.parametrize("how", ["damp", "forbid"])
def test_training_damps_or_forbids_them_in_the_weights_themselves(data: Path, how: str, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(read_recipe(data / "recipe.yaml"), steps=1, learning_rate=1e-9)
    plain_model = msgspec.structs.replace(recipe.model, lexical_channel=True)
    vocabulary = read_vocabulary(Path(recipe.model.tokenizer))
    texts = [json.loads(line)["text"] for line in (data / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    write_json(tmp_path / "noise.json", find_noise(texts, vocabulary, min_frequency=0.3))
    noise = Noise(tokens=str(tmp_path / "noise.json"), how=how)
    models = {
        name: train(msgspec.structs.replace(recipe, model=model), work=tmp_path / name, log=lambda line: None).model
        for name, model in {"with": msgspec.structs.replace(plain_model, noise=noise), "without": plain_model}.items()
    }
    dot = vocabulary.ids["."]
    weights = {}
    for name, model in models.items():
        ((ids, found),) = encode_texts(model, ["세금은 소득에 따라 달라진다."], pruning=Pruning(top_k=999))
        weights[name] = dict(zip(ids.tolist(), found.tolist(), strict=True))
    assert weights["without"][dot] > 0.5
    if how == "forbid":
        assert dot not in weights["with"]
    else:
        assert 0 < weights["with"][dot] < weights["without"][dot]
    noun = vocabulary.ids["세금"]
    assert weights["with"][noun] == pytest.approx(weights["without"][noun], abs=1e-3)
