"""The reports, on a few customers whose figures can be worked out by hand."""

import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from patron.core.accounts.models import Branch
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import actor_in, make_branch
from patron.core.customers.models import Customer
from patron.core.customers.testing import APPLEBY, CHAN, LI, OUYANG, WANG, make_customer
from patron.intelligence.insights.refresh import refresh
from patron.intelligence.reports.inventory import (
    CELL_KINDS,
    Cell,
    all_cell_rows,
    cell_rows,
    count_cell,
    inventory,
    periods,
    stages_by_month,
)
from patron.intelligence.reports.scope import Scope, scope_for
from patron.intelligence.reports.vips import all_vip_rows, lorenz_curve, vip_rows, vip_summary
from patron.intelligence.reports.week import this_week
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing import NOON, sell

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = date(2026, 3, 2)
ALL = Scope()
People = dict[str, Customer]


@pytest.fixture
def branches() -> tuple[Branch, Branch]:
    return make_branch("A", "A"), make_branch("B", "B")


@pytest.fixture
def people(branches: tuple[Branch, Branch]) -> People:
    """Five customers, 1,000.00 within a year of Monday 2 March 2026: 500, 300, 150, 40 and 10."""
    a, b = branches
    homes = {"chan": (CHAN, a), "wang": (WANG, a), "li": (LI, b), "appleby": (APPLEBY, b), "ouyang": (OUYANG, b)}
    found = {name: make_customer(character, branch=branch) for name, (character, branch) in homes.items()}
    sell(found["chan"], "200.00", days_ago=10, branch=a)
    sell(found["chan"], "300.00", days_ago=1, branch=a)
    sell(found["wang"], "300.00", days_ago=40, branch=b)
    sell(found["li"], "150.00", days_ago=5, branch=b)
    sell(found["appleby"], "50.00", days_ago=3, branch=b)
    sell(found["appleby"], "-10.00", days_ago=3, branch=b, kind="return")
    sell(found["ouyang"], "10.00", days_ago=1, branch=b)
    return found


@pytest.fixture
def warehouse(house: Path, people: People) -> Warehouse:
    refresh(now=NOON)
    return open_warehouse(house)


def test_vips_are_the_best_fifth_and_the_answer_says_what_they_bring(warehouse: Warehouse, people: People) -> None:
    summary = vip_summary(warehouse, ALL, "revenue")

    assert summary is not None
    assert (summary.customers, summary.money) == (5, Decimal("1000.00"))
    assert summary.top_customers == 1
    assert summary.top_share == pytest.approx(0.5)
    assert (summary.customers_for_80, summary.customers_for_80_share) == (2, 0.4)
    assert (summary.vips, summary.vip_money) == (1, Decimal("500.00"))
    assert [row.customer_id for row in vip_rows(warehouse, ALL, "revenue", "vips").rows] == [people["chan"].pk]


def test_movement_compares_with_the_end_of_last_month(warehouse: Warehouse, people: People) -> None:
    """At the end of February Wang led with 300.00; Chan's 300.00 came on 1 March."""
    entered = vip_rows(warehouse, ALL, "revenue", "entered").rows
    left = vip_rows(warehouse, ALL, "revenue", "left").rows

    assert [row.customer_id for row in entered] == [people["chan"].pk]
    assert [row.customer_id for row in left] == [people["wang"].pk]


def test_list_goes_page_by_page_without_missing_anybody(warehouse: Warehouse, people: People) -> None:
    first = vip_rows(warehouse, ALL, "revenue", "class_a", limit=1)
    second = vip_rows(warehouse, ALL, "revenue", "class_a", after=first.next_after or "", limit=1)

    assert [row.customer_id for row in (*first.rows, *second.rows)] == [people["chan"].pk, people["wang"].pk]
    assert second.next_after is None
    everyone = [row.customer_id for rows in all_vip_rows(warehouse, ALL, "revenue", "class_a") for row in rows]
    assert everyone == [people["chan"].pk, people["wang"].pk]


def test_list_refuses_a_place_that_no_page_gave(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        vip_rows(warehouse, ALL, "revenue", "vips", after="'; DROP TABLE x")


def test_lorenz_curve_starts_at_nothing_and_ends_at_all(warehouse: Warehouse) -> None:
    curve = lorenz_curve(warehouse, ALL, "revenue")

    assert len(curve) == 101
    assert [curve[0].customers, curve[0].money] == pytest.approx([0, 0])
    assert [curve[20].customers, curve[20].money] == pytest.approx([0.2, 0.5])
    assert [curve[-1].customers, curve[-1].money] == pytest.approx([1, 1])
    assert all(later.money >= earlier.money for earlier, later in itertools.pairwise(curve))


def test_a_branch_is_its_own_customers(warehouse: Warehouse, branches: tuple[Branch, Branch]) -> None:
    summary = vip_summary(warehouse, Scope(branches[1].pk), "revenue")

    assert summary is not None
    assert (summary.customers, summary.money, summary.customers_for_80) == (3, Decimal("200.00"), 2)


def test_this_week_compares_the_running_week_with_the_same_days_before(warehouse: Warehouse) -> None:
    """Nothing came in on Monday 2 March itself, so the week from 23 February is the latest, and it is whole."""
    week = this_week(warehouse, ALL, AS_OF)

    assert (week.week_start, week.is_running) == (date(2026, 2, 23), False)
    assert week.sales == Decimal("500.00")  # 300 + 150 + 50 − 10 + 10
    assert week.sales_change == Decimal("500.00") / Decimal("200.00") - 1
    assert (week.vips, week.entered, week.left) == (1, 1, 1)
    assert [w.start for w in week.weeks] == sorted(w.start for w in week.weeks)


def test_inventory_adds_up_and_every_cell_opens_its_customers(warehouse: Warehouse) -> None:
    closed = periods(warehouse)

    assert closed[0] == AS_OF
    for day in closed:
        found = inventory(warehouse, ALL, day)
        if found is None:
            continue
        stock = found.stock
        assert stock.opening + stock.new + stock.reactivated - stock.lost == stock.closing
        for line in found.stages:
            assert line.opening + line.came - line.left == line.closing
            for kind, number in (
                ("opening", line.opening), ("came", line.came), ("left", line.left), ("closing", line.closing),
            ):  # fmt: skip
                cell = Cell(day, kind, line.stage)  # type: ignore[arg-type]
                assert sum(len(rows) for rows in all_cell_rows(warehouse, ALL, cell)) == number
                assert count_cell(warehouse, ALL, cell)[0] == number
        for flow in found.flows:
            cell = Cell(day, "flow", flow.from_stage, flow.to_stage)
            assert len(cell_rows(warehouse, ALL, cell).rows) == flow.customers


def test_stock_cells_hold_the_customers_they_count(warehouse: Warehouse, people: People) -> None:
    found = inventory(warehouse, ALL, AS_OF)

    assert found is not None
    assert found.stock.closing == 5
    stock = cell_rows(warehouse, ALL, Cell(AS_OF, "stock"))
    assert {row.customer_id for row in stock.rows} == {customer.pk for customer in people.values()}
    assert [row.money for row in stock.rows] == sorted((row.money for row in stock.rows), reverse=True)
    new = {row.customer_id for row in cell_rows(warehouse, ALL, Cell(AS_OF, "new")).rows}
    assert new == {people["ouyang"].pk}, "the only one whose first purchase was in March"


def test_cells_go_page_by_page_without_missing_anybody(warehouse: Warehouse) -> None:
    cell, seen, after = Cell(AS_OF, "stock"), [], ""
    while True:
        page = cell_rows(warehouse, ALL, cell, after=after, limit=2)
        seen += [row.customer_id for row in page.rows]
        if page.next_after is None:
            break
        after = page.next_after

    assert len(seen) == len(set(seen)) == 5


def test_every_kind_of_cell_can_be_asked_for(warehouse: Warehouse) -> None:
    for kind in CELL_KINDS:
        assert count_cell(warehouse, ALL, Cell(AS_OF, kind, "mature", "declining"))[0] >= 0


def test_stages_by_month_count_everyone_known_by_then(warehouse: Warehouse) -> None:
    months = stages_by_month(warehouse, ALL)

    assert sum(months[-1].customers.values()) == 5
    assert months[-1].closed_on == AS_OF


def test_scope_is_what_the_actor_may_see(branches: tuple[Branch, Branch]) -> None:
    a, b = branches
    manager = actor_in(Role.BRANCH_MANAGER, branches=[a])

    assert scope_for(actor_in(Role.EXECUTIVE), None) == Scope(None)
    assert scope_for(actor_in(Role.EXECUTIVE), b.pk) == Scope(b.pk)
    assert scope_for(manager, b.pk) == Scope(a.pk)
    assert scope_for(actor_in(Role.BRANCH_MANAGER, branches=[]), a.pk) == Scope(-1)
