"""The identity of the inventory, whatever customers do."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.inventory import Flow, flows, stage_lines, stock_lines
from patron.intelligence.mining.stages import STAGES

MONTHS = [dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31), dt.date(2025, 4, 30)]

a_history = st.tuples(
    st.integers(0, len(MONTHS)),
    st.lists(
        st.tuples(st.sampled_from(STAGES), st.integers(-50, 5000).map(Decimal)),
        min_size=len(MONTHS),
        max_size=len(MONTHS),
    ),
    st.sampled_from(["中環", "旺角", None]),
)


def stage_table(rows):
    columns = ("customer", "as_of", "stage", "money_per_year")
    types = (pa.int64(), pa.date32(), pa.string(), pa.decimal128(18, 4))
    return pa.table(
        {
            name: pa.array([row[place] for row in rows], kind)
            for place, (name, kind) in enumerate(zip(columns, types, strict=True))
        }
    )


def tables_of(histories):
    """Customers appear in their month and stay; the home branch is the same for the whole time."""
    rows = [
        (customer, MONTHS[month], *standing[month])
        for customer, (first, standing, _) in enumerate(histories)
        for month in range(first, len(MONTHS))
    ]
    homes = pa.table(
        {
            "customer": pa.array(range(len(histories)), pa.int64()),
            "branch": pa.array([branch for _, _, branch in histories], pa.string()),
        }
    )
    return rows, stage_table(rows), homes


@settings(max_examples=40, deadline=None)
@given(histories=st.lists(a_history, max_size=25))
def test_opening_plus_in_minus_out_is_closing(histories):
    _, stages, homes = tables_of(histories)
    for moves in (flows(stages), flows(stages, branches=homes)):
        for line in stage_lines(moves):
            assert line.opening + line.came - line.left == line.closing
            assert line.opening_money + line.came_money - line.left_money + line.change_money == line.closing_money
        for stock in stock_lines(moves):
            assert stock.opening + stock.new + stock.reactivated - stock.lost == stock.closing
            assert (
                stock.opening_money + stock.new_money + stock.reactivated_money - stock.lost_money + stock.change_money
                == stock.closing_money
            )


@settings(max_examples=30, deadline=None)
@given(histories=st.lists(a_history, max_size=25))
def test_lines_are_what_a_count_of_customers_gives(histories):
    rows, stages, homes = tables_of(histories)
    branch_of = {customer: branch for customer, (_, _, branch) in enumerate(histories)}
    for line in stage_lines(flows(stages, branches=homes)):
        here = [row for row in rows if row[2] == line.stage and branch_of[row[0]] == line.branch]
        closing = [row for row in here if row[1] == line.closed_on]
        opening = [row for row in here if row[1] == line.opened_on]
        assert (line.closing, line.closing_money) == (len(closing), sum(row[3] for row in closing))
        assert (line.opening, line.opening_money) == (len(opening), sum(row[3] for row in opening))


@settings(max_examples=30, deadline=None)
@given(histories=st.lists(a_history, max_size=25))
def test_branches_add_up_to_the_whole(histories):
    _, stages, homes = tables_of(histories)
    whole = {(line.closed_on, line.stage): line.closing for line in stage_lines(flows(stages))}
    split = stage_lines(flows(stages, branches=homes))
    for (closed_on, stage), closing in whole.items():
        assert closing == sum(line.closing for line in split if (line.closed_on, line.stage) == (closed_on, stage))


def test_flows_between_two_months_by_branch():
    stages = stage_table(
        [
            (1, MONTHS[0], "mature", Decimal(900)),
            (2, MONTHS[0], "lost", Decimal(400)),
            (1, MONTHS[1], "declining", Decimal(850)),
            (2, MONTHS[1], "reactivated", Decimal(410)),
            (3, MONTHS[1], "developing", Decimal(70)),
            (4, MONTHS[1], "lost", Decimal(5)),
        ]
    )
    homes = pa.table({"customer": pa.array([1, 2, 3, 4], pa.int64()), "branch": ["中環", "旺角", "旺角", "旺角"]})
    assert flows(stages, branches=homes) == (
        Flow(MONTHS[0], MONTHS[1], "中環", "mature", "declining", 1, Decimal(900), Decimal(850)),
        Flow(MONTHS[0], MONTHS[1], "旺角", "lost", "reactivated", 1, Decimal(400), Decimal(410)),
        Flow(MONTHS[0], MONTHS[1], "旺角", "none", "developing", 1, Decimal(0), Decimal(70)),
        Flow(MONTHS[0], MONTHS[1], "旺角", "none", "lost", 1, Decimal(0), Decimal(5)),
    )
    central, mong_kok = stock_lines(flows(stages, branches=homes))
    assert (central.opening, central.new, central.reactivated, central.lost, central.closing) == (1, 0, 0, 0, 1)
    assert (mong_kok.opening, mong_kok.new, mong_kok.reactivated, mong_kok.lost, mong_kok.closing) == (0, 1, 1, 0, 2)


def test_one_date_alone_has_no_flows():
    assert flows(stage_table([(1, MONTHS[0], "new", Decimal(1))])) == ()
    assert stage_lines(()) == stock_lines(()) == ()


def test_table_without_a_needed_column_is_refused():
    with pytest.raises(InputError, match="stages lacks stage, money_per_year; there are: customer, as_of"):
        flows(pa.table({"customer": [1], "as_of": [MONTHS[0]]}))
