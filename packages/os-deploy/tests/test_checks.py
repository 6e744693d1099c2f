"""Every way in which an export folder can be wrong is one failed finding, by name."""

import json
from pathlib import Path

import pytest
from exports import BAG, WORDS, encode_queries, make_idf, make_tokenizer, write_bundle, write_export
from os_deploy import InputError, check_folder


def failures(folder: Path) -> list[str]:
    return [f.check for f in check_folder(folder) if not f.ok]


def edit_config(folder: Path, name: str, field: str, value: object) -> None:
    path = folder / f"{name}.config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, field: value}), encoding="utf-8")


def test_a_right_export_has_no_failures(tmp_path: Path) -> None:
    assert failures(write_export(tmp_path)) == []


def test_every_check_is_listed_even_when_it_holds(tmp_path: Path) -> None:
    checks = [f.check for f in check_folder(write_export(tmp_path))]
    assert checks == [
        "models",
        "encoder.zip: readable",
        "encoder.zip: size",
        "encoder.zip: hash",
        "encoder.zip: files",
        "encoder.zip: no_code",
        "encoder.zip: one_model",
        "encoder.zip: vocabulary_size",
        "encoder.zip: decoded_keys",
        "encoder.zip: hangul_kept",
        "encoder.zip: hangul_known",
        "tokenizer.zip: readable",
        "tokenizer.zip: size",
        "tokenizer.zip: hash",
        "tokenizer.zip: files",
        "tokenizer.zip: no_code",
        "tokenizer.zip: vocabulary_size",
        "tokenizer.zip: decoded_keys",
        "tokenizer.zip: hangul_kept",
        "tokenizer.zip: hangul_known",
        "tokenizer.zip: idf_keys",
        "tokenizer.zip: idf_weights",
        "same_tokenizer",
    ]


def test_a_folder_without_configs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no \*\.config\.json"):
        check_folder(tmp_path)


def test_a_wrong_hash_is_found(tmp_path: Path) -> None:
    edit_config(write_export(tmp_path), "encoder", "model_content_hash_value", "0" * 64)
    assert failures(tmp_path) == ["encoder.zip: hash"]


def test_a_wrong_size_is_found(tmp_path: Path) -> None:
    edit_config(write_export(tmp_path), "tokenizer", "model_content_size_in_bytes", 7)
    assert failures(tmp_path) == ["tokenizer.zip: size"]


def test_a_config_of_another_function_names_file_and_field(tmp_path: Path) -> None:
    edit_config(write_export(tmp_path), "encoder", "function_name", "TEXT_EMBEDDING")
    with pytest.raises(InputError, match=r"encoder\.config\.json: 'function_name'"):
        check_folder(tmp_path)


def test_a_zip_without_config_is_found(tmp_path: Path) -> None:
    (write_export(tmp_path) / "tokenizer.config.json").unlink()
    assert failures(tmp_path) == ["models"]


def test_a_config_without_zip_is_found(tmp_path: Path) -> None:
    (write_export(tmp_path) / "encoder.zip").unlink()
    assert failures(tmp_path) == ["encoder.zip: readable"]


def test_a_zip_without_tokenizer_is_found(tmp_path: Path) -> None:
    write_bundle(write_export(tmp_path), "encoder", "SPARSE_ENCODING", {"model.pt": BAG.read_bytes()})
    assert failures(tmp_path) == ["encoder.zip: files"]


def test_a_tokenizer_in_a_folder_of_the_zip_is_not_taken(tmp_path: Path) -> None:
    content = make_tokenizer().to_str().encode()
    files = {"inner/tokenizer.json": content, "idf.json": b"{}"}
    write_bundle(write_export(tmp_path), "tokenizer", "SPARSE_TOKENIZE", files)
    assert failures(tmp_path) == ["tokenizer.zip: files"]


@pytest.mark.parametrize(
    ("models", "found"),
    [
        ({}, "none"),
        ({"a.pt": BAG.read_bytes(), "b.pt": BAG.read_bytes()}, "a.pt, b.pt"),
        ({"in/a.pt": BAG.read_bytes()}, "in/a.pt"),
        ({"a.pt": b"weights"}, "a.pt, which is not TorchScript"),
    ],
)
def test_anything_but_one_torchscript_file_is_found(tmp_path: Path, models: dict[str, bytes], found: str) -> None:
    files = {**models, "tokenizer.json": make_tokenizer().to_str().encode()}
    write_bundle(write_export(tmp_path), "encoder", "SPARSE_ENCODING", files)
    assert [(f.check, f.found) for f in check_folder(tmp_path) if not f.ok] == [("encoder.zip: one_model", found)]


def test_programs_in_the_zip_are_found(tmp_path: Path) -> None:
    files = {"model.pt": BAG.read_bytes(), "tokenizer.json": make_tokenizer().to_str().encode(), "x.so": b""}
    write_bundle(write_export(tmp_path), "encoder", "SPARSE_ENCODING", files)
    assert failures(tmp_path) == ["encoder.zip: no_code"]


def test_a_tokenizer_that_takes_hangul_apart_is_found(tmp_path: Path) -> None:
    write_export(tmp_path, tokenizer=make_tokenizer(strip_accents=True))
    assert failures(tmp_path) == ["encoder.zip: hangul_kept", "tokenizer.zip: hangul_kept"]


def test_a_vocabulary_without_hangul_is_found(tmp_path: Path) -> None:
    words = ["a", "sparse", "vector"]
    write_export(tmp_path, tokenizer=make_tokenizer(words=words), idf=make_idf(words))
    assert failures(tmp_path) == ["encoder.zip: hangul_known", "tokenizer.zip: hangul_known"]


def test_a_vocabulary_above_32768_is_found(tmp_path: Path) -> None:
    words = WORDS + [f"w{i}" for i in range(32_768)]
    write_export(tmp_path, tokenizer=make_tokenizer(words=words), idf=make_idf(words))
    assert failures(tmp_path) == ["encoder.zip: vocabulary_size", "tokenizer.zip: vocabulary_size"]


def test_two_vocabularies_are_found(tmp_path: Path) -> None:
    words = [*WORDS, "새것"]
    files = {
        "tokenizer.json": make_tokenizer(words=words).to_str().encode(),
        "idf.json": json.dumps(make_idf(words)).encode(),
    }
    write_bundle(write_export(tmp_path), "tokenizer", "SPARSE_TOKENIZE", files)
    assert failures(tmp_path) == ["same_tokenizer"]


@pytest.mark.parametrize("second", [False, True])
def test_a_model_that_encodes_its_queries_has_no_failures(tmp_path: Path, second: bool) -> None:
    assert failures(encode_queries(write_export(tmp_path), second=second)) == []


def test_two_encoders_of_which_none_is_named_as_that_of_queries_are_found(tmp_path: Path) -> None:
    encode_queries(write_export(tmp_path), second=True)
    for suffix in ("zip", "config.json"):
        (tmp_path / f"query_encoder.{suffix}").rename(tmp_path / f"queries.{suffix}")
    failed = [f for f in check_folder(tmp_path) if not f.ok]
    assert [(f.check, f.found) for f in failed] == [
        ("models", "SPARSE_ENCODING (encoder.zip), SPARSE_ENCODING (queries.zip)")
    ]
    assert "a second encoder is known by query_encoder.zip" in failed[0].why


def test_two_vocabularies_of_two_encoders_are_found(tmp_path: Path) -> None:
    encode_queries(write_export(tmp_path), second=True)
    content = make_tokenizer(words=[*WORDS, "새것"]).to_str().encode()
    files = {"model.pt": BAG.read_bytes(), "tokenizer.json": content}
    write_bundle(tmp_path, "query_encoder", "SPARSE_ENCODING", files)
    assert failures(tmp_path) == ["same_tokenizer"]


def test_a_truncated_zip_is_found_and_the_rest_still_checked(tmp_path: Path) -> None:
    path = write_export(tmp_path) / "encoder.zip"
    path.write_bytes(path.read_bytes()[:100])
    assert failures(tmp_path) == ["encoder.zip: readable"]


def write_report(folder: Path, *, safe: bool, check: str) -> None:
    checks = [{"check": check, "ok": False, "found": "4.40", "wanted": "less", "why": "it is so"}]
    inspection = {"format": "inspection", "version": 1, "model": "m", "safe_for_opensearch": safe, "checks": checks}
    (folder / "export_report.json").write_text(json.dumps({"format": "export_report", "inspection": inspection}))


def test_a_model_that_its_own_inspection_calls_unsafe_is_refused(tmp_path: Path) -> None:
    write_report(write_export(tmp_path), safe=False, check="decoded_keys")
    assert next(f.line() for f in check_folder(tmp_path) if not f.ok).startswith(
        "FAIL  inspection: found decoded_keys: 4.40"
    )


def test_ceilings_alone_make_no_model_unsafe(tmp_path: Path) -> None:
    write_report(write_export(tmp_path), safe=True, check="document_ceiling")
    assert failures(tmp_path) == []
