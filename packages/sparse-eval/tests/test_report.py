"""The report: one page, nothing from elsewhere, texts escaped."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import QRELS, QUERIES
from sparse_eval.comparison import System
from sparse_eval.explaining import Explained, Texts, explain, outcomes
from sparse_eval.plots import write_plots
from sparse_eval.records import Comparison, Passage
from sparse_eval.report import report_page

VOID = {"meta", "img"}


class Balance(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(systems: list[System], comparison: Comparison, tmp_path: Path) -> str:
    found = outcomes(systems, QRELS)
    passages = {
        "a": Passage(id="a", title="검색", text="희소 검색은 <단어>마다 가중치를 둔다."),
        "x": Passage(id="x", text="가" * 999),
    }
    texts = Texts(queries=QUERIES, passages=passages)
    explained = Explained(explanation=explain(found, "morphemes", "words"), outcomes=found, texts=texts)
    return report_page(comparison, explained, plots=write_plots(tmp_path, comparison))


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"https?://|<script|<link|@import|src=\"(?!data:)", page)
    assert page.count("data:image/png;base64,") == 3


def test_every_tag_is_closed(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_texts_are_escaped_and_long_ones_cut(page: str) -> None:
    assert "역색인 &lt;b&gt;" in page
    assert "희소 검색은 &lt;단어&gt;마다 가중치를 둔다." in page
    assert f"{'가' * 420} …" in page
    assert "가" * 421 not in page


def test_the_page_knows_light_dark_and_small_screens(page: str) -> None:
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "prefers-color-scheme: dark" in page
    assert "max-width: 40rem" in page
    assert "Apple SD Gothic Neo" in page


def test_wins_and_failures_are_shown_with_their_texts(page: str) -> None:
    assert page.index("Largest wins of morphemes") < page.index("희소 검색이란")
    failures = page[page.index("Queries that no system answers") :]
    assert "pod가 죽는 이유" in failures
    assert '<span class="tag">Code-mixed</span>' in failures


def test_without_runs_there_is_no_part_on_single_queries(comparison: Comparison) -> None:
    page = report_page(comparison, None)
    assert "query by query" not in page
    assert "Which differences hold" in page
