"""Tests of the format check on pages made for the purpose."""

import json
from pathlib import Path

import pytest
from formats import Page, page_problems, sample_problems, schema_problems

PAGE = """# pairs

Version 1 · JSON Lines · [schema](schemas/pairs.schema.json) · [golden sample](golden/pairs.jsonl)

| `query` | text |

```json
{"query":"검색"}
```
"""
SCHEMA = {"$id": "urn:ko-sparse:pairs:1", "type": "object", "properties": {"query": {"type": "string"}}}


@pytest.fixture
def page(tmp_path: Path) -> Page:
    for folder in ("schemas", "golden"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pairs.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "schemas" / "pairs.schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "golden" / "pairs.jsonl").write_text('{"query":"검색"}\n', encoding="utf-8")
    return Page(tmp_path / "pairs.md")


def test_a_page_that_keeps_the_rules_has_no_problem(page: Page) -> None:
    assert list(page_problems(page)) == []
    assert list(schema_problems(page.linked("schemas")[0], page)) == []
    assert list(sample_problems(page.linked("golden")[0], page.linked("schemas")[0])) == []


def test_an_example_that_is_in_no_golden_sample_is_told(page: Page) -> None:
    page.path.write_text(PAGE.replace('"검색"', '"색인"'), encoding="utf-8")
    assert list(page_problems(page)) == ['pairs.md: the example line is in no golden sample: {"query":"색인"}']


def test_a_field_that_the_page_is_silent_on_is_told(page: Page) -> None:
    page.path.write_text(PAGE.replace("`query`", "`text`"), encoding="utf-8")
    assert list(page_problems(page)) == ["pairs.md: says nothing of the field `query`"]


def test_a_schema_of_another_version_than_its_page_is_told(page: Page) -> None:
    page.path.write_text(PAGE.replace("Version 1", "Version 2"), encoding="utf-8")
    assert list(schema_problems(page.linked("schemas")[0], page)) == [
        "pairs.schema.json: '$id' is 'urn:ko-sparse:pairs:1', wanted 'urn:ko-sparse:pairs:2'"
    ]


def test_a_golden_record_that_breaks_its_schema_is_named_by_line(page: Page) -> None:
    sample = page.linked("golden")[0]
    sample.write_text('{"query":"검색"}\n{"query":1}\n', encoding="utf-8")
    assert list(sample_problems(sample, page.linked("schemas")[0])) == [
        "pairs.jsonl:2: $.query: 1 is not of type 'string'"
    ]


def test_a_golden_text_that_is_not_nfc_is_told(page: Page) -> None:
    sample = page.linked("golden")[0]
    sample.write_text('{"query":"\u1100\u1165\u11b7"}\n', encoding="utf-8")
    assert list(sample_problems(sample, page.linked("schemas")[0])) == [
        "pairs.jsonl: is not NFC with a line end after every line"
    ]
