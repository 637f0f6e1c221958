"""Groups of the house's customers: marts that add up, movement, a proof by date, insights; and too little data."""

import json
from pathlib import Path

import pytest

from patron.intelligence.insights.analyses.clusters import ANALYSIS, FEATURES, house_name
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.mining.clustering.portraits import Trait
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


def found_in(root: Path, size: Size, **changed: float) -> tuple[Context, Findings]:
    published(root, generated(seed=3, size=size))
    settings = {"resamples": 2, "k_max": 5, **changed}
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={"clusters": settings})
    context.running = "clusters"
    return context, ANALYSIS.find(context)


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Findings]:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse", Size(customers=260, receipts=5000))


def test_every_mart_has_its_columns(found: tuple[Context, Findings]) -> None:
    for mart in ANALYSIS.marts:
        assert {column.name for column in mart.columns} <= set(found[1].tables[mart.name].column_names), mart.name


def test_groups_add_up_to_the_receipts_of_the_year_and_branches_to_the_house(found: tuple[Context, Findings]) -> None:
    context, findings = found
    [(customers, revenue)] = context.warehouse.rows(
        """
        SELECT count(*), sum(spend) FROM (
            SELECT customer_id, sum(net_amount) AS spend FROM purchases
            WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = 'HKD'
              AND occurred_on > CAST(? AS DATE) - 365 AND occurred_on <= ?
            GROUP BY customer_id HAVING count(*) FILTER (kind = 'sale') > 0)
        """,
        [AS_OF, AS_OF],
    )
    rows = findings.tables["clusters_groups"].to_pylist()
    house = [row for row in rows if row["branch_id"] == 0]
    assert sum(row["customers"] for row in house) == customers
    assert sum(row["revenue"] for row in house) == pytest.approx(float(revenue))
    assert sum(row["revenue_share"] for row in house) == pytest.approx(1)
    assert [row["cluster"] for row in house] == list(range(1, len(house) + 1))
    with_home = [row for row in findings.tables["clusters_customers"].to_pylist() if row["branch_id"] is not None]
    assert sum(row["customers"] for row in rows if row["branch_id"]) == len(with_home)
    assert {row["treatment"] for row in rows} == {row["treatment"] for row in house}


def test_each_customer_is_in_one_group_with_features_by_hand(found: tuple[Context, Findings]) -> None:
    context, findings = found
    rows = findings.tables["clusters_customers"].to_pylist()
    assert len({row["customer_id"] for row in rows}) == len(rows)
    best = rows[0]
    [(visits, last, discount, products)] = context.warehouse.rows(
        """
        SELECT count(DISTINCT occurred_on) FILTER (kind = 'sale'),
               date_diff('day', max(occurred_on) FILTER (kind = 'sale'), CAST(? AS DATE)),
               sum(discount_amount) / sum(net_amount + discount_amount), count(DISTINCT product_id)
        FROM purchase_lines WHERE NOT is_voided AND currency = 'HKD' AND customer_id = ?
          AND occurred_on > CAST(? AS DATE) - 365 AND occurred_on <= ?
        """,
        [AS_OF, best["customer_id"], AS_OF, AS_OF],
    )
    assert (best["visits"], best["recency_days"], best["products"]) == (visits, last, products)
    assert best["discount_share"] == pytest.approx(float(discount))
    assert set(findings.tables["clusters_traits"]["feature"].to_pylist()) <= set(FEATURES)


def test_movement_counts_everybody_of_then_and_now_once(found: tuple[Context, Findings]) -> None:
    moves = found[1].tables["clusters_moves"].to_pylist()
    members = found[1].tables["clusters_customers"]
    assert sum(row["customers"] for row in moves if row["to_cluster"]) == members.num_rows
    newcomers = sum(row["customers"] for row in moves if row["from_cluster"] == 0)
    assert newcomers == members["earlier_cluster"].null_count
    assert not [row for row in moves if not row["from_cluster"] and not row["to_cluster"]]


def test_groups_tell_more_of_the_weeks_after_than_everybodys_average(found: tuple[Context, Findings]) -> None:
    proof = found[1].proof
    assert proof is not None
    assert proof.holds
    assert found[1].metrics["explained_next_13_weeks"] == round(proof.value, 4)
    assert found[1].metrics["proof_from"] == "2025-12-01"


def test_insights_name_the_group_and_its_treatment(found: tuple[Context, Findings]) -> None:
    insights = found[1].insights
    assert insights is not None
    assert insights.column_names == list(INSIGHT_COLUMNS)
    facts = json.loads(insights["facts"][0].as_py())
    assert facts.keys() == {"cluster", "groups", "treatment", "next"}
    names = {row["cluster"]: row["name"] for row in found[1].tables["clusters_groups"].to_pylist()}
    assert insights["label"][0].as_py() == names[facts["cluster"]]


def test_changed_settings_apply(tmp_path: Path) -> None:
    _, findings = found_in(tmp_path / "house", Size(customers=150, receipts=2000), k=3)
    assert findings.metrics["k"] == 3
    assert findings.parameters["k"] == 3


def test_a_short_history_has_no_movement_and_says_so(tmp_path: Path) -> None:
    _, findings = found_in(tmp_path / "house", Size(customers=150, receipts=2000, days=150))
    assert findings.proof is None
    assert findings.tables["clusters_moves"].num_rows == 0
    assert any("Movement and proof need 120 days of purchases" in note for note in findings.notes)


def test_too_few_customers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Groups need 50 customers with a purchase in the last year; there are "):
        found_in(tmp_path / "house", Size(customers=40, receipts=400))


def test_a_group_like_everybody_has_a_name() -> None:
    assert house_name([Trait("visits", 1.0, 1.0, 1.0, 0.1)]) == "Like everybody"
    assert house_name([Trait("visits", 9.0, 3.0, 3.0, 1.6), Trait("basket", 1.0, 2.0, 0.5, -0.7)]) == (
        "Come often, small baskets"
    )
