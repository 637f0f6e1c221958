"""The contact plan: the best of all plans on small cases, within what staff can do, peace for the often contacted."""

import datetime as dt
import itertools

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.models.contact_plan import MODEL, ContactPlanParameters
from patron.intelligence.mining.optimising.contacts import NOBODY, Channel, contact_plan, dealt
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 6, 30)


def best_by_trying_all(gain, channels, days, decay):
    options = [(None, 0)] + [(place, day) for place in range(len(channels)) for day in range(days)]
    best = 0.0
    for chosen in itertools.product(options, repeat=len(gain)):
        used, total = {}, 0.0
        for customer, (place, day) in enumerate(chosen):
            if place is None:
                continue
            used[place, day] = used.get((place, day), 0) + 1
            total += gain[customer][place] * (1 - decay) ** day - channels[place].cost
        if all(channels[p].daily is None or count <= channels[p].daily for (p, _), count in used.items()):
            best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_plan_brings_more_than_ours(seed):
    dice = np.random.default_rng(seed)
    gain = np.round(dice.gamma(2, 10, (5, 2)), 2)
    gain[dice.random((5, 2)) < 0.15] = np.nan
    channels = (
        Channel("call", float(dice.integers(0, 12)), int(dice.integers(0, 3))),
        Channel("sms", 1.0, None if seed % 3 else 1),
    )
    plan = contact_plan(gain, channels, days=2, decay=0.1)
    whole = np.nan_to_num(gain, nan=-1e9)
    assert plan.total == pytest.approx(best_by_trying_all(whole, channels, 2, 0.1), abs=1e-3)


def test_places_are_never_overfilled_and_days_fill_in_order():
    gain = np.random.default_rng(1).gamma(2, 10, (400, 2))
    channels = (Channel("call", 2.0, 20), Channel("visit", 9.0, 3))
    plan = contact_plan(gain, channels, days=4, decay=0.05)
    for place, channel in enumerate(channels):
        for day in range(4):
            assert ((plan.channel == place) & (plan.day == day)).sum() <= channel.daily
    reps = dealt(plan, (Channel("call", 2.0, 20), Channel("visit", 9.0, 3)), reps=1)
    assert set(reps[plan.channel != NOBODY]) == {0}


def test_contacts_are_dealt_out_evenly():
    gain = np.full((60, 1), 10.0)
    channels = (Channel("call", 0.0, 12),)
    plan = contact_plan(gain, channels, days=5, decay=0.01)
    rep = dealt(plan, channels, reps=3)
    assert plan.contacts == 60
    for day in range(5):
        assert np.bincount(rep[plan.day == day]).tolist() == [4, 4, 4]


def test_ten_thousand_customers_are_planned_at_once():
    dice = np.random.default_rng(2)
    gain = dice.lognormal(3, 1, (10_000, 3))
    channels = (Channel("call", 5, 60), Channel("visit", 20, 12), Channel("sms", 0.5, None))
    plan = contact_plan(gain, channels, days=5, decay=0.02)
    assert (plan.channel == 0).sum() == 300
    assert (plan.channel == 1).sum() == 60
    # Nobody who calls is worth less to call than somebody left to the text message (the first day, same costs).
    margin = gain[:, 0] - 5 - np.maximum(gain[:, 2] - 0.5, 0)
    first = (plan.channel == 0) & (plan.day == 0)
    assert margin[first].min() >= margin[plan.channel == 2].max() - 1e-3


def offers(rows, recent=None):
    columns = {
        "customer": pa.array([row[0] for row in rows], pa.string()),
        "channel": pa.array([row[1] for row in rows], pa.string()),
        "gain": pa.array([row[2] for row in rows], pa.float64()),
    }
    if recent is not None:
        columns["recent"] = pa.array([recent.get(row[0], 0) for row in rows], pa.int64())
    return Rows.of(pa.table(columns))


CAST = [
    ("陳大文", "call", 100.0),
    ("陳大文", "sms", 30.0),
    ("王美玲", "call", 90.0),
    ("王美玲", "sms", 5.0),
    ("李志強", "call", 8.0),
    ("Ada Wong", "sms", 0.2),
    ("何嘉欣", "call", 40.0),
]


def test_the_plan_says_who_how_when_and_why():
    parameters = ContactPlanParameters(reps=1, capacity="call=1", days=1, most_contacts=2)
    result = MODEL.run(offers(CAST, {"何嘉欣": 2}), as_of=AS_OF, parameters=parameters)
    table = {row["customer"]: row for row in result.table.to_pylist()}
    # Calling 王美玲 brings 73.5 more than a text; calling 陳大文 only 58.5 more.
    assert (table["王美玲"]["channel"], table["王美玲"]["day"], table["王美玲"]["rep"]) == (
        "call",
        dt.date(2025, 7, 1),
        1,
    )
    assert (table["陳大文"]["channel"], table["陳大文"]["rep"]) == ("sms", None)
    assert table["李志強"]["reason_code"] == "not_worth_it"
    assert table["Ada Wong"]["reason_code"] == "not_worth_it"
    assert table["何嘉欣"]["reason_code"] == "contacted_enough"
    assert table["王美玲"]["reason"] == "Contact by call on 2025-07-01; expected to bring, cost taken off: 78.00."
    metrics = result.report.metrics
    assert metrics["gain"] == pytest.approx(78 + 29.5)
    assert metrics["gain_of_one_more_person"] == pytest.approx(88 - 29.5)


def test_who_is_worth_it_but_has_no_room_is_told_so():
    rows = [("a", "call", 50.0), ("b", "call", 60.0)]
    parameters = ContactPlanParameters(reps=1, capacity="call=1", days=1)
    result = MODEL.run(offers(rows), as_of=AS_OF, parameters=parameters)
    assert result.table["reason_code"].to_pylist() == ["no_room", "by_staff"]


def test_nobody_to_contact_and_nobody_to_do_it():
    assert MODEL.run(offers([]), as_of=AS_OF).table.num_rows == 0
    result = MODEL.run(offers(CAST), as_of=AS_OF, parameters=ContactPlanParameters(reps=0))
    assert result.report.metrics["contacts_call"] == 0
    assert result.report.metrics["contacts_sms"] == 2


def test_bad_input_is_refused_with_what_is_needed():
    with pytest.raises(InputError, match="two rows for the same channel"):
        MODEL.run(offers([("a", "call", 1.0), ("a", "call", 2.0)]), as_of=AS_OF)
    with pytest.raises(ParameterError, match="write it as channel=number"):
        MODEL.run(offers(CAST), as_of=AS_OF, parameters=ContactPlanParameters(capacity="call"))
    with pytest.raises(InputError, match="A gain is above 100,000,000"):
        MODEL.run(offers([("a", "call", 1e16)]), as_of=AS_OF)
    unknown = MODEL.run(offers([("a", "call", None)]), as_of=AS_OF)
    assert unknown.table["reason_code"].to_pylist() == ["not_worth_it"]
