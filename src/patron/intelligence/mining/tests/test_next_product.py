"""Next product: the methods on a small cast with a known habit, the back-test against a slow reference, bad input."""

import datetime as dt
from decimal import Decimal

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.next_product import MODEL
from patron.intelligence.mining.recommending.backtest import chances_by_rank, run_window, wilson
from patron.intelligence.mining.recommending.dueness import bands, learn_dueness
from patron.intelligence.mining.recommending.history import Events, bought_between, fetch_events, known_at
from patron.intelligence.mining.recommending.lists import ANY, NEW, best_offers
from patron.intelligence.mining.recommending.methods import METHODS, Course, Settings, count_together
from patron.intelligence.mining.recommending.parameters import METHOD_NAMES, NextProductParameters
from patron.intelligence.mining.recommending.reasons import anchors, place_offers
from patron.intelligence.mining.testing import purchases
from patron.intelligence.mining.transactions import prepare

AS_OF = dt.date(2025, 12, 31)
SETTINGS = Settings(horizon_days=28, half_life=56.0, together_prior=1.0, factors=4, neighbours=5, seed=7)
EVERYTHING = NextProductParameters(min_customers=1)
ONE = NextProductParameters(top=1)


def bought(rows):
    """Purchases of (customer, day, product, amount)."""
    types = {"customer": pa.string(), "date": pa.date32(), "product": pa.string(), "amount": pa.decimal128(12, 2)}
    full = [dict(zip(types, (who, day, what, Decimal(amount)), strict=True)) for who, day, what, amount in rows]
    connection = duckdb.connect()
    connection.register("rows", pa.Table.from_pylist(full, schema=pa.schema(types)))
    return prepare(ibis.duckdb.from_connection(connection).table("rows"))


def a_town(customers=120, weeks=40, seed=3):
    """Everybody buys milk weekly; those of even number bread, and one day butter, the others rice, and one day fish."""
    random = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        staple, later = ("bread", "butter") if who % 2 == 0 else ("rice", "fish")
        begins = int(random.integers(0, 60))
        for week in range(weeks):
            day = AS_OF - dt.timedelta(7 * (weeks - week) - int(random.integers(0, 3)))
            if random.random() < 0.8:
                rows.append((f"c{who:03}", day, "milk", 2))
            if random.random() < 0.5:
                rows.append((f"c{who:03}", day, staple, 3))
            if week >= begins and random.random() < 0.6:
                rows.append((f"c{who:03}", day, later, 4))
    return rows


@pytest.fixture(scope="module")
def town():
    return bought(a_town())


@pytest.fixture(scope="module")
def result(town):
    return MODEL.run(town, as_of=AS_OF, parameters=ONE)


def test_names_of_the_candidates_are_those_of_the_parameters():
    assert tuple(METHODS) == METHOD_NAMES


def test_every_customer_gets_offers_of_both_lists_with_reason_and_confidence(result):
    rows = result.table.to_pylist()
    assert {row["list"] for row in rows} == {NEW, ANY}
    assert len({row["customer"] for row in rows}) == 120
    assert all(row["reason"] and row["reason_code"] and 0 <= row["confidence"] <= 1 for row in rows)
    assert [(row["customer"], row["list"], row["rank"]) for row in rows] == sorted(
        (row["customer"], row["list"], row["rank"]) for row in rows
    )


def test_the_new_list_holds_nothing_bought_before_and_any_says_how_often(result):
    for row in result.table.to_pylist():
        if row["list"] == NEW:
            assert (row["times_bought"], row["last_on"]) == (0, None)
    milk = [row for row in result.table.to_pylist() if row["product"] == "milk" and row["customer"] == "c000"]
    assert milk[0]["reason"].startswith("Bought ")
    assert milk[0]["times_bought"] > 20


def test_who_buys_bread_is_offered_butter_and_who_buys_rice_fish(result):
    rows = [row for row in result.table.to_pylist() if (row["list"], row["rank"]) == (NEW, 1)]
    waiting = [row for row in rows if row["product"] in ("butter", "fish")]
    right = [row for row in waiting if (row["product"] == "butter") == (int(row["customer"][1:]) % 2 == 0)]
    assert len(right) > 0.9 * len(waiting) > 20
    told = {row["reason"] for row in right if row["reason_code"] == "together"}
    assert any(each.startswith("Bought bread; those who do buy butter ") for each in told)


def test_the_champion_of_new_products_beats_popularity_in_the_test_window(result):
    metrics = result.report.metrics
    method = metrics["new.method"]
    assert method != "popular"
    assert metrics[f"test.new.{method}.precision"] > 1.5 * metrics["test.new.popular.precision"]


def test_the_promise_of_the_validation_is_kept_in_the_test(result):
    metrics = result.report.metrics
    assert metrics["any.kept"] == pytest.approx(metrics["any.promised"], abs=0.08)


def test_figures_equal_a_slow_count(town):
    events = fetch_events(town, min_customers=1, max_products=100)
    origin = int(events.day.max()) - 28
    lesson = Course(events, SETTINGS).on(origin)
    window = run_window(lesson, length=2, names=("popular",))
    names, products = events.customers.to_pylist(), events.products.to_pylist()
    rows = [
        (names[c], products[p], int(d)) for c, p, d in zip(events.customer, events.product, events.day, strict=True)
    ]
    had = {name: {p for c, p, d in rows if c == name and d <= origin} for name in names}
    then = {name: {p for c, p, d in rows if c == name and origin < d <= origin + 28} for name in names}
    share = {p: sum(p in had[name] for name in names) for p in products}
    ranked = sorted(products, key=lambda p: (-share[p], p))
    came = [name for name in names if had[name] and then[name]]
    offers = {name: [p for p in ranked if p not in had[name]][:2] for name in came}
    shown = sum(len(each) for each in offers.values())
    right = {name: len(set(offers[name]) & then[name]) for name in came}
    fresh = {name: then[name] - had[name] for name in came}
    buying = [name for name in came if fresh[name]]
    figures = window.figures[NEW, "popular"]
    assert figures.customers == len(came)
    assert figures.precision == pytest.approx(sum(right.values()) / shown)
    assert figures.hit_rate == pytest.approx(sum(count > 0 for count in right.values()) / len(came))
    assert figures.recall == pytest.approx(np.mean([right[name] / len(fresh[name]) for name in buying]))


def test_lift_of_two_products_as_in_a_textbook():
    # 10 customers: 6 tea, 5 milk, 4 both; 4 / (6 · 5 / 10) = 1.33, drawn towards 1 by one expected customer: 5 / 4.
    day = dt.date(2025, 1, 1)
    tea, milk = range(6), (0, 1, 2, 3, 6)
    rows = [(f"{who}", day, "tea", 1) for who in tea] + [(f"{who}", day, "milk", 1) for who in milk]
    rows += [(f"{who}", day, "salt", 1) for who in range(10)]
    events = fetch_events(bought(rows), min_customers=1, max_products=10)
    together = count_together(known_at(events, 30_000, half_life=56, recent_days=28), prior=1.0)
    place = events.products.to_pylist().index
    assert together.both[place("tea"), place("milk")] == 4
    assert together.lift[place("tea"), place("milk")] == pytest.approx(1.25)
    assert together.lift[place("tea"), place("salt")] == pytest.approx(1.0)


def test_anchor_is_the_product_with_the_highest_lift():
    known = known_at(_events([(0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 2, 5)], 2, 3), 10, half_life=56, recent_days=28)
    lift = np.array([[1, 1, 3.0], [1, 1, 2.0], [4.0, 1, 1]], dtype=np.float32)
    offer = place_offers(known, np.array([0, 1, 1]), np.array([2, 0, 2]))
    found = anchors(known, offer, lift)
    assert found.product.tolist() == [0, 2, -1]
    assert found.lift.tolist() == [3.0, 4.0, 1.0]


def _events(rows, customers, products):
    columns = np.array(sorted(rows), dtype=np.int32).reshape(-1, 3)
    names = [
        pa.array([f"{kind}{place}" for place in range(count)]) for kind, count in (("c", customers), ("p", products))
    ]
    return Events(names[0], names[1], columns[:, 0], columns[:, 1], columns[:, 2])


def test_known_forgets_what_came_later():
    events = _events([(0, 0, 5), (0, 0, 9), (0, 1, 12), (1, 1, 30)], 2, 2)
    known = known_at(events, 12, half_life=7.0, recent_days=5)
    assert known.times.tolist() == [2, 1]
    assert (known.first.tolist(), known.last.tolist()) == ([5, 12], [9, 12])
    assert known.weight.tolist() == pytest.approx([2 ** (-7 / 7) + 2 ** (-3 / 7), 1.0])
    assert known.visits.tolist() == [2, 0]
    assert known.present.tolist() == [True, False]
    assert bought_between(events, 12, 30).tolist() == [3]


def test_due_products_have_a_higher_factor_than_those_just_bought():
    # Bought every 20 days without fail: nothing in the first ten days after, everything when due.
    rows = [(who, 0, 1000 - 10 * (who % 2) - 20 * times) for who in range(200) for times in range(8)]
    rows += [(who, 0, 1010) for who in range(1, 200, 2)]
    events = _events(rows, 200, 1)
    before = known_at(events, 1000, half_life=56.0, recent_days=10)
    learned = learn_dueness(events, before, horizon_days=10)
    band = bands(before)
    assert learned.factor[band[1]] > 1.9  # last bought 10 days ago (or due): all came
    assert learned.factor[band[0]] < 0.4  # bought on the day itself: nobody came


def test_calibration_is_the_share_of_hits_by_rank():
    known = known_at(_events([(who, 0, 5) for who in range(400)], 400, 1), 5, half_life=56.0, recent_days=28)
    hits = np.zeros((400, 2), dtype=bool)
    hits[:100, 0] = True
    hits[:20, 1] = True
    chances = chances_by_rank([(known, hits)], length=2)
    assert chances[1].tolist() == pytest.approx([0.25, 0.05])


def test_wilson_interval_as_published():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_alone_gives_the_same_twice(method, town):
    events = fetch_events(town, min_customers=1, max_products=100)
    origin = int(events.day.max())
    found = []
    for _ in range(2):
        lesson = Course(events, SETTINGS).on(origin)
        found.append(best_offers(METHODS[method](lesson), lesson.known, length=3))
    for kind in (NEW, ANY):
        assert np.array_equal(found[0][kind].product, found[1][kind].product)
        assert found[0][kind].product.max() >= 0


def test_order_of_the_rows_changes_nothing(result, town):
    again = MODEL.run(bought(a_town()[::-1]), as_of=AS_OF, parameters=ONE)
    assert again.table.equals(result.table)
    assert again.report == result.report


def test_later_rows_change_nothing(result):
    later = [("c000", AS_OF + dt.timedelta(3), "caviar", 900)] * 6
    assert MODEL.run(bought(a_town() + later), as_of=AS_OF, parameters=ONE).table.equals(result.table)


def test_too_short_a_history_offers_without_confidence():
    rows = [(f"c{who}", AS_OF, product, 1) for who in range(6) for product in ("tea", "milk")[: who % 2 + 1]]
    found = MODEL.run(bought(rows), as_of=AS_OF, parameters=EVERYTHING)
    assert found.report.notes[0].startswith("The history is too short")
    assert set(found.table["confidence"].to_pylist()) == {None}
    assert {row["product"] for row in found.table.to_pylist() if row["list"] == NEW} == {"milk"}


def test_no_purchases_give_an_empty_table_with_the_same_columns(result):
    empty = MODEL.run(bought([]), as_of=AS_OF)
    assert empty.table.num_rows == 0
    assert empty.table.schema.equals(result.table.schema)


def test_returns_alone_are_no_purchases():
    assert MODEL.run(bought([("c1", AS_OF, "tea", -5)]), as_of=AS_OF, parameters=EVERYTHING).table.num_rows == 0


def test_without_products_it_says_what_is_missing():
    with pytest.raises(InputError, match="role product"):
        MODEL.run(purchases([("c1", AS_OF, Decimal(5))]), as_of=AS_OF)
