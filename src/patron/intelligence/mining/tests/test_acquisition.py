"""Look-alikes, response and leads: weights recovered, held-out judgement, points by hand, bad input."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from patron.intelligence.mining.attracting.banding import banded
from patron.intelligence.mining.attracting.scorecard import fit
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models import leads, lookalikes, response
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 12, 31)


def people(count=2000, seed=4, signal=1.0):
    """Members come from the north, or are in their forties; the colour of the eyes says nothing."""
    random = np.random.default_rng(seed)
    north, age = random.random(count) < 0.4, random.integers(20, 70, count)
    eyes = random.choice(["brown", "green", "blue"], count)
    logit = -2 + signal * (1.5 * north + 1.0 * ((age >= 40) & (age < 50)))
    member = random.random(count) < 1 / (1 + np.exp(-logit))
    return pa.table(
        {
            "customer": pa.array([f"c{who:05}" for who in range(count)]),
            "member": pa.array(member.astype(np.int64)),
            "district": pa.array(np.where(north, "north", "south").astype(object), pa.string()),
            "age": pa.array(age),
            "eyes": pa.array(eyes.astype(object), pa.string()),
        }
    )


FEATURES = ("district", "age", "eyes")


@pytest.fixture(scope="module")
def alike():
    return lookalikes.MODEL.run(Rows.of(people(), features=FEATURES), as_of=AS_OF)


def test_the_list_begins_with_those_like_the_members(alike):
    assert alike.report.metrics["auc_low"] > 0.6
    assert alike.report.metrics["top_tenth_lift"] > 1.5
    first = alike.table.to_pylist()[0]
    assert first["rank"] == 1
    assert first["reason"].startswith("district: north (")
    assert first["reason_code"] == "alike"
    chances = alike.table["confidence"].to_pylist()
    assert chances == sorted(chances, reverse=True)


def test_only_those_outside_the_segment_are_listed(alike):
    members = people().filter(pa.compute.equal(people()["member"], 1))["customer"].to_pylist()
    assert set(members).isdisjoint(alike.table["customer"].to_pylist())
    assert alike.table.num_rows + len(members) == 2000


def test_prospects_are_listed_when_there_are_any_and_teach_nothing(alike):
    table = people()
    strangers = people(count=50, seed=9).set_column(
        0, "customer", pa.array([f"p{who:03}" for who in range(50)])
    ).set_column(1, "member", pa.nulls(50, pa.int64()))  # fmt: skip
    flags = pa.array(["0"] * 2000 + ["1"] * 50)
    both = pa.concat_tables([table, strangers]).append_column("prospect", flags)
    found = lookalikes.MODEL.run(Rows.of(both, features=FEATURES), as_of=AS_OF)
    assert {each[0] for each in found.table["customer"].to_pylist()} == {"p"}
    assert found.report.metrics["auc"] == alike.report.metrics["auc"]


def test_weights_equal_those_of_a_reference():
    table = people()
    bands, design = banded(table, FEATURES, np.ones(2000, dtype=bool), min_rows=20)
    outcome = table["member"].to_numpy() == 1
    card = fit(design, bands, outcome, seed=1)
    reference = LogisticRegression(C=1 / card.ridge, tol=1e-10, max_iter=5000).fit(design, outcome)
    assert card.chances(design) == pytest.approx(reference.predict_proba(design)[:, 1], abs=1e-4)


def test_held_out_judgement_finds_nothing_where_there_is_nothing():
    found = lookalikes.MODEL.run(Rows.of(people(signal=0.0), features=FEATURES), as_of=AS_OF)
    assert found.report.metrics["auc_low"] < 0.5
    assert found.report.notes[0].startswith("These features do not tell members from others better than chance")


def test_bands_of_a_number_have_a_place_for_what_is_not_known():
    table = pa.table({"age": pa.array([20, 30, 40, 50, 60, None] * 20), "flat": pa.array([1] * 120)})
    bands, design = banded(table, ("age", "flat"), np.ones(120, dtype=bool), min_rows=5)
    assert bands.features == ("age",)
    assert bands.names == ("under 30", "30 to under 40", "40 to under 50", "50 to under 60", "60 or more", "not known")
    assert np.asarray(design.sum(axis=0)).ravel().tolist() == [20, 20, 20, 20, 20, 20]


def test_rare_values_join_the_others():
    table = pa.table({"city": pa.array(["a"] * 30 + ["b"] * 30 + ["c", "d", "e"])})
    bands, _ = banded(table, ("city",), np.ones(63, dtype=bool), min_rows=20)
    assert bands.names == ("a", "b", "other")


@pytest.fixture(scope="module")
def tested():
    """300 were tested, the other 1,700 are to be scored."""
    table = people()
    outcome = [value if place < 300 else None for place, value in enumerate(table["member"].to_pylist())]
    return Rows.of(table.set_column(1, "outcome", pa.array(outcome, pa.int64())), features=FEATURES)


def test_response_scores_those_who_were_not_tested_and_says_how_large_a_test_must_be(tested):
    found = response.MODEL.run(tested, as_of=AS_OF)
    metrics = found.report.metrics
    assert (metrics["tested"], metrics["scored"]) == (300, 1700)
    assert metrics["responders_needed"] == 50
    assert metrics["test_size_needed"] == int(np.ceil(50 / metrics["response_rate"]))
    first = set(found.table["customer"].to_pylist()[:340])
    rates = people()["member"].to_numpy()
    chosen = np.array([name in first for name in people()["customer"].to_pylist()])
    assert rates[chosen].mean() > 1.4 * rates[300:].mean()


def test_small_test_is_said_to_be_small():
    table = people(count=120)
    rows = Rows.of(table.rename_columns(["customer", "outcome", *FEATURES]), features=FEATURES)
    assert response.MODEL.run(rows, as_of=AS_OF).report.notes[0].startswith("The test is small: ")


def test_too_few_responders_are_refused():
    table = people(count=40).set_column(1, "outcome", pa.array([1] * 3 + [0] * 37))
    with pytest.raises(InputError, match="3 rows with the outcome and 37 without; at least 10"):
        response.MODEL.run(Rows.of(table, features=FEATURES), as_of=AS_OF)


def test_points_by_hand():
    table = pa.table({"one": pa.array(["x", "y"] * 20), "two": pa.array(["u", "u", "v", "v"] * 10)})
    bands, _ = banded(table, ("one", "two"), np.ones(40, dtype=bool), min_rows=5)
    # Spans 3 and 1: the best of both is worth 75 and 25.
    assert leads.points_of(np.array([-1.0, 2.0, 0.5, -0.5]), bands).tolist() == [0, 75, 25, 0]


def test_points_of_a_lead_are_those_of_its_bands():
    table = people(count=1200)
    outcome = [None if place >= 1000 else ("won" if value else "lost") for place, value in
               enumerate(table["member"].to_pylist())]  # fmt: skip
    table = table.set_column(1, "outcome", pa.array(outcome, pa.string())).rename_columns(
        ["lead", "outcome", *FEATURES]
    )
    found = leads.MODEL.run(Rows.of(table, features=FEATURES), as_of=AS_OF)
    points, rows = found.report.parameters, found.table.to_pylist()
    assert len(rows) == 200
    known = {row["lead"]: row for row in table.to_pylist()}
    for row in rows:
        lead = known[row["lead"]]
        band = next(name for name in points if name.startswith("age=") and _inside(lead["age"], name[4:]))
        total = points[f"district={lead['district']}"] + points[f"eyes={lead['eyes']}"] + points[band]
        assert row["score"] == min(total, 100)
    assert {"hot", "cold"} <= {row["band"] for row in rows}
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)


def _inside(age, band):
    if band.startswith("under "):
        return age < float(band[6:])
    if band.endswith(" or more"):
        return age >= float(band[:-8])
    low, _, high = band.partition(" to under ")
    return float(low) <= age < float(high)


def test_order_of_the_rows_changes_nothing(alike):
    table = people()
    backwards = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    again = lookalikes.MODEL.run(Rows.of(backwards, features=FEATURES), as_of=AS_OF)
    assert again.table.equals(alike.table)
    assert again.report == alike.report


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.set_column(1, "member", pa.array(["maybe"] * 2000)), "must say yes or no"),
        (lambda table: pa.concat_tables([table, table.slice(0, 1)]), "comes in more than one row"),
        (lambda table: table.drop_columns(["member"]), "lacks member"),
    ],
)
def test_bad_tables_are_refused_with_a_reason(change, message):
    with pytest.raises(InputError, match=message):
        lookalikes.MODEL.run(Rows.of(change(people()), features=FEATURES), as_of=AS_OF)


def test_features_that_say_nothing_are_refused():
    table = people().set_column(2, "district", pa.array(["x"] * 2000))
    with pytest.raises(InputError, match="None of the features"):
        lookalikes.MODEL.run(Rows.of(table, features=("district",)), as_of=AS_OF)


def test_no_features_are_asked_for():
    with pytest.raises(InputError, match="Name the columns"):
        lookalikes.MODEL.run(Rows.of(people()), as_of=AS_OF)
