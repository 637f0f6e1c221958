"""The up-sell ladder: rungs by hand, who climbed, chances drawn together, the test by date, bad input."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.upsell import MODEL, UpsellParameters, climb
from patron.intelligence.mining.recommending.ladders import build_ladders
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 12, 31)
SCHEMA = pa.schema(
    [("customer", pa.string()), ("date", pa.date32()), ("category", pa.string()), ("product", pa.string()),
     ("amount", pa.float64()), ("quantity", pa.float64())]
)  # fmt: skip
#: Six coffees; with 100 units of each of the cheap, and fewer of the dear, every rung sells a third.
PRICES = {"c1": 2.0, "c2": 2.1, "c3": 4.0, "c4": 4.2, "c5": 8.0, "c6": 9.0}


def rows(lines):
    names = SCHEMA.names
    return Rows.of(pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in lines], schema=SCHEMA))


def buys(customer, product, days_ago, category="coffee", units=1):
    price = PRICES[product]
    return (customer, AS_OF - dt.timedelta(days_ago), category, product, price * units, float(units))


def a_shop(customers=240, seed=5):
    """Climbers taste dear coffee in one period and buy it in the next; the others stay where they are."""
    random = np.random.default_rng(seed)
    lines = []
    for who in range(customers):
        name, climbs = f"k{who:03}", who % 4 == 0
        begins = int(random.integers(0, 3))  # in which period they taste
        for period in range(3):  # the oldest first
            up = climbs and period > begins
            for time in range(6):
                product = ("c3" if time % 2 else "c4") if up else ("c1" if time % 2 else "c2")
                if climbs and period == begins and time in (2, 4):
                    product = "c3"
                lines.append(buys(name, product, (2 - period) * 112 + 5 + 15 * time))
    # Sales of the other rungs, so that each has about a third.
    lines += [buys(f"mid{who}", "c3" if who % 2 else "c4", 10 + who, units=40) for who in range(40)]
    return lines + [buys(f"rich{who}", "c5" if who % 2 else "c6", 10 + who, units=26) for who in range(40)]


def test_rungs_carry_a_third_of_the_sales_each():
    # Sales 10, 10, 10, 10, 10, 10: two products to a rung, the dearest on top.
    lines = [
        (f"k{place}", AS_OF, "coffee", name, 10.0, 10 / price) for place, (name, price) in enumerate(PRICES.items())
    ]
    ladders = build_ladders(rows(lines).table, min_products=6)
    assert dict(zip(ladders.goods["product"].to_pylist(), ladders.goods["rung"].to_pylist(), strict=True)) == {
        "c1": 0, "c2": 0, "c3": 1, "c4": 1, "c5": 2, "c6": 2,
    }  # fmt: skip
    assert ladders.price[0].tolist() == pytest.approx(
        [20 / (5 + 10 / 2.1), 20 / (2.5 + 10 / 4.2), 20 / (1.25 + 10 / 9)], rel=1e-4
    )
    assert ladders.sales[0].tolist() == pytest.approx([20, 20, 20])


def test_category_of_one_price_has_no_ladder():
    lines = [(f"k{place}", AS_OF, "salt", f"s{place}", 10.0, 10.0) for place in range(8)]
    assert len(build_ladders(rows(lines).table, min_products=6).categories) == 0


def test_who_tasted_climbs_and_the_test_by_date_says_so():
    found = climb(rows(a_shop()), AS_OF, UpsellParameters())
    assert found.test.top_rate > 1.5 * found.test.rate > 0
    moves = found.moves[0]
    assert moves[0, 1] == 20  # of the 60 who climb some time, those who tasted in the period before
    assert moves[:, 3].sum() == 0


def test_candidates_say_what_the_climb_would_bring():
    table = MODEL.run(rows(a_shop()), as_of=AS_OF).table.to_pylist()
    tasted = {each["customer"]: each for each in table if each["reason_code"] == "tasted"}
    like = [each for each in table if each["reason_code"] == "like_others" and each["rung"] == "entry"]
    assert len(tasted) == 22  # those who taste now
    one = next(iter(tasted.values()))
    assert (one["rung"], one["next_rung"]) == ("entry", "middle")
    assert one["confidence"] > 3 * like[0]["confidence"]
    gain = one["confidence"] * 6 * 365 / 112 * (one["next_unit_price"] - one["unit_price"])
    assert one["extra_per_year"] == pytest.approx(gain, abs=0.006)
    assert one["suggestion"] in ("c3", "c4")
    assert one["reason"].startswith("Bought coffee 6 times, mostly entry, but also dearer ones; of such customers ")


def test_at_most_so_many_categories_and_those_with_the_most_to_gain():
    lines = a_shop() + [
        (who, day, "tea", "t" + what[1:], amount, units) for who, day, _, what, amount, units in a_shop()
    ]
    one = MODEL.run(rows(lines), as_of=AS_OF, parameters=UpsellParameters(top=1)).table
    assert len(set(one["customer"].to_pylist())) == one.num_rows


def test_order_of_the_rows_changes_nothing():
    lines = a_shop()
    assert MODEL.run(rows(lines), as_of=AS_OF).table.equals(MODEL.run(rows(lines[::-1]), as_of=AS_OF).table)


def test_short_history_says_that_nothing_could_be_tested():
    lines = [line for line in a_shop() if line[1] > AS_OF - dt.timedelta(112)]
    result = MODEL.run(rows(lines), as_of=AS_OF)
    assert result.report.notes == ("The history is too short to test who climbs: three periods are needed.",)


def test_no_rows_give_no_candidates():
    result = MODEL.run(rows([]), as_of=AS_OF)
    assert (result.table.num_rows, result.report.metrics["ladders"]) == (0, 0)


def test_returns_and_rows_without_category_are_left_out():
    spoiled = [("k000", AS_OF, "coffee", "c6", -9.0, -1.0), ("k000", AS_OF, None, "c6", 9.0, 1.0)]
    assert MODEL.run(rows(a_shop() + spoiled), as_of=AS_OF).table.equals(MODEL.run(rows(a_shop()), as_of=AS_OF).table)


def test_missing_column_is_named():
    with pytest.raises(InputError, match="there is no quantity"):
        MODEL.run(Rows.of(rows(a_shop()).arrow().drop_columns(["quantity"])), as_of=AS_OF)
