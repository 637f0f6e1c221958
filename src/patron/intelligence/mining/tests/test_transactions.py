"""What is let in, and what becomes of it."""

import datetime as dt
from decimal import Decimal

import duckdb
import ibis
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.testing import purchases, row, transactions
from patron.intelligence.mining.transactions import prepare


def table(select: str):
    connection = duckdb.connect()
    connection.execute(f"create table t as {select}")
    return ibis.duckdb.from_connection(connection).table("t")


def test_rows_without_customer_date_or_amount_are_left_out():
    source = transactions(
        [
            (None, dt.date(2025, 1, 1), 1),
            ("a", None, 1),
            ("a", dt.date(2025, 1, 1), None),
            ("a", dt.date(2025, 1, 2), Decimal("1.5")),
        ]
    )
    days = prepare(source).days
    assert (days.customers.to_pylist(), days.amount.tolist(), days.owner.tolist()) == (["a"], [15000], [0])


def test_floating_amounts_add_up_exactly_and_what_is_no_number_is_left_out():
    source = table(
        "select 1 as customer, date '2025-01-01' as date,"
        " unnest([0.1::double, 0.2, 'nan'::double, 'inf'::double]) as amount"
    )
    days = prepare(source).days
    assert days.amount.tolist() == [3000]
    assert days.purchases.tolist() == [1]


def test_instants_count_for_their_day():
    source = table("select 'a' as customer, timestamp '2025-01-01 23:59:59' as date, 1 as amount")
    assert prepare(source).last_on == dt.date(2025, 1, 1)


def test_days_are_sorted_and_summed_per_customer():
    days = purchases(
        [row("b", "2025-01-02", 5), row("a", "2025-01-03", 7), row("b", "2025-01-01", 1), row("b", "2025-01-02", -2)]
    ).days
    assert days.customers.to_pylist() == ["a", "b"]
    assert days.starts.tolist() == [0, 1, 3]
    assert (days.day - days.day.min()).tolist() == [2, 0, 1]
    assert days.amount.tolist() == [70000, 10000, 30000]
    assert days.per_customer(days.amount).tolist() == [70000, 40000]


def test_cutting_off_later_rows_drops_customers_who_came_later():
    known = purchases([row("a", "2025-01-01"), row("b", "2025-02-01"), row("c", "2025-01-31")]).until(
        dt.date(2025, 1, 31)
    )
    assert known.days.customers.to_pylist() == ["a", "c"]
    assert known.days.starts.tolist() == [0, 1, 2]
    assert known.lines.count().to_pyarrow().as_py() == 2


def test_no_rows_have_no_last_day():
    assert purchases([]).last_on is None


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("select 1 as customer, 2 as amount", "The transactions lack date; there are: customer, amount."),
        ("select 1 as customer, '1.1.' as date, 2 as amount", "date must be a date or a timestamp; it is string."),
        ("select 1 as customer, date '2025-01-01' as date, 'x' as amount", "amount must be a number; it is string."),
        (
            "select 1 as customer, date '2025-01-01' as date, 1 as amount, 'x' as cost",
            "cost must be a number; it is string.",
        ),
    ],
)
def test_table_that_cannot_be_used_is_refused(select, message):
    with pytest.raises(InputError) as refused:
        prepare(table(select))
    assert message in str(refused.value)
