"""Association rules: equal to brute force, to textbook examples, and defined for every input."""

import datetime as dt
import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.patterns.itemsets import Itemsets
from patron.intelligence.mining.patterns.rules import association_rules
from patron.intelligence.mining.patterns.transactions import Baskets, least_count
from patron.intelligence.mining.patterns.vertical import frequent_itemsets
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 6, 30)
# P.-N. Tan, M. Steinbach and V. Kumar, Introduction to Data Mining (2005), table 6.1.
MARKET = ("bread milk", "bread diapers beer eggs", "milk diapers beer cola", "bread milk diapers beer",
          "bread milk diapers cola")  # fmt: skip
# J. Han and M. Kamber, Data Mining: Concepts and Techniques, 2nd ed. (2006), table 5.1: AllElectronics.
ELECTRONICS = ("I1 I2 I5", "I2 I4", "I2 I3", "I1 I2 I4", "I1 I3", "I2 I3", "I1 I3", "I1 I2 I3 I5", "I1 I2 I3")


def rows_of(baskets):
    pairs = [(place, item) for place, basket in enumerate(baskets) for item in basket]
    return pa.table({
        "basket": pa.array([place for place, _ in pairs], pa.int64()),
        "item": pa.array([item for _, item in pairs], pa.string()),
    })  # fmt: skip


def words(baskets):
    return [basket.split() for basket in baskets]


def mined(baskets, min_count, max_length=0):
    table = rows_of(baskets)
    found = frequent_itemsets(Baskets.of(table["basket"], table["item"]), min_count=min_count, max_length=max_length)
    return found, {tuple(row["items"]): row["count"] for row in found.table().to_pylist()}


def run(table, **parameters):
    model = model_named("baskets")
    return model.run(Rows.of(table), as_of=AS_OF, parameters=model.parameters(**parameters))


def counted(baskets, min_count, max_length=0):
    """The reference: every subset of every basket, counted."""
    sets = [set(basket) for basket in baskets]
    items = sorted(set().union(*sets)) if sets else []
    longest = max_length or len(items)
    every = (each for length in range(1, longest + 1) for each in itertools.combinations(items, length))
    counts = {each: sum(set(each) <= basket for basket in sets) for each in every}
    return {each: count for each, count in counts.items() if count >= min_count}


def all_rules(counts, size):
    """The reference: (antecedent, consequent) → (count, confidence, lift, leverage, conviction)."""
    rules = {}
    for items, count in counts.items():
        for consequent in items:
            antecedent = tuple(item for item in items if item != consequent)
            if antecedent:
                confidence, share = count / counts[antecedent], counts[consequent,] / size
                conviction = None if count == counts[antecedent] else (1 - share) / (1 - confidence)
                leverage = count / size - counts[antecedent] / size * share
                rules[antecedent, consequent] = (count, confidence, confidence / share, leverage, conviction)
    return rules


def general_rules(counts, size):
    """The reference: the rules whose confidence exceeds that of the same rule for every true subset."""
    rules = all_rules(counts, size)
    kept = set()
    for (antecedent, consequent), (_, confidence, *_) in rules.items():
        subsets = [each for length in range(1, len(antecedent)) for each in itertools.combinations(antecedent, length)]
        general = [rules[subset, consequent][1] for subset in subsets] + [counts[consequent,] / size]
        if confidence > max(general):
            kept.add((antecedent, consequent))
    return kept


some_baskets = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=7), max_size=14)


@settings(max_examples=150, deadline=None)
@given(baskets=some_baskets, min_count=st.integers(1, 5), max_length=st.integers(0, 4))
def test_itemsets_equal_brute_force(baskets, min_count, max_length):
    assert mined(baskets, min_count, max_length)[1] == counted(baskets, min_count, max_length)


@settings(max_examples=100, deadline=None)
@given(baskets=some_baskets, min_count=st.integers(1, 4))
def test_rules_equal_brute_force(baskets, min_count):
    size = sum(bool(basket) for basket in baskets)
    counts = counted(baskets, min_count)
    itemsets, _ = mined(baskets, min_count)
    found = association_rules(itemsets).to_pylist()
    expected = all_rules(counts, size)
    assert {(tuple(row["antecedent"]), row["consequent"]) for row in found} == set(expected)
    for row in found:
        antecedent = tuple(row["antecedent"])
        count, confidence, lift, leverage, conviction = expected[antecedent, row["consequent"]]
        assert row["count"] == count
        assert row["support"] == count / size
        assert row["confidence"] == confidence
        assert row["lift"] == pytest.approx(lift)
        assert row["leverage"] == pytest.approx(leverage, abs=1e-12)
        assert row["conviction"] == (None if conviction is None else pytest.approx(conviction))
        assert row["antecedent_support"] == counts[antecedent] / size
        assert row["consequent_support"] == counts[row["consequent"],] / size
    general = {(tuple(r["antecedent"]), r["consequent"]) for r in association_rules(itemsets, prune=True).to_pylist()}
    assert general == general_rules(counts, size)


def test_many_baskets_equal_brute_force_where_bits_are_packed_anew():
    random = np.random.default_rng(7)
    chances = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    held = random.random((5000, len(chances))) < chances
    baskets = [[f"item {item}" for item in np.flatnonzero(row)] for row in held]
    assert mined(baskets, 5)[1] == counted(baskets, 5)


def test_market_example_of_tan_steinbach_kumar():
    _, counts = mined(words(MARKET), 3)
    assert counts == {
        ("bread",): 4, ("diapers",): 4, ("milk",): 4, ("beer",): 3,
        ("beer", "diapers"): 3, ("bread", "diapers"): 3, ("bread", "milk"): 3, ("diapers", "milk"): 3,
    }  # fmt: skip
    rules = run(rows_of(words(MARKET)), min_support="0.4", min_confidence=0.0).table.to_pylist()
    (rule,) = [r for r in rules if (r["antecedent"], r["consequent"]) == (["diapers", "milk"], "beer")]
    assert (rule["support"], rule["confidence"], rule["count"]) == (0.4, 2 / 3, 2)  # s = 0.4, c = 0.67 in the book


def test_electronics_example_of_han_kamber():
    _, counts = mined(words(ELECTRONICS), 2)
    assert counts == {
        ("I2",): 7, ("I1",): 6, ("I3",): 6, ("I4",): 2, ("I5",): 2,
        ("I1", "I2"): 4, ("I1", "I3"): 4, ("I1", "I5"): 2, ("I2", "I3"): 4, ("I2", "I4"): 2, ("I2", "I5"): 2,
        ("I1", "I2", "I3"): 2, ("I1", "I2", "I5"): 2,
    }  # fmt: skip
    rules = {
        (*rule["antecedent"], rule["consequent"]): rule["confidence"]
        for rule in run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.0).table.to_pylist()
    }
    assert rules["I1", "I2", "I5"] == 2 / 4
    assert rules["I1", "I5", "I2"] == 1.0
    assert rules["I2", "I5", "I1"] == 1.0


def test_order_is_by_lift_then_confidence_then_count_then_name():
    table = run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.0).table
    rows = table.to_pylist()
    keys = [(-r["lift"], -r["confidence"], -r["count"], len(r["antecedent"]), r["antecedent"], r["consequent"])
            for r in rows]  # fmt: skip
    assert keys == sorted(keys)
    backwards = run(rows_of(words(ELECTRONICS)).take(list(reversed(range(23)))), min_support="2", min_confidence=0.0)
    assert backwards.table.equals(table)


def test_reason_says_it_in_words():
    rules = run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.0).table.to_pylist()
    by_rule = {(*rule["antecedent"], rule["consequent"]): (rule["reason_code"], rule["reason"]) for rule in rules}
    assert by_rule["I1", "I5", "I2"] == (
        "more_often",
        "Of the 2 baskets with I1, I5, 2 (100.0 %) also hold I2: 1.29 times as often as all baskets.",
    )
    assert by_rule["I1", "I3"] == (
        "as_often",
        "Of the 6 baskets with I1, 4 (66.7 %) also hold I3: as often as all baskets.",
    )
    assert by_rule["I1", "I2"] == (
        "less_often",
        "Of the 6 baskets with I1, 4 (66.7 %) also hold I2: only 0.86 times as often as all baskets.",
    )


def test_minimum_confidence_lift_and_improvement_leave_rules_out():
    everything = run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.0).table.to_pylist()
    strong = run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.5, min_lift=1.2).table.to_pylist()
    assert strong == [rule for rule in everything if rule["confidence"] >= 0.5 and rule["lift"] >= 1.2]
    pruned = run(rows_of(words(ELECTRONICS)), min_support="2", min_confidence=0.0, prune=True, min_improvement=0.2)
    # I2 follows I4 and I5 with certainty, against 7 of 9 in all; I1 follows I5 likewise, against 6 of 9.
    assert [(*r["antecedent"], r["consequent"]) for r in pruned.table.to_pylist()] == [
        ("I5", "I1"), ("I4", "I2"), ("I5", "I2"),
    ]  # fmt: skip


def test_a_rule_is_redundant_also_when_only_a_much_shorter_one_is_as_strong():
    baskets = ["a b c z"] * 2 + ["a b c", "a b", "a c", "b c"] + ["a z"] * 20 + ["d"] * 100
    rules = run(rows_of(words(baskets)), min_support="2", min_confidence=0.0)
    strength = {"".join(r["antecedent"]): r["confidence"] for r in rules.table.to_pylist() if r["consequent"] == "z"}
    assert strength["ab"] == strength["ac"] == strength["bc"] == 0.5 < strength["abc"] == 2 / 3 < strength["a"]
    pruned = run(rows_of(words(baskets)), min_support="2", min_confidence=0.0, prune=True).table.to_pylist()
    assert ["".join(r["antecedent"]) for r in pruned if r["consequent"] == "z"] == ["a", "bc", "b", "c"]


def test_a_doubled_item_counts_once_and_nulls_are_left_out_and_counted():
    table = pa.table({"basket": ["1", "1", "1", "2", "2", None, "3"], "item": ["a", "a", "b", "a", "b", "a", None]})
    result = run(table, min_support="1.0")
    assert [(r["antecedent"], r["consequent"], r["count"]) for r in result.table.to_pylist()] == [
        (["a"], "b", 2), (["b"], "a", 2),
    ]  # fmt: skip
    assert result.report.metrics == {
        "baskets": 2, "items": 2, "rows_left_out": 2, "min_count": 2, "itemsets": 3, "longest_itemset": 2, "rules": 2,
    }  # fmt: skip
    assert result.report.notes == ("2 rows without a basket or an item were left out.",)
    assert result.table["conviction"].to_pylist() == [None, None]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.dictionary(pa.int32(), pa.string())])
def test_items_may_be_numbers_or_dictionaries(kind):
    item = pa.array(["1", "2", "1", "2"], pa.string())
    item = item.dictionary_encode() if pa.types.is_dictionary(kind) else item.cast(kind)
    result = run(pa.table({"basket": pa.array([1, 1, 2, 2]), "item": item}), min_support="2")
    assert result.report.metrics["rules"] == 2
    assert result.table.schema.field("antecedent").type == pa.list_(pa.string())


def test_no_rows_give_an_empty_table_with_the_same_columns():
    full = run(rows_of(words(MARKET)), min_support="2")
    for empty in (rows_of([]), pa.table({"basket": pa.nulls(2, pa.int64()), "item": pa.nulls(2, pa.string())})):
        result = run(empty)
        assert result.table.num_rows == 0
        assert result.table.schema.equals(full.table.schema)
        assert result.report.metrics["itemsets"] == 0
    single = run(rows_of([["a"], ["b"]]), min_support="1")
    assert (single.report.metrics["itemsets"], single.table.num_rows) == (2, 0)


@pytest.mark.parametrize(
    ("support", "size", "count"),
    [
        ("0.001", 155_848, 156), ("0.1%", 155_848, 156), ("1%", 200, 2), ("1 %", 201, 3), ("1.0", 50, 50),
        ("100%", 7, 7), ("1", 50, 1), ("50", 9, 50), ("0", 9, 1), ("0.0", 9, 1), (".5", 3, 2), ("1e-3", 1000, 1),
        ("0.07", 100, 7), ("0.5", 0, 1),
    ],
)  # fmt: skip
def test_support_is_a_share_or_a_count(support, size, count):
    assert least_count(support, size) == count


@pytest.mark.parametrize("support", ["", "many", "-1", "1.5", "101%", "0,5", "nan"])
def test_support_that_is_neither_is_refused(support):
    with pytest.raises(ParameterError, match=r"min_support is .*share"):
        least_count(support, 100)


def test_too_many_itemsets_are_refused_before_memory_is_full():
    table = rows_of([[f"item {place}" for place in range(30)]])
    with pytest.raises(ParameterError, match=r"more than 1,000 frequent patterns\. Raise min_support"):
        frequent_itemsets(Baskets.of(table["basket"], table["item"]), min_count=1, most=1000)


def test_itemsets_found_elsewhere_give_the_same_rules():
    found, counts = mined(words(ELECTRONICS), 2)
    again = Itemsets.of_lists([list(reversed(items)) for items in counts], list(counts.values()), 9)
    assert association_rules(again).equals(association_rules(found))
    assert again.table().equals(found.table())
    with pytest.raises(KeyError, match="subset of a frequent itemset is missing"):
        association_rules(Itemsets.of_lists([["a"], ["a", "b"]], [2, 1], 2))


def test_leverage_of_independent_items_is_zero():
    rules = run(rows_of([["a", "b"], ["a"], ["b"], ["c"]]), min_support="1").table.to_pylist()
    assert [(r["leverage"], r["lift"], math.isclose(r["conviction"], 1)) for r in rules] == [(0.0, 1.0, True)] * 2
