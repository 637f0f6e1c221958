"""The pages of baskets and sequences: the answer on top, who lacks the other half, who is due, by branch."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from patron.intelligence.insights.analyses import baskets, sequences
from patron.intelligence.warehouse.reader import Warehouse
from patron.touchpoints.workspace.analyses import baskets as baskets_page
from patron.touchpoints.workspace.analyses import sequences as sequences_page
from patron.touchpoints.workspace.analyses.contract import Answer, TablePart, Who
from patron.touchpoints.workspace.analyses.desk import Desk, Run
from patron.touchpoints.workspace.tests.desks import charts_of, desk_in, find, house, run_of, table_of, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

AS_OF = date(2026, 3, 1)
PAGES = {"baskets": baskets_page.PAGE, "sequences": sequences_page.PAGE}
PRODUCTS = ("tea", "scones", "jam", "soap")


def sales() -> dict[str, list[dict[str, object]]]:
    """80 customers of two branches for 40 weeks: scones go with jam, and tea is followed by soap a week later.

    Customers 1 to 10 buy scones and never jam.
    """
    dice = np.random.default_rng(5)
    purchases: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for customer in range(1, 81):
        soap_on = None
        for week in range(40):
            day = AS_OF - timedelta(days=7 * (39 - week))
            held = {"tea"} if dice.random() < 0.25 else set()
            if dice.random() < 0.3:
                held |= {"scones"} | ({"jam"} if customer > 10 and dice.random() < 0.8 else set())
            if soap_on == week or dice.random() < 0.05:
                held.add("soap")
            soap_on = week + 1 if "tea" in held and dice.random() < 0.6 else None
            if customer > 10 and dice.random() < 0.3:
                held.add("jam")
            number = len(purchases) + 1
            receipt = {
                "purchase_id": number, "customer_id": customer, "branch_id": 1 + customer % 2, "kind": "sale",
                "is_voided": False, "occurred_on": day, "currency": "HKD",
            }  # fmt: skip
            purchases.append({**receipt, "net_amount": Decimal(10 * len(held))})
            lines += [
                {**receipt, "line_no": place, "product_id": PRODUCTS.index(name) + 1, "quantity": Decimal(1),
                 "net_amount": Decimal(10), "discount_amount": Decimal(0)}
                for place, name in enumerate(sorted(held), start=1)
            ]  # fmt: skip
    return {
        "branches": [{"branch_id": each, "code": str(each), "name": f"Shop {each}"} for each in (1, 2)],
        "products": [
            {"product_id": place, "code": name, "name": name, "category_1": "Food", "category_2": name,
             "category_3": None}
            for place, name in enumerate(PRODUCTS, start=1)
        ],
        "customers": [
            {"customer_id": each, "number": f"C{each}", "home_branch_id": 1 + each % 2} for each in range(1, 81)
        ],
        "purchases": purchases,
        "purchase_lines": lines,
    }  # fmt: skip


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, dict[str, Run]]:
    context, runs = house(tmp_path_factory, sales(), as_of=AS_OF), {}
    for analysis in (baskets.ANALYSIS, sequences.ANALYSIS):
        findings = find(context, analysis)
        columns = {mart.name: [column.name for column in mart.columns] for mart in analysis.marts}
        assert {name: sorted(table.column_names) for name, table in findings.tables.items()} == {
            name: sorted(names) for name, names in columns.items()
        }
        runs[analysis.name] = run_of(findings, as_of=AS_OF)
    return context.warehouse, runs


def desk_of(shop: tuple[Warehouse, dict[str, Run]], name: str, query: str = "", branch: int | None = None) -> Desk:
    warehouse, runs = shop
    desk = desk_in(warehouse, runs[name], query, branch)
    PAGES[name].build(desk)
    return desk


def asked(shop: tuple[Warehouse, dict[str, Run]], name: str, query: str = "", branch: int | None = None) -> Answer:
    return PAGES[name].build(desk_of(shop, name, query, branch))


def people(part: TablePart) -> set[int]:
    assert part.every is not None
    return {cell.customer_id for row in part.every() for cell in row if isinstance(cell, Who)}


def test_baskets_say_what_goes_together_and_who_lacks_the_other_half(shop):
    answer = asked(shop, "baskets")
    rule = table_of(answer, "rules").rows[0]
    assert [str(getattr(cell, "text", cell)) for cell in rule[:2]] == ["scones", "jam"]
    assert str(answer.sentence).startswith("Who buys scones also buys jam in ")
    assert str(answer.sentence).endswith("10 customers buy scones and never jam: offer it to them.")
    charts = [part.chart for part in charts_of(answer)]
    assert len(charts) == 2
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)


def test_who_buys_scones_and_never_jam_are_the_ten(shop):
    warehouse, _ = shop
    [(missing, buyers)] = warehouse.rows(
        "SELECT missing, buyers FROM baskets_rules WHERE level = 'category' AND part = 'all' "
        "AND first_item = 'scones' AND consequent = 'jam'"
    )
    assert (missing, buyers) == (10, 80)
    assert people(table_of(asked(shop, "baskets"), "customers")) == set(range(1, 11))
    assert people(table_of(asked(shop, "baskets", "of=all:", branch=2), "customers")) == {1, 3, 5, 7, 9}
    # A branch finds its own baskets chosen.
    assert "branch:2" in [control.value for control in desk_of(shop, "baskets", branch=2).controls]


def test_every_part_of_the_baskets_can_be_chosen(shop):
    warehouse, _ = shop
    parts = {f"{part}:{key}" for part, key in warehouse.rows("SELECT DISTINCT part, key FROM baskets_parts")}
    assert {"all:", "branch:1", "branch:2"} < parts
    assert sum(part.startswith("season:") for part in parts) >= 3
    for part in parts | {"nonsense"}:
        for order in ("lift", "leverage", "missing", "nonsense"):
            answer = asked(shop, "baskets", f"of={part}&order={order}")
            assert str(answer.sentence)
            for each in tables_of(answer):
                assert all(len(row) == len(each.columns) for row in each.rows)


def test_sequences_say_what_follows_how_soon_and_who_is_due(shop):
    answer = asked(shop, "sequences", "days=7")
    assert str(answer.sentence).startswith("After tea, ")
    assert "buy soap within 7 days (usually 7 days later)" in str(answer.sentence)
    row = table_of(answer, "rules").rows[0]
    assert row[4] > 1.5
    assert row[5] > 1.5  # also beside the same customers' other visits
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)
    warehouse, _ = shop
    [(due,)] = warehouse.rows(
        "SELECT due FROM sequences_rules WHERE level = 'category' AND days = 7 AND first_item = 'tea' "
        "AND then_item = 'soap'"
    )
    expected = {
        row[0]
        for row in warehouse.rows(
            "SELECT customer_id FROM purchase_lines WHERE occurred_on > ? AND product_id = 1", [AS_OF - timedelta(7)]
        )
    }
    assert due == len(expected)
    assert people(table_of(answer, "due")) == expected
    own = people(table_of(asked(shop, "sequences", "days=7", branch=2), "due"))
    assert own == {each for each in expected if each % 2}


def test_every_choice_of_the_sequences_gives_a_page(shop):
    for days in ("7", "14", "30", "9"):
        for order in ("lift", "confidence", "own_lift", "due", "nonsense"):
            answer = asked(shop, "sequences", f"days={days}&order={order}")
            for each in tables_of(answer):
                assert all(len(row) == len(each.columns) for row in each.rows)
