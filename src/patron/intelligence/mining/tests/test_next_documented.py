"""The worked numbers of the pages on next products, next visits and acquisition are what the code gives."""

import datetime as dt
import math
import re

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.attracting.banding import Bands
from patron.intelligence.mining.models.leads import points_of
from patron.intelligence.mining.models.lookalikes import LookalikesParameters
from patron.intelligence.mining.models.next_date import MODEL, NextDateParameters
from patron.intelligence.mining.models.response import responders_needed
from patron.intelligence.mining.models.upsell import UpsellParameters
from patron.intelligence.mining.recommending import dueness
from patron.intelligence.mining.recommending.history import Events, known_at
from patron.intelligence.mining.recommending.methods import METHODS, count_together
from patron.intelligence.mining.recommending.parameters import NextProductParameters
from patron.intelligence.mining.returning.gaps import paces_at
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, assert_as_documented, table

AS_OF = dt.date(2025, 6, 30)


def events(rows, customers, products):
    columns = np.array(sorted(rows), dtype=np.int32)
    names = (pa.array([f"c{each:02}" for each in range(customers)]), pa.array([f"p{each}" for each in range(products)]))
    return Events(*names, columns[:, 0], columns[:, 1], columns[:, 2])


def test_lift():
    documented = table("next_product.md", "lift input")
    computed = []
    for each in documented:
        first, second, both = int(each["n_i"]), int(each["n_j"]), int(each["n_ij"])
        rows = [(who, 0, 1) for who in range(first)] + [
            (who, 1, 1) for who in range(first - both, first - both + second)
        ]
        known = known_at(events(rows + [(who, 2, 1) for who in range(10)], 10, 3), 1, half_life=56, recent_days=28)
        lift = count_together(known, prior=float(each["s"])).lift[0, 1]
        computed.append({**each, "lift": float(lift)})
    assert_as_documented(computed, documented)


def test_repeats():
    documented = table("next_product.md", "repeat result")
    rows = [(who, 0, int(day)) for who, each in enumerate(documented) for day in each["days"].split()]
    known = known_at(events(rows, 3, 1), 1000, half_life=56, recent_days=28)
    plain = dueness.Dueness(np.ones(20), dueness._paces(known)).chances(known, horizon_days=28)
    computed = [
        {**each, "weight": float(weight), "exposure": float(exposure), "chance": float(chance)}
        for each, weight, exposure, chance in zip(
            documented, known.weight, dueness._exposure(known), plain, strict=True
        )
    ]
    assert_as_documented(computed, documented)


def test_every_method_is_on_the_page():
    text = (PAGES / "next_product.md").read_text(encoding="utf-8")
    assert all(f"| {name}" in text for name in METHODS)


def test_gaps():
    documented = table("next_date.md", "gaps result")
    rows = []
    for each in documented:
        day = AS_OF - dt.timedelta(sum(int(gap) for gap in each["gaps"].split()))
        rows.append(row(each["customer"], day))
        for gap in each["gaps"].split():
            day += dt.timedelta(int(gap))
            rows.append(row(each["customer"], day))
    today = dt.date(2025, 6, 30).toordinal() - dt.date(1970, 1, 1).toordinal()
    found = paces_at(visits_of(purchases(rows).days), today, gaps=12, prior=2.0, fallback_days=30)
    computed = [
        {**each, "mean": float(mean), "spread": float(spread), "typical": float(typical)}
        for each, mean, spread, typical in zip(documented, found.mean, found.spread, found.typical(), strict=True)
    ]
    assert_as_documented(computed, documented)


def test_next_dates():
    rows = []
    for each in table("next_date.md", "next_date input"):
        start, step, times = re.fullmatch(r"(\S+) every (\d+) days × (\d+)", each["visits"]).groups()
        first = dt.date.fromisoformat(start)
        rows += [row(each["customer"], first + dt.timedelta(int(step) * place)) for place in range(int(times))]
    found = MODEL.run(purchases(rows), as_of=AS_OF).table.to_pylist()
    assert_as_documented(found, table("next_date.md", "next_date result"))


def test_test_sizes():
    documented = table("acquisition.md", "test size")
    computed = []
    for each in documented:
        needed = responders_needed(int(each["features"]), each=10)
        size = math.ceil(needed / float(each["response_rate"]))
        computed.append({**each, "responders_needed": needed, "test_size_needed": size})
    assert_as_documented(computed, documented)


def test_points():
    documented = table("acquisition.md", "points")
    features = tuple(dict.fromkeys(each["feature"] for each in documented))
    places = np.array([features.index(each["feature"]) for each in documented])
    bands = Bands(features, tuple(each["band"] for each in documented), places)
    points = points_of(np.array([float(each["weight"]) for each in documented]), bands)
    assert_as_documented([{**each, "points": int(p)} for each, p in zip(documented, points, strict=True)], documented)


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("next_product.md", NextProductParameters()),
        ("next_product.md", UpsellParameters()),
        ("next_date.md", NextDateParameters()),
        ("acquisition.md", LookalikesParameters()),
    ],
)
def test_pages_name_every_parameter(page, parameters):
    text = (PAGES / page).read_text(encoding="utf-8")
    missing = [name for name in parameters.as_dict() if f"`{name}`" not in text]
    assert not missing
