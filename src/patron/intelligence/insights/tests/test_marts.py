"""The marts, on a few customers whose figures can be worked out by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from patron.business.loyalty.models import Membership, Programme
from patron.core.accounts.testing import make_branch
from patron.core.catalog.testing import make_product
from patron.core.customers.models import Customer
from patron.core.customers.testing import APPLEBY, CHAN, LI, OUYANG, WANG, make_customer
from patron.intelligence.insights.dictionary import MARTS
from patron.intelligence.insights.marts.months import month_marts_sql, slices_of
from patron.intelligence.insights.mine import month_ends
from patron.intelligence.insights.refresh import refresh
from patron.intelligence.mining.inventory import Flow, stock_lines
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing import NOON, Line, sell, void

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = date(2026, 3, 2)


@pytest.fixture
def cast() -> dict[str, Customer]:
    """Two customers of branch A, three of branch B; 1,000.00 in the window. It is Monday 2 March 2026."""
    a, b = make_branch("A", "A"), make_branch("B", "B")
    homes = {"chan": (CHAN, a), "wang": (WANG, a), "li": (LI, b), "appleby": (APPLEBY, b), "ouyang": (OUYANG, b)}
    people = {name: make_customer(character, branch=branch) for name, (character, branch) in homes.items()}
    sell(people["chan"], "200.00", days_ago=10, branch=a)
    sell(people["chan"], "250.00", "50.00", days_ago=1, branch=a)
    sell(people["wang"], "300.00", days_ago=20, branch=b)
    sell(people["li"], "150.00", days_ago=5, branch=b)
    sell(people["li"], "70.00", days_ago=5 + 364, branch=b)
    sell(people["appleby"], "50.00", days_ago=3, branch=b)
    sell(people["appleby"], "-10.00", days_ago=3, branch=b, kind="return")
    sell(people["ouyang"], "10.00", days_ago=1)
    sell(None, "33.00", days_ago=1, branch=a)
    void(sell(people["ouyang"], "9999.00", days_ago=1))
    sell(people["ouyang"], "8888.00", days_ago=1, currency="USD")
    return people


def refreshed(house: Path) -> Warehouse:
    refresh(now=NOON)
    return open_warehouse(house)


def by_customer(warehouse: Warehouse, columns: str, mart: str = "customer_value") -> dict[int, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in warehouse.rows(f"SELECT customer_id, {columns} FROM {mart}")}


def test_every_mart_has_the_columns_it_declares(house: Path, cast: dict[str, Customer]) -> None:
    warehouse = refreshed(house)
    for mart in MARTS:
        described = warehouse.rows(f"DESCRIBE {mart.name}")
        kinds = [(column.name, column.sql_type) for column in mart.columns]
        assert [(name, kind) for name, kind, *_ in described] == kinds


def test_value_of_each_customer_and_who_came_and_went(house: Path, cast: dict[str, Customer]) -> None:
    found = by_customer(
        refreshed(house), "rank, value_class, vip, monetary, frequency, previous_class, previous_vip, movement"
    )
    assert found == {
        cast["chan"].pk: (1, "A", True, Decimal("500.00"), 2, "A", False, "entered"),
        cast["wang"].pk: (2, "A", False, Decimal("300.00"), 1, "A", True, "left"),
        cast["li"].pk: (3, "B", False, Decimal("150.00"), 1, "A", False, ""),
        cast["appleby"].pk: (4, "C", False, Decimal("40.00"), 1, "B", False, ""),
        cast["ouyang"].pk: (5, "C", False, Decimal("10.00"), 1, None, False, ""),
    }


def test_who_left_the_window_is_kept_with_what_they_were(house: Path, cast: dict[str, Customer]) -> None:
    gone = make_customer(CHAN, branch=make_branch("A"))
    sell(gone, "9000.00", days_ago=366)  # inside the window of 28 February, outside that of today
    assert by_customer(refreshed(house), "rank, vip, monetary, previous_class, previous_vip, movement")[gone.pk] == (
        None, False, None, "A", True, "left",
    )  # fmt: skip


def test_the_summary_answers_for_all_and_for_each_branch(house: Path, cast: dict[str, Customer]) -> None:
    rows = refreshed(house).dicts("SELECT * FROM vip_summary WHERE measure = 'revenue'")
    found = {row["branch_id"]: row for row in rows}
    whole = found[0]
    assert (whole["customers"], whole["money"]) == (5, Decimal("1000.00"))
    assert (whole["vip_customers"], whole["vip_money"], whole["vip_share"]) == (1, Decimal("500.00"), 0.5)
    assert (whole["class_a_customers"], whole["class_a_money"]) == (2, Decimal("800.00"))
    assert (whole["class_b_customers"], whole["class_b_money"]) == (1, Decimal("150.00"))
    assert (whole["class_c_customers"], whole["class_c_money"]) == (2, Decimal("50.00"))
    assert (whole["top_customers"], whole["top_share"], whole["customers_for_80"]) == (1, 0.5, 2)
    assert (whole["stayed"], whole["entered"], whole["left_count"]) == (0, 1, 1)
    a = found[make_branch("A").pk]
    assert (a["customers"], a["money"], a["top_customers"], a["top_share"]) == (2, Decimal("800.00"), 1, 0.625)
    assert (a["customers_for_80"], a["vip_customers"]) == (2, 1)
    b = found[make_branch("B").pk]
    assert (b["customers"], b["vip_customers"], b["top_share"]) == (3, 0, 0.75)


def test_the_lorenz_curve_runs_from_the_smallest_up(house: Path, cast: dict[str, Customer]) -> None:
    points = refreshed(house).rows(
        "SELECT position, customer_share, money_share FROM lorenz WHERE branch_id = 0 AND measure = 'revenue' "
        "AND position % 20 = 0 ORDER BY position"
    )
    assert points == [(0, 0.0, 0.0), (20, 0.2, 0.01), (40, 0.4, 0.05), (60, 0.6, 0.2), (80, 0.8, 0.5), (100, 1.0, 1.0)]


def test_profit_is_what_is_known_of_it(house: Path) -> None:
    milk, plain = make_product("MILK", cost="4.00"), make_product("PLAIN", cost=None)
    chan, wang = make_customer(CHAN), make_customer(WANG)
    sell(chan, Line("100.00", plain, cost="90.00"), Line("20.00", milk, quantity="2"), Line("7.00", plain))
    sell(wang, Line("60.00", milk, quantity="1.5"))
    sell(wang, Line("-10.00", milk, quantity="-1"), kind="return")

    found = by_customer(
        refreshed(house), "monetary, gross_profit, covered_revenue, frequency, rank, profit_rank, profit_vip"
    )

    assert found == {
        chan.pk: (Decimal("127.00"), Decimal("22.00"), Decimal("120.00"), 1, 1, 2, False),
        wang.pk: (Decimal("50.00"), Decimal("48.00"), Decimal("50.00"), 1, 2, 1, True),
    }


def test_without_any_cost_there_is_no_profit(house: Path, cast: dict[str, Customer]) -> None:
    warehouse = refreshed(house)
    assert warehouse.rows("SELECT count(gross_profit), count(profit_rank) FROM customer_value") == [(0, 0)]
    assert warehouse.rows("SELECT DISTINCT measure FROM lorenz") == [("revenue",)]


def test_weeks_stand_beside_last_years(house: Path, cast: dict[str, Customer]) -> None:
    programme = Programme.objects.create(code="main", name="Main", currency="HKD")
    for name, joined_on in (("chan", date(2025, 1, 1)), ("ouyang", date(2026, 3, 2))):
        Membership.objects.create(programme=programme, customer=cast[name], joined_on=joined_on)

    rows = refreshed(house).dicts("SELECT * FROM weekly_sales WHERE branch_id = 0 ORDER BY week_start")

    assert [(row["week_start"], row["sales"]) for row in rows] == [
        (date(2025, 2, 24), Decimal("70.00")),
        (date(2026, 2, 9), Decimal("300.00")),
        (date(2026, 2, 16), Decimal("200.00")),
        (date(2026, 2, 23), Decimal("533.00")),
    ]
    last = rows[-1]
    assert (last["purchases"], last["returns"], last["customers"]) == (5, 1, 4)
    assert (last["active_members"], last["member_sales"]) == (1, Decimal("300.00"))
    assert (last["last_year_sales"], last["last_year_purchases"]) == (Decimal("70.00"), 1)
    assert rows[0]["last_year_sales"] is None


def test_a_running_week_is_compared_up_to_yesterdays_weekday(house: Path) -> None:
    customer = make_customer()
    for days_ago in (0, 1, 2, 7, 8, 9):
        sell(customer, "1.00", days_ago=days_ago - 3)  # it will be Thursday 5 March
    refresh(now=NOON.replace(day=5))
    rows = open_warehouse(house).rows(
        "SELECT week_start, sales, sales_to_date FROM weekly_sales WHERE branch_id = 0 ORDER BY week_start"
    )
    assert rows == [
        (date(2026, 2, 23), Decimal("3.00"), Decimal("2.00")),  # Tuesday, Wednesday; Thursday does not count
        (date(2026, 3, 2), Decimal("3.00"), Decimal("2.00")),
    ]


def test_days_are_summed_by_branch_and_for_all(house: Path, cast: dict[str, Customer]) -> None:
    rows = refreshed(house).rows("SELECT branch_id, sales, purchases FROM daily_sales WHERE date = DATE '2026-03-01'")
    assert sorted(rows, key=str) == sorted(
        [
            (0, Decimal("343.00"), 3),
            (make_branch("A").pk, Decimal("333.00"), 2),
            (None, Decimal("10.00"), 1),
        ],
        key=str,
    )


def test_the_inventory_adds_up_from_month_to_month(house: Path) -> None:
    customers = [make_customer(CHAN, branch=make_branch("AB"[n % 2], "AB"[n % 2])) for n in range(12)]
    for n, customer in enumerate(customers):
        for visit in range(3 + n):
            sell(customer, f"{10 + n}.00", days_ago=20 * n + visit * (7 + n))
    warehouse = refreshed(house)

    moves = [
        Flow(*row)
        for row in warehouse.rows(
            "SELECT opened_on, closed_on, branch_id::VARCHAR, from_stage, to_stage, customers, money_before, "
            "money_after FROM inventory_cells"
        )
    ]

    lines = stock_lines(moves)
    assert len({line.closed_on for line in lines}) == 13
    for line in lines:
        assert line.opening + line.new + line.reactivated - line.lost == line.closing
    for earlier in lines:
        for later in lines:
            if later.opened_on == earlier.closed_on and later.branch == earlier.branch:
                assert (earlier.closing, earlier.closing_money) == (later.opening, later.opening_money)
    today = warehouse.rows(f"SELECT customer_id, to_stage FROM inventory_flows WHERE closed_on = DATE '{AS_OF}'")
    assert sorted(today) == sorted(warehouse.rows("SELECT customer_id, stage FROM customer_stage"))
    assert len({stage for _, stage in today}) >= 3


def test_the_flows_count_up_to_the_cells(house: Path, cast: dict[str, Customer]) -> None:
    assert refreshed(house).rows(
        "SELECT closed_on, branch_id, from_stage, to_stage, count(*), sum(money_after) FROM inventory_flows "
        "GROUP BY ALL EXCEPT "
        "SELECT closed_on, branch_id, from_stage, to_stage, customers, money_after FROM inventory_cells"
    ) == []  # fmt: skip


def test_without_any_purchase_every_mart_is_there_and_empty(house: Path) -> None:
    make_customer()
    warehouse = refreshed(house)
    # Of everybody on file; of what happened besides purchases.
    of_all = {"customer_attributes", "customer_reach", "reach", "activity_months"}
    filled = {mart.name for mart in MARTS if warehouse.rows(f"SELECT count(*) FROM {mart.name}")[0][0]}
    assert filled <= of_all
    assert warehouse.rows("SELECT visits_365d, spend_365d, days_since_last FROM customer_attributes") == [(0, 0, None)]


def test_month_ends_are_whole_months_then_today() -> None:
    ends = month_ends(date(2026, 3, 2), months=3)
    assert ends == [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 2)]
    assert month_ends(date(2026, 2, 28), months=1) == [date(2026, 1, 31), date(2026, 2, 28)]


def test_many_lines_are_counted_some_months_at_a_time() -> None:
    lines = {(2026, 1): 1_500_000, (2026, 2): 400_000, (2025, 12): 900_000, (2026, 4): 3_000_000, (2026, 5): 1}
    counted = {date(year, month, 1): number for (year, month), number in lines.items()}
    assert slices_of(counted) == [
        (date(2025, 12, 1), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2026, 3, 1)),
        (date(2026, 4, 1), date(2026, 5, 1)),
        (date(2026, 5, 1), date(2026, 6, 1)),
    ]
    assert slices_of({}) == []


def test_the_slices_of_months_together_are_the_whole(house: Path, cast: dict[str, Customer]) -> None:
    refresh(now=NOON)
    warehouse = open_warehouse(house)
    of_each = {date(2025, 2, 1): 2_000_000, date(2025, 3, 1): 1, date(2026, 2, 1): 2_000_000, date(2026, 3, 1): 2}
    queries = month_marts_sql("HKD", AS_OF, with_cost=False, lines=of_each)["category_months"]
    columns = "month, category, coalesce(branch_id, -1), sales::DECIMAL(18,2), receipts, customers"
    apart = sorted(row for query in queries for row in warehouse.rows(f"SELECT {columns} FROM ({query})"))
    assert len(queries) == 4
    assert apart == sorted(warehouse.rows(f"SELECT {columns} FROM category_months"))
