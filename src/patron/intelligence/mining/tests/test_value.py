"""Value against a plain reading of its definitions, and its edges."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.models.value import ValueParameters
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.testing import purchases, row, transactions
from patron.intelligence.mining.transactions import prepare

AS_OF = dt.date(2025, 12, 31)

some_rows = st.lists(
    st.tuples(
        st.sampled_from(["陳大文", "王美玲", "李志強", "何嘉欣", "Ada Wong", "張偉", "林淑芬"]),
        st.integers(0, 500).map(lambda age: AS_OF - dt.timedelta(age)),
        st.integers(-5000, 9000).map(lambda cents: Decimal(cents) / 100),
    ),
    max_size=40,
)


def run(rows, **parameters):
    return model_named("value").run(purchases(rows), as_of=AS_OF, parameters=ValueParameters(**parameters))


@settings(max_examples=40, deadline=None)
@given(rows=some_rows, window_days=st.sampled_from([0, 90, 365]))
def test_value_is_what_its_definitions_say(rows, window_days):
    inside = [each for each in rows if not window_days or (AS_OF - each[1]).days < window_days]
    money, visits = defaultdict(Decimal), defaultdict(set)
    for customer, day, amount in inside:
        money[customer] += amount
        visits[customer] |= {day} if amount >= 0 else set()
    ranking = sorted(money, key=lambda customer: (-money[customer], customer))
    counted = [max(Fraction(money[customer]), Fraction(0)) for customer in ranking]
    total = sum(counted)

    result = run(rows, window_days=window_days)

    assert result.table["customer"].to_pylist() == ranking
    assert result.table["monetary"].to_pylist() == [money[customer] for customer in ranking]
    assert result.table["frequency"].to_pylist() == [len(visits[customer]) for customer in ranking]
    for place, each in enumerate(result.table.to_pylist()):
        before = sum(counted[:place])
        earning = counted[place] > 0
        expected = "A" if before < total * Fraction(4, 5) else "B" if before < total * Fraction(19, 20) else "C"
        assert each["value_class"] == (expected if earning else "C")
        assert each["vip"] == (earning and place < -(-len(ranking) // 5))
        days = visits[each["customer"]]
        assert each["recency_days"] == ((AS_OF - max(days)).days if days else None)
        worse = sum(money[other] < money[each["customer"]] for other in ranking)
        assert each["monetary_score"] == 1 + 5 * worse // len(ranking)
        if total:
            assert each["cumulative_share"] == pytest.approx(float((before + counted[place]) / total))


@settings(max_examples=30, deadline=None)
@given(rows=some_rows)
def test_lorenz_curve_and_gini_agree(rows):
    report = run(rows).report
    curve = report.series["lorenz"]
    if not curve:
        assert report.metrics["gini"] is None
        return
    assert (curve[0], curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert list(curve) == sorted(curve)
    assert all(share_of_worth <= share_of_customers for share_of_customers, share_of_worth in curve)
    area = sum((after[0] - before[0]) * (after[1] + before[1]) / 2 for before, after in pairwise(curve))
    assert report.metrics["gini"] == pytest.approx(1 - 2 * area, abs=1e-5)


def test_lorenz_curve_of_many_customers_has_at_most_101_points():
    curve = run([row(f"c{place:03}", "2025-12-01", place + 1) for place in range(250)]).report.series["lorenz"]
    assert len(curve) == 101


def test_classes_split_exactly_at_the_threshold():
    rows = [row("a", "2025-12-01", 80), row("b", "2025-12-01", 15), row("c", "2025-12-01", 5)]
    assert run(rows).table["value_class"].to_pylist() == ["A", "B", "C"]
    rows = [row("a", "2025-12-01", "79.99"), row("b", "2025-12-01", "15.01"), row("c", "2025-12-01", 5)]
    assert run(rows).table["value_class"].to_pylist() == ["A", "A", "C"]


@pytest.mark.parametrize(("customers", "share", "vips"), [(10, 0.2, 2), (11, 0.2, 3), (3, 0.2, 1), (10, 0.3, 3)])
def test_vips_are_the_top_share_rounded_up(customers, share, vips):
    result = run([row(f"c{place:02}", "2025-12-01", 100 - place) for place in range(customers)], vip_share=share)
    assert result.report.metrics["vip_count"] == sum(result.table["vip"].to_pylist()) == vips


def test_equal_worth_is_ranked_by_customer():
    rows = [row("b", "2025-12-01", 50), row("a", "2025-11-01", 50), row("c", "2025-12-01", 60)]
    assert run(rows).table["customer"].to_pylist() == ["c", "a", "b"]


def test_window_begins_the_day_after_the_same_day_a_year_ago():
    assert run([row("a", "2024-12-31")]).table.num_rows == 0
    assert run([row("a", "2025-01-01")]).table["recency_days"].to_pylist() == [364]
    assert run([row("a", "1999-01-01")], window_days=0).table.num_rows == 1


def test_purchases_of_one_day_are_told_apart_where_they_have_a_number():
    rows = [
        ("a", AS_OF, 10, "p1"),
        ("a", AS_OF, 10, "p1"),
        ("a", AS_OF, 10, "p2"),
        ("a", AS_OF, -5, "r1"),
        ("b", AS_OF, 0, None),
        ("b", AS_OF, 5, None),
    ]
    source = transactions(rows, ("customer", "date", "amount", "purchase"))
    numbered = model_named("value").run(prepare(source), as_of=AS_OF)
    by_day = model_named("value").run(prepare(source.drop("purchase")), as_of=AS_OF)
    assert numbered.table["frequency"].to_pylist() == [2, 1]
    assert by_day.table["frequency"].to_pylist() == [1, 1]


def test_reasons_say_what_was_found():
    rows = [
        row("王美玲", "2025-12-24", "300.10"),
        row("陳大文", "2025-12-24", 40),
        row("李志強", "2025-12-20", 10),
        row("李志強", "2025-12-22", -10),
        row("何嘉欣", "2025-12-22", -3),
    ]
    table = run(rows).table
    assert dict(zip(table["customer"].to_pylist(), table["reason"].to_pylist(), strict=True)) == {
        "王美玲": "Rank 1 of 4 by revenue, with 88.24 % of it. Purchases: 1; the last one on 2025-12-24.",
        "陳大文": "Rank 2 of 4 by revenue, with 11.76 % of it. Purchases: 1; the last one on 2025-12-24.",
        "李志強": "Adds nothing to revenue: returns or costs outweigh what was bought.",
        "何嘉欣": "Only returns in this period, no purchase.",
    }
    assert table["reason_code"].to_pylist() == ["vip", "class_b", "no_net_value", "only_returns"]


def profit_run(rows, **parameters):
    source = transactions(rows, ("customer", "date", "amount", "profit"))
    return model_named("value").run(prepare(source), as_of=AS_OF, parameters=ValueParameters(**parameters))


def test_ranking_by_profit_reverses_a_ranking_by_revenue():
    rows = [("cheap", AS_OF, 1000, 10), ("dear", AS_OF, 100, 60), ("unknown", AS_OF, 500, None)]
    assert profit_run(rows).table["customer"].to_pylist() == ["cheap", "unknown", "dear"]
    by_profit = profit_run(rows, by="profit")
    assert by_profit.table["customer"].to_pylist() == ["dear", "cheap", "unknown"]
    assert by_profit.table["gross_profit"].to_pylist() == [60, 10, None]
    assert by_profit.table["value_class"].to_pylist() == ["A", "B", "C"]
    assert by_profit.report.metrics["gross_profit"] == 70.0
    assert by_profit.report.metrics["share_of_revenue_with_known_profit"] == 0.6875


def test_ranking_by_profit_without_costs_is_refused():
    with pytest.raises(ParameterError, match="needs a profit or a cost column"):
        run([row("a", "2025-12-01")], by="profit")


def test_class_b_below_class_a_is_refused():
    with pytest.raises(ParameterError) as refused:
        ValueParameters(class_a_share=0.9, class_b_share=0.8)
    assert str(refused.value) == "class_b_share is 0.8; it must be at least class_a_share (0.9)."
