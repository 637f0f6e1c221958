"""The pages of next products, next visits and the up-sell ladder: the answer on top, lists and files, one branch."""

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses import next_date, next_product, upsell
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Analysis, Findings
from patron.intelligence.warehouse.reader import Warehouse
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses import next_date as date_page
from patron.touchpoints.workspace.analyses import next_product as product_page
from patron.touchpoints.workspace.analyses import upsell as upsell_page
from patron.touchpoints.workspace.analyses.contract import AnalysisPage
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.tests.desks import desk_in, find, house, run_of, shown_in, table_of, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

CASES: dict[str, tuple[Analysis, AnalysisPage, dict[str, int | float | str | bool]]] = {
    "next_product": (next_product.ANALYSIS, product_page.PAGE, {"min_customers": 2}),
    "next_date": (next_date.ANALYSIS, date_page.PAGE, {}),
    "upsell": (upsell.ANALYSIS, upsell_page.PAGE, {"min_purchases": 1, "min_products": 3, "max_step": 100.0}),
}
Shop = tuple[Warehouse, dict[str, Findings]]


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    tables = generated(seed=5, size=Size(customers=150, receipts=3000, products=32))
    context = house(tmp_path_factory, tables, changed={name: case[2] for name, case in CASES.items()})
    return context.warehouse, {name: find(context, case[0]) for name, case in CASES.items()}


def desk(shop: Shop, name: str, query: str = "", branch: int | None = None) -> Desk:
    warehouse, made = shop
    return desk_in(warehouse, run_of(made[name]), query, branch)


@pytest.mark.parametrize("name", CASES)
def test_marts_have_the_columns_of_their_contract_and_insights_one_row_a_customer(shop: Shop, name: str) -> None:
    found, analysis = shop[1][name], CASES[name][0]
    for mart in analysis.marts:
        assert {column.name for column in mart.columns} <= set(found.tables[mart.name].column_names)
    assert found.insights is not None
    assert tuple(found.insights.column_names) == INSIGHT_COLUMNS
    customers = found.insights["customer_id"].to_pylist()
    assert len(set(customers)) == len(customers) > 50
    assert all(found.insights["reason"].to_pylist())


@pytest.mark.parametrize(
    ("name", "first_words"),
    [
        ("next_product", "Offer each of "),
        ("next_date", "%s customers should come again by"),
        ("upsell", "%s customers are ready for a better product"),
    ],
)
def test_the_first_sentence_is_the_answer(shop: Shop, name: str, first_words: str) -> None:
    answer = CASES[name][1].build(desk(shop, name))
    number = str(answer.sentence).split(" ")[0]
    assert str(answer.sentence).startswith(first_words.replace("%s", number))
    assert answer.tiles
    assert answer.explanation
    for part in tables_of(answer):
        assert all(len(row) == len(part.columns) for row in part.rows)


@pytest.mark.parametrize("name", CASES)
def test_a_branch_sees_its_own_customers(shop: Shop, name: str) -> None:
    answer = CASES[name][1].build(desk(shop, name, "list=all", branch=2))
    table = table_of(answer, "customers")
    shown = shown_in(table)
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM customers WHERE home_branch_id = 2")}
    assert shown
    assert shown <= own
    assert table.every is not None
    assert len(list(table.every())) >= len(table.rows)


@pytest.mark.parametrize("name", CASES)
def test_a_branch_without_customers_says_so(shop: Shop, name: str) -> None:
    answer = CASES[name][1].build(desk(shop, name, branch=-1))
    assert answer.parts == ()
    assert str(answer.sentence).endswith(".")


def test_choosing_a_product_lists_those_who_have_it_among_their_offers(shop: Shop) -> None:
    [(product,)] = shop[0].rows(
        "SELECT product FROM next_products WHERE list = 'any' GROUP BY product ORDER BY count(*) DESC, product LIMIT 1"
    )
    query = QueryDict(mutable=True)
    query.update({"list": "any", "product": product})
    answer = product_page.PAGE.build(desk(shop, "next_product", query.urlencode()))
    table = table_of(answer, "customers")
    assert {row[1] for row in table.rows} == {product}


def test_expected_visits_of_all_branches_are_those_of_each(shop: Shop) -> None:
    rows = shop[0].rows(
        "SELECT (SELECT sum(expected) FROM next_visit_days WHERE branch_id = 0), "
        "(SELECT sum(expected) FROM next_visit_days WHERE branch_id > 0)"
    )
    total, branches = rows[0]
    assert 0 < branches <= total
