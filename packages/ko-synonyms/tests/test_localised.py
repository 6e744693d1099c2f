"""Localisation files: what stands at the same place of both is a pair, and what is not translated is none."""

from pathlib import Path

import pytest
from ko_synonyms._files import InputError
from ko_synonyms.localised import counterparts, read_localised, translations


def pairs(korean: object, english: object) -> list[tuple[str, str]]:
    return [(p.ko, p.en) for p in translations(korean, english)]


def test_texts_at_the_same_place_are_a_pair_at_any_depth() -> None:
    assert pairs({"a": {"b": "소금"}, "c": "뱀"}, {"c": "snake", "a": {"b": "salt"}}) == [
        ("소금", "salt"),
        ("뱀", "snake"),
    ]


def test_a_place_that_only_one_language_has_is_no_pair() -> None:
    assert pairs({"a": "소금", "b": "뱀"}, {"a": "salt", "c": "snake"}) == [("소금", "salt")]
    assert pairs({"a": "소금"}, {"a": {"b": "salt"}}) == []


def test_files_that_begin_with_the_name_of_their_language_are_compared_below_it() -> None:
    assert pairs({"main": {"ko": {"KR": "대한민국"}}}, {"main": {"en": {"KR": "South Korea"}}}) == [
        ("대한민국", "South Korea")
    ]


def test_two_keys_that_differ_are_two_places_and_no_names_of_languages() -> None:
    assert pairs({"ko": "소금", "x": "1"}, {"en": "salt", "x": "1"}) == []


def test_a_list_is_one_text_since_its_words_have_no_counterparts_by_number() -> None:
    assert pairs({"t": ["맛", "소금", "조미료"]}, {"t": ["condiment", "salt"]}) == [
        ("맛, 소금, 조미료", "condiment, salt")
    ]


@pytest.mark.parametrize(
    ("ko", "en"),
    [("OK", "OK"), ("Save", "Save"), ("소금", "소금"), ("소금", "100 %"), ("", "salt"), (3, 3), (None, "a")],
)
def test_what_is_not_translated_is_no_pair(ko: object, en: object) -> None:
    assert pairs({"a": ko}, {"a": en}) == []


def test_placeholders_and_tags_are_left_out() -> None:
    assert pairs({"a": "{0}개 <b>문서</b> %(n)s"}, {"a": "{0} <b>documents</b> %s"}) == [("개 문서", "documents")]


def test_folders_are_compared_by_the_files_that_both_have(tmp_path: Path) -> None:
    for name in ("ko/a.json", "ko/b/c.json", "en/b/c.json", "en/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert counterparts(f"{tmp_path}/ko={tmp_path}/en") == [(tmp_path / "ko/b/c.json", tmp_path / "en/b/c.json")]


def test_folders_with_no_file_in_common_are_told(tmp_path: Path) -> None:
    for side in ("ko", "en"):
        (tmp_path / side).mkdir()
    with pytest.raises(InputError, match=r"the folders share no \.json file: wanted files of the same names in both"):
        counterparts(f"{tmp_path}/ko={tmp_path}/en")


def test_a_file_alone_is_told() -> None:
    with pytest.raises(InputError, match=r"'ko\.json': wanted the Korean file or folder and the English one as KO=EN"):
        counterparts("ko.json")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"ko\.json: No such file or directory: wanted the texts of one language as JSON"
    ):
        read_localised(tmp_path / "ko.json")
    with pytest.raises(InputError, match=r"Is a directory: wanted the texts of one language as JSON"):
        read_localised(tmp_path)


@pytest.mark.parametrize("content", [b"{", b'{"a": "\xff"}'], ids=["cut off", "not UTF-8"])
def test_a_file_that_is_no_json_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ko.json").write_bytes(content)
    with pytest.raises(InputError, match=r"ko\.json: .*: wanted the texts of one language as JSON"):
        read_localised(tmp_path / "ko.json")
