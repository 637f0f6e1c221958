"""The worked numbers of the pages on groups and on the value profile are what the code gives."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.clustering.profit_table import SegmentSums, segment_profit_table
from patron.intelligence.mining.models import clusters, lrfmc, value_profile
from patron.intelligence.mining.profiles.concentration import whale_curve
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.testing import transactions
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, as_written, assert_as_documented, table
from patron.intelligence.mining.transactions import prepare

AS_OF = dt.date(2025, 12, 31)


@pytest.fixture(scope="module", name="groups")
def _groups():
    rows = table("clusters.md", "clusters input")
    numbers = {name: pa.array([float(row[name]) for row in rows]) for name in list(rows[0])[1:]}
    data = pa.table({"customer": [row["customer"] for row in rows], **numbers})
    return clusters.MODEL.run(
        Rows.of(data, features=("visits", "basket")),
        as_of=AS_OF,
        parameters=clusters.ClusterParameters(k=3, winsorise=0.0, log="none"),
    )


def test_groups_result(groups):
    assert_as_documented(groups.table.to_pylist(), table("clusters.md", "clusters result"))


def test_groups_profit_table(groups):
    documented = table("clusters.md", "clusters groups")
    metrics = groups.report.metrics
    computed = [
        {name: row["cluster"] if name == "cluster" else metrics[f"cluster_{row['cluster']}_{name}"] for name in row}
        for row in documented
    ]
    assert_as_documented(computed, documented)


def test_published_groups():
    documented = table("clusters.md", "published groups")
    sums = [
        SegmentSums(
            int(row["cluster"]),
            customers=float(row["customers %"]),
            revenue=float(row["revenue %"]),
            units=float(row["customers %"]) * float(row["product index"]),
            tenure_months=float(row["tenure"]),
        )
        for row in documented
    ]
    for row, computed in zip(documented, segment_profit_table(sums), strict=True):
        assert as_written(computed.leverage, row["leverage"]) == row["leverage"]
        assert computed.treatment == row["treatment"]


def test_profile_result():
    rows = table("value_profile.md", "profile input")
    pairs = [(row["group"], float(value)) for row in rows for value in row["values"].split()]
    data = pa.table({"value": [value for _, value in pairs], "question": [group for group, _ in pairs]})
    result = value_profile.MODEL.run(
        Rows.of(data, groups=("question",)),
        as_of=AS_OF,
        parameters=value_profile.ValueProfileParameters(fewest=5, trim=0.1),
    )
    assert_as_documented(result.table.to_pylist(), table("value_profile.md", "profile result"))


def test_lrfmc_result():
    rows = [
        (row["customer"], dt.date.fromisoformat(row["day"]), row["amount"], row["discount"])
        for row in table("value_profile.md", "lrfmc input")
    ]
    source = transactions(
        [(who, day, pa.scalar(amount).cast(pa.decimal128(12, 2)).as_py(), off) for who, day, amount, off in rows],
        ("customer", "date", "amount", "purchase"),
    )
    source = source.mutate(discount=source.purchase.cast("decimal(12, 2)")).drop("purchase")
    result = lrfmc.MODEL.run(prepare(source), as_of=AS_OF)
    assert_as_documented(result.table.to_pylist(), table("value_profile.md", "lrfmc result"))


def test_curve_of_profit():
    points = [y for _, y in whale_curve(np.array([80.0, 60, -20, -20]))]
    assert points == [0, 0.8, 1.4, 1.2, 1.0]


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("clusters.md", clusters.ClusterParameters()),
        ("value_profile.md", value_profile.ValueProfileParameters()),
        ("value_profile.md", lrfmc.LrfmcParameters()),
    ],
)
def test_pages_name_every_parameter(page, parameters):
    text = Path(PAGES / page).read_text(encoding="utf-8")
    missing = [name for name in parameters.as_dict() if f"`{name}`" not in text and name != "seed"]
    assert not missing
