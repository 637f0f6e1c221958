"""The newcomers page: the answer on top, the list, groups with their tests, the back-test; what it says of one."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from patron.intelligence.insights.analyses.newcomers import ANALYSIS
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses._newcomer_words import STATE_LABELS, newcomer_sentence, verdict, why
from patron.touchpoints.workspace.analyses.contract import Finding, Who
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.analyses.newcomers import PAGE
from patron.touchpoints.workspace.tests.desks import (
    Shop,
    charts_of,
    desk_in,
    find,
    house,
    run_of,
    shop_with,
    shown_in,
    table_of,
    tables_of,
)

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SOME: dict[str, Any] = {
    "first_on": "2026-01-15", "second_on": None, "days_to_second": None, "silence_days": 40, "chance": 0.312,
    "soon_days": 28, "expected_on": "2026-03-20",
}  # fmt: skip


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return shop_with(ANALYSIS, tmp_path_factory, generated(seed=8, size=Size(customers=500, receipts=4000, days=420)))


def desk(shop: Shop, query: str = "", branch: int | None = None) -> Desk:
    return desk_in(*shop, query, branch)


def test_the_first_sentence_is_the_answer(shop: Shop) -> None:
    metrics = shop[1].metrics
    answer = PAGE.build(desk(shop))
    told = str(answer.sentence)
    assert told.startswith(f"Of {metrics['customers']} newcomers {round(100 * metrics['back_by_28'])}\xa0% come back ")
    assert f"Half of those who come back do so by day {metrics['median_of_returners']}." in told
    assert f"Write to the {metrics['due']} who are at day {metrics['due_from']} to " in told
    charts = [part.chart for part in charts_of(answer)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    for part in tables_of(answer):
        assert part.rows, part.key
        assert all(len(row) == len(part.columns) for row in part.rows)


@pytest.mark.parametrize("state", ["due", "fresh", "late", "back"])
def test_each_state_has_its_list(shop: Shop, state: str) -> None:
    listed = table_of(PAGE.build(desk(shop, f"list={state}")), "customers")
    expected = shop[0].rows(f"SELECT customer_id FROM newcomers_customers WHERE state = '{state}'")
    assert listed.every is not None
    everybody = {cell.customer_id for row in listed.every() for cell in row if isinstance(cell, Who)}
    assert everybody == {row[0] for row in expected}
    assert shown_in(listed) <= everybody
    assert listed.title == STATE_LABELS[state]


@pytest.mark.parametrize("measure", ["back", "stay"])
@pytest.mark.parametrize("dimension", ["cohort", "branch", "age_band", "department", "channel"])
def test_groups_say_how_many_there_are_and_whether_they_differ(shop: Shop, measure: str, dimension: str) -> None:
    answer = PAGE.build(desk(shop, f"of={measure}&by={dimension}"))
    tests = table_of(answer, "tests")
    assert len(tests.rows) == 5
    assert str(tests.note).startswith("5 comparisons were made")
    groups = table_of(answer, "groups")
    count = shop[0].rows(
        "SELECT count(*) FROM newcomers_groups WHERE measure = ? AND dimension = ?", [measure, dimension]
    )[0][0]
    assert len(groups.rows) == count >= 2
    reading = str(charts_of(answer)[-1].chart.reading)
    assert reading.startswith(f"The {count} groups ")
    assert "log-rank test, p = " in reading


def test_a_branch_sees_its_own_newcomers_and_its_own_curve(shop: Shop) -> None:
    answer = PAGE.build(desk(shop, "list=back", branch=2))
    [(own,)] = shop[0].rows(
        "SELECT newcomers FROM newcomers_groups WHERE measure = 'back' AND dimension = 'all' AND branch_id = 2"
    )
    assert str(answer.sentence).startswith(f"Of {own} newcomers ")
    listed = table_of(answer, "customers")
    home = {row[0] for row in shop[0].rows("SELECT customer_id FROM newcomers_customers WHERE branch_id = 2")}
    assert shown_in(listed)
    assert shown_in(listed) <= home


def test_a_branch_without_newcomers_says_so(shop: Shop) -> None:
    answer = PAGE.build(desk(shop, branch=-1))
    assert answer.parts == ()
    assert str(answer.sentence).endswith("no newcomers to tell of.")


def test_a_branch_with_few_newcomers_is_told_the_figures_of_the_house(tmp_path_factory: pytest.TempPathFactory) -> None:
    tables = generated(seed=8, size=Size(customers=500, receipts=4000, days=420))
    context = house(tmp_path_factory, tables, changed={"newcomers": {"least": 100_000}})
    findings = find(context, ANALYSIS)
    answer = PAGE.build(desk_in(context.warehouse, run_of(findings, until=context.until), branch=2))
    assert str(answer.sentence).startswith("Too few first bought in this branch for figures of its own;")
    assert not [part for part in tables_of(answer) if part.key == "groups"]
    assert {row[1] for row in table_of(answer, "tests").rows} == {1}


def test_few_returns_and_no_back_test_are_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    tables = generated(seed=8, size=Size(customers=500, receipts=700, days=150))
    context = house(tmp_path_factory, tables, changed={"newcomers": {"window_days": 28}})
    findings = find(context, ANALYSIS)
    assert findings.metrics["due_from"] is None
    answer = PAGE.build(desk_in(context.warehouse, run_of(findings, until=context.until), "list=untold"))
    assert "Too few have come back to say when to write." in str(answer.sentence)
    assert str(answer.explanation[-1]).startswith("The history is too short")
    rows = table_of(answer, "customers").rows
    assert rows
    assert all(str(row[-1]).endswith("too few have come back to tell the chance.") for row in rows)


def finding(label: str, **changed: Any) -> Finding:
    return Finding(label, Decimal("0.312"), 1, label, "as the model wrote it", {**SOME, **changed}, "HKD")


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_every_published_finding_has_a_sentence(shop: Shop, language: str) -> None:
    with translation.override(language):
        for label in STATE_LABELS:
            changed = {"days_to_second": 6, "chance": None} if label == "back" else {}
            told = newcomer_sentence(finding(label, **changed))
            assert told
            assert "%(" not in told
            assert "%(" not in why(label, 40, 6)


def test_the_sentence_of_one_customer_says_how_likely() -> None:
    assert newcomer_sentence(finding("due")) == (
        "Has bought once, on 15 Jan 2026; 31\xa0% likely to come back in the next 28 days. Write now."
    )
    assert newcomer_sentence(finding("back", days_to_second=1, chance=None)) == (
        "A newcomer who came back 1 day after the first purchase."
    )


def test_whatever_is_published_has_a_sentence(tmp_path_factory: pytest.TempPathFactory) -> None:
    context = house(tmp_path_factory, generated(seed=8, size=Size(customers=500, receipts=4000, days=420)))
    insights = find(context, ANALYSIS).insights
    assert insights is not None
    for row in insights.to_pylist():
        facts = json.loads(row["facts"])
        told = newcomer_sentence(
            Finding(row["label"], row["score"], row["rank"], row["reason_code"], row["reason"], facts, "HKD")
        )
        assert told.startswith("A newcomer who came back " if row["label"] == "back" else "Has bought once, on ")


def test_a_verdict_goes_by_the_corrected_p() -> None:
    assert [verdict(p, groups)[0] for p, groups in ((0.049, 3), (0.051, 3), (None, 1), (None, 4))] == [
        "They differ", "No difference shown", "One group only", "Too few to compare",
    ]  # fmt: skip
