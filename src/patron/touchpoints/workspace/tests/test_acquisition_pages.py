"""Look-alikes and the response model, from a small house to their pages."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.insights.analyses import lookalikes, response
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published
from patron.touchpoints.workspace.analyses import lookalikes as lookalikes_page
from patron.touchpoints.workspace.analyses import response as response_page
from patron.touchpoints.workspace.analyses._acquisition_words import band_words, sign_words
from patron.touchpoints.workspace.analyses.contract import AnalysisPage, TablePart
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.tests.desks import desk_in, find, house, run_of, shown_in, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

Shop = tuple[Warehouse, dict[str, Findings]]
PAGES: dict[str, AnalysisPage] = {"lookalikes": lookalikes_page.PAGE, "response": response_page.PAGE}


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """300 customers; 160 members were given the voucher "tea", and mostly the older ones used it."""
    tables = dict(generated(seed=5, size=Size(customers=300, receipts=4000)))
    dice = np.random.default_rng(3)
    vouchers = []
    for number in range(1, 151):
        older = (1950 + (number - 1) % 55) < 1975
        used = bool(dice.random() < (0.7 if older else 0.1))
        vouchers.append({
            "voucher_id": number, "membership_id": number, "definition": "tea", "kind": "amount",
            "status": "used" if used else "issued", "uses": 1, "uses_left": 0 if used else 1,
            "issued_at": datetime(2026, 2, 1, 4, tzinfo=UTC), "valid_from": AS_OF - timedelta(30),
        })  # fmt: skip
    tables["vouchers"] = vouchers
    context = house(tmp_path_factory, tables)
    return context.warehouse, {each.name: find(context, each) for each in (lookalikes.ANALYSIS, response.ANALYSIS)}


def desk(shop: Shop, name: str, query: str = "", branch: int | None = None) -> Desk:
    warehouse, made = shop
    return desk_in(warehouse, run_of(made[name]), query, branch)


def test_marts_have_the_columns_of_their_contract(shop: Shop) -> None:
    for analysis in (lookalikes.ANALYSIS, response.ANALYSIS):
        for mart in analysis.marts:
            assert {each.name for each in mart.columns} <= set(shop[1][analysis.name].tables[mart.name].column_names)
    insights = shop[1]["lookalikes"].insights
    assert insights is not None
    assert tuple(insights.column_names) == INSIGHT_COLUMNS
    assert set(insights["label"].to_pylist()) == {"vip_like", "ordinary"}


def test_members_of_a_segment_are_not_on_its_list(shop: Shop) -> None:
    listed = shop[0].rows("SELECT segment, count(*) FROM lookalikes_customers GROUP BY segment ORDER BY segment")
    members = dict(shop[0].rows("SELECT segment, members FROM lookalikes_segments"))
    bought = len(set(shop[1]["lookalikes"].tables["lookalikes_customers"]["customer_id"].to_pylist()))
    assert {segment for segment, _ in listed} == {"vip", "class_a"}
    assert all(count + members[segment] >= bought for segment, count in listed)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("branch", [None, 2, -1])
def test_every_page_answers_for_every_scope(shop: Shop, name: str, branch: int | None) -> None:
    answer = PAGES[name].build(desk(shop, name, branch=branch))
    assert str(answer.sentence).endswith(".")
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM customers WHERE home_branch_id = 2")}
    for part in tables_of(answer):
        assert all(len(row) == len(part.columns) for row in part.rows)
        shown = shown_in(part)
        assert branch is None or shown <= (own if branch == 2 else set())
        assert part.every is None or len(list(part.every())) >= len(part.rows)


def test_response_learns_that_older_members_used_it(shop: Shop) -> None:
    [test] = shop[1]["response"].tables["response_tests"].to_pylist()
    assert (test["tested"], test["learned"]) == (150, True)
    assert test["auc_low"] > 0.6
    first = shop[1]["response"].tables["response_customers"].to_pylist()[0]
    assert first["reason"].startswith("age: ")
    answer = response_page.PAGE.build(desk(shop, "response"))
    assert "members used “tea”; the best tenth" in str(answer.sentence)


def test_too_few_uses_are_said_and_not_hidden(shop: Shop) -> None:
    shop[0].connection.execute(
        "CREATE OR REPLACE TEMP VIEW response_tests AS SELECT 0 AS position, 'gold' AS definition, 441 AS tested, "
        "6 AS responded, false AS learned, 100 AS responders_needed, NULL AS test_size_needed, NULL::DOUBLE AS auc, "
        "NULL::DOUBLE AS auc_low, NULL::DOUBLE AS auc_high, NULL::DOUBLE AS top_tenth_lift"
    )
    try:
        answer = response_page.PAGE.build(desk(shop, "response"))
    finally:
        shop[0].connection.execute("DROP VIEW response_tests")
        shop[0].connection.register("response_tests", shop[1]["response"].tables["response_tests"])
    assert str(answer.sentence).startswith("6 of 441 members used “gold”: too few to learn who would.")
    assert [part.key for part in answer.parts if isinstance(part, TablePart)] == ["tests"]


def test_a_house_without_vouchers_is_told_to_try_one(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in generated(seed=5, size=Size(40, 100)).items() if "voucher" not in name}
    published(tmp_path / "warehouse", tables)
    context = Context(open_warehouse(tmp_path / "warehouse"), as_of=AS_OF, currency="HKD", changed={})
    context.running = "response"
    with pytest.raises(InputError, match="issue a voucher to some members"):
        response.ANALYSIS.find(context)


def test_reasons_are_told_in_the_readers_words() -> None:
    told = sign_words("first_spend: 303 or more (6.0 × the odds) and sex: not known (1.2 × the odds).")
    assert told == "Spent in the first 30 days: 303 or more (6.0 × the odds); Sex: not known (1.2 × the odds)"
    assert band_words("20 to under 30") == "20 to under 30"
    assert sign_words("Nothing at all.") == "Nothing sets this one apart from the others."


def test_table_types_are_those_of_the_marts(shop: Shop) -> None:
    assert shop[1]["lookalikes"].tables["lookalikes_customers"].schema.field("newer").type == pa.bool_()
