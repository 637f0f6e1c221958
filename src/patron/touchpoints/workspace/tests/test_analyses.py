"""The frame of the pages that answer questions: every one of them is complete, and choices are read with care."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses.registry import analyses
from patron.intelligence.reports.scope import Scope
from patron.kernel.charts import Column
from patron.touchpoints.workspace import analyses as package
from patron.touchpoints.workspace.analyses.contract import AnalysisPage, Badge, Link, TablePart
from patron.touchpoints.workspace.analyses.desk import Desk, Run
from patron.touchpoints.workspace.analyses.registry import pages
from patron.touchpoints.workspace.analyses.showing import file_header, file_rows, shown
from patron.touchpoints.workspace.views.analyses import GROUPS


def desk(query):
    return Desk(
        warehouse=None,
        scope=Scope(),
        place="",
        currency="HKD",
        as_of=dt.date(2026, 3, 2),
        actor=None,
        query=QueryDict(query),
        run=Run(),
    )


@pytest.mark.parametrize("page", pages().values(), ids=list(pages()))
def test_every_page_asks_a_question_and_shows_an_analysis_that_there_is(page: AnalysisPage) -> None:
    assert str(page.question).endswith("?")
    assert page.group in GROUPS
    assert not page.shows or page.shows in analyses()
    assert page.name.replace("-", "").isalnum()


def test_a_choice_that_there_is_not_is_the_default() -> None:
    options = {"a": "A", "b": "B"}
    assert desk("by=b").choice("by", options) == "b"
    assert desk("by=z").choice("by", options) == "a"
    assert desk("").choice("by", options, "b") == "b"


@pytest.mark.parametrize(
    ("typed", "meant"), [("4", 4), ("", 5), ("x", 5), ("nan", 5), ("99", 10), ("-1", 2), ("1,0", 10), ("2.5", 2)]
)
def test_a_number_stays_within_its_bounds(typed: str, meant: int) -> None:
    read = desk(f"k={typed}")
    assert read.number("k", 5, 2, 10, whole=True) == meant
    assert read.controls[0].value == meant


def test_a_link_changes_some_choices_and_keeps_the_others() -> None:
    assert desk("by=a&k=3").url(k="4", by=None) == "?k=4"


@pytest.mark.parametrize(
    ("query", "rows", "following"),
    [
        ("by=a", [0, 1, 2], "?by=a&from=3"),
        ("from=3", [3, 4, 5], ""),  # the last three: the page does not lead to an empty one
        ("from=4", [4, 5], ""),
        ("from=9", [], ""),
        ("from=x", [0, 1, 2], "?from=3"),
    ],
)
def test_a_list_leads_on_only_where_there_is_more(query: str, rows: list[int], following: str) -> None:
    def fetch(*, skip: int, limit: int) -> list[int]:
        return list(range(6))[skip : skip + limit]

    assert desk(query).more(fetch, at_most=3) == (rows, following)


def test_cells_are_written_by_the_style_of_their_column():
    from patron.touchpoints.workspace.analyses.contract import Answer

    table = TablePart(
        "groups",
        "Groups",
        (Column("Group"), Column("Share", "percent"), Column("Leverage", "ratio"), Column("Do")),
        [("Gold", 0.25, 3.94, Badge("keep", "good")), ("Rest", None, 0.28, Link("see", "/rest"))],
    )
    (part,) = shown(Answer("", parts=[table]), actor=None, currency="HKD")
    assert [[cell.text for cell in row] for row in part.rows] == [
        ["Gold", "25.0\xa0%", "3.94", "keep"],
        ["Rest", "–", "0.28", "see"],
    ]
    assert [cell.tone or cell.url for cell in (part.rows[0][3], part.rows[1][3])] == ["good", "/rest"]
    assert file_header(table, "Number") == ["Group", "Share", "Leverage", "Do"]
    folded = dataclasses.replace(table, only=2)
    (narrow,) = shown(Answer("", parts=[folded]), actor=None, currency="HKD")
    assert [heading.text for heading in narrow.headings] == ["Group", "Share"]
    assert [len(row) for row in narrow.rows] == [2, 2]
    assert file_header(folded, "Number") == ["Group", "Share", "Leverage", "Do"]
    assert list(file_rows(table, actor=None)) == [["Gold", 0.25, 3.94, "keep"], ["Rest", None, 0.28, "see"]]


def test_no_page_sends_its_reader_to_a_file_of_the_repository() -> None:
    for file in sorted(Path(package.__file__ or "").parent.glob("*.py")):
        assert "docs/" not in file.read_text(encoding="utf-8"), file.name
