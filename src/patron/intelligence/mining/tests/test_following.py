"""A, then B within n days, by occasion: equal to counting by hand."""

from collections import defaultdict
from statistics import median

import numpy as np
import pytest

from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.following import following, median_gap
from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns
from patron.intelligence.mining.tests.test_sequences import loaded, textbook

UNTIL, WITHIN = 60.0, 14.0


def visits(seed=2):
    """Customer → day → items: 12 customers who come at random and buy some of four things."""
    dice = np.random.default_rng(seed)
    return {
        customer: {
            float(day): {item for item in "abcd" if dice.random() < 0.4} or {"a"}
            for day in sorted(dice.choice(61, size=int(dice.integers(1, 20)), replace=False))
        }
        for customer in range(12)
    }


def as_sequences(shopping) -> Sequences:
    data: Sequences = loaded(
        [[(day, "".join(sorted(items))) for day, items in days.items()] for days in shopping.values()]
    )
    return data


def counted(shopping):
    """The reference: (A, B) → occasions, followed, usual, expected, customers; by the formulas, one by one."""
    occasions, followed, customers, gaps = defaultdict(int), defaultdict(int), defaultdict(set), defaultdict(list)
    own, of_customer, total, usual = defaultdict(int), defaultdict(int), 0, defaultdict(int)
    held = []
    for customer, days in shopping.items():
        for day, items in days.items():
            if day > UNTIL - WITHIN:
                continue
            later = {other: what for other, what in days.items() if day < other <= day + WITHIN}
            then = set().union(*later.values())
            held.append((customer, items))
            total += 1
            of_customer[customer] += 1
            for b in then:
                usual[b] += 1
                own[customer, b] += 1
            for a in items:
                occasions[a] += 1
                for b in then:
                    followed[a, b] += 1
                    customers[a, b].add(customer)
                    gaps[a, b].append(min(other for other, what in later.items() if b in what) - day)
    return {
        (a, b): (
            occasions[a], times, usual[b] / total,
            sum(own[customer, b] / of_customer[customer] for customer, items in held if a in items),
            len(customers[a, b]), median(gaps[a, b]),
        )
        for (a, b), times in followed.items() if a != b
    }  # fmt: skip


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("least", [1, 5, 9])
def test_following_equals_counting_by_hand(seed, least):
    shopping = visits(seed)
    data = as_sequences(shopping)
    found = following(data, within=WITHIN, until=UNTIL, min_sequences=least)
    names = data.names.to_pylist()
    told = {}
    for row in range(len(found.first)):
        a, b = int(found.first[row]), int(found.then[row])
        told[names[a], names[b]] = (
            int(found.occasions[row]), int(found.followed[row]), pytest.approx(float(found.usual[row])),
            pytest.approx(float(found.expected[row])), int(found.sequences[row]),
            median_gap(data, a, b, within=WITHIN, until=UNTIL),
        )  # fmt: skip
    assert told == {pair: figures for pair, figures in counted(shopping).items() if figures[4] >= least}
    assert list(told) == sorted(told)


def test_lifts_follow_from_the_counts():
    found = following(as_sequences(visits()), within=WITHIN, until=UNTIL, min_sequences=1)
    assert found.confidence.tolist() == (found.followed / found.occasions).tolist()
    assert found.lift.tolist() == (found.confidence / found.usual).tolist()
    assert found.own_lift.tolist() == (found.followed / found.expected).tolist()


def test_nothing_that_is_known_long_enough_gives_no_pairs():
    late = loaded([[(59.0, "a"), (60.0, "b")]])
    found = following(late, within=WITHIN, until=UNTIL, min_sequences=1)
    assert len(found.first) == 0
    assert len(following(loaded([]), within=WITHIN, until=UNTIL, min_sequences=1).first) == 0


def test_single_items_a_step_are_the_patterns_without_larger_steps():
    every = patterns_table(sequential_patterns(loaded(textbook()), min_count=2)).to_pylist()
    single = patterns_table(sequential_patterns(loaded(textbook()), min_count=2, max_step=1)).to_pylist()
    assert single == [row for row in every if all(len(step) == 1 for step in row["pattern"])]
    assert 6 < len(single) < len(every) == 53
