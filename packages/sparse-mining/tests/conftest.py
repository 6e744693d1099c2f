"""A corpus small enough to judge by hand, as the files that commands read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[3] / "docs" / "formats" / "golden"

TOPICS = {
    "search": ["검색 엔진은 색인을 만든다", "희소 검색은 단어에 가중치를 둔다", "역색인은 단어에서 문서로 간다"],
    "food": ["김치는 배추로 담근다", "된장 찌개는 콩으로 끓인다", "배추와 무는 김장에 쓴다"],
    "sky": ["별은 밤하늘에 빛난다", "달은 지구를 돈다", "지구는 해를 돈다"],
    "money": ["금리는 물가를 따라 오른다", "은행은 금리를 정한다", "물가는 해마다 오른다"],
}


@pytest.fixture
def golden() -> Path:
    return GOLDEN


@pytest.fixture
def passages(tmp_path: Path) -> Path:
    """A BEIR folder of 12 passages, three a document."""
    folder = tmp_path / "passages"
    folder.mkdir()
    lines = [
        {"_id": f"{topic}#{k}", "title": f"{topic} 이야기", "text": text, "metadata": {"document_id": topic}}
        for topic, texts in TOPICS.items()
        for k, text in enumerate(texts)
    ]
    write_lines(folder / "corpus.jsonl", lines)
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A pair for each passage: its first two words."""
    file = tmp_path / "pairs.jsonl"
    lines = [
        {
            "query_id": f"{topic}#{k}:heading",
            "query": " ".join(text.split()[:2]),
            "doc_id": f"{topic}#{k}",
            "kind": "heading",
        }
        for topic, texts in TOPICS.items()
        for k, text in enumerate(texts)
    ]
    write_lines(file, lines)
    return file


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    file = tmp_path / "queries.jsonl"
    write_lines(
        file, [{"_id": "q-1", "text": "배추 김치"}, {"_id": "q-2", "text": "모르는말"}, {"_id": "q-3", "text": "금리"}]
    )
    return file


def write_lines(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
