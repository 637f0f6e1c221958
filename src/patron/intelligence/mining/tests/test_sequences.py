"""Sequential patterns: equal to brute force with and without limits of time, and to the textbook example."""

import datetime as dt
import itertools
from statistics import median

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.patterns.events import Sequences, frequent_elements
from patron.intelligence.mining.patterns.gaps import Gaps, grow_within
from patron.intelligence.mining.patterns.prefixspan import grow
from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 6, 30)
# J. Pei et al., PrefixSpan, ICDE 2001 and TKDE 2004, table 1: <a(abc)(ac)d(cf)>, <(ad)c(bc)(ae)>, <(ef)(ab)(df)cb>,
# <eg(af)cbc>.
TEXTBOOK = ("a abc ac d cf", "ad c bc ae", "ef ab df c b", "e g af c b c")

#: One sequence: (position, items) in order.
Events = list[tuple[float, str]]


def textbook():
    return [list(enumerate(sequence.split(), start=1)) for sequence in TEXTBOOK]


def rows_of(sequences):
    rows = [
        (number, position, item)
        for number, events in enumerate(sequences)
        for position, items in events
        for item in items
    ]
    return pa.table({
        "sequence": pa.array([row[0] for row in rows], pa.int64()),
        "position": pa.array([row[1] for row in rows], pa.float64()),
        "item": pa.array([row[2] for row in rows], pa.string()),
    })  # fmt: skip


def loaded(sequences):
    table = rows_of(sequences)
    return Sequences.of(table["sequence"], table["position"], table["item"])


def run(table, **parameters):
    model = model_named("sequences")
    return model.run(Rows.of(table), as_of=AS_OF, parameters=model.parameters(**parameters))


def in_words(pattern):
    """``[["a"], ["b", "c"]]`` as the papers write it: ``a(bc)``."""
    return "".join(step[0] if len(step) == 1 else f"({''.join(step)})" for step in pattern)


def mined(sequences, min_count, max_length=0, gaps=Gaps()):  # noqa: B008 (frozen)
    found = sequential_patterns(loaded(sequences), min_count=min_count, max_length=max_length, gaps=gaps)
    return {in_words(row["pattern"]): row["count"] for row in patterns_table(found).to_pylist()}


def patterns_of(events, gaps, longest):
    """The reference: every pattern that a sequence holds, by trying all choices of events and of subsets of each."""
    held = set()
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(events, count) for count in range(1, len(events) + 1)
    ):
        times = [position for position, _ in chosen]
        apart = [later - earlier for earlier, later in itertools.pairwise(times)]
        if any(gap < gaps.min_gap or (gaps.max_gap and gap > gaps.max_gap) for gap in apart):
            continue
        if gaps.within and times[-1] - times[0] > gaps.within:
            continue
        subsets = [
            [each for size in range(1, len(items) + 1) for each in itertools.combinations(sorted(set(items)), size)]
            for _, items in chosen
        ]
        held |= {pattern for pattern in itertools.product(*subsets) if sum(map(len, pattern)) <= longest}
    return held


def counted(sequences, min_count, max_length=0, gaps=Gaps()):  # noqa: B008 (frozen)
    counts = {}
    for events in sequences:
        for pattern in patterns_of(events, gaps, max_length or 99):
            counts[pattern] = counts.get(pattern, 0) + 1
    return {in_words(pattern): count for pattern, count in counts.items() if count >= min_count}


@st.composite
def some_sequences(draw):
    items = st.sets(st.sampled_from("abc"), min_size=1).map(lambda each: "".join(sorted(each)))
    sequences = []
    for _ in range(draw(st.integers(0, 5))):
        positions = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=5)))
        sequences.append([(float(position), draw(items)) for position in positions])
    return sequences


some_gaps = st.builds(
    Gaps,
    min_gap=st.sampled_from([0.0, 2.0, 3.0]),
    max_gap=st.sampled_from([0.0, 3.0, 4.0]),
    within=st.sampled_from([0.0, 5.0, 8.0]),
)


@settings(max_examples=80, deadline=None)
@given(sequences=some_sequences(), min_count=st.integers(1, 3), max_length=st.sampled_from([0, 1, 2, 3, 4]))
def test_patterns_equal_brute_force(sequences, min_count, max_length):
    assert mined(sequences, min_count, max_length) == counted(sequences, min_count, max_length)


@settings(max_examples=120, deadline=None)
@given(sequences=some_sequences(), gaps=some_gaps, min_count=st.integers(1, 3), max_length=st.sampled_from([0, 2, 4]))
def test_patterns_within_gaps_equal_brute_force(sequences, gaps, min_count, max_length):
    assert mined(sequences, min_count, max_length, gaps) == counted(sequences, min_count, max_length, gaps)


def test_textbook_example_has_its_53_patterns():
    found = mined(textbook(), 2)
    assert len(found) == 53
    assert found == counted(textbook(), 2)
    # Table 2 of the paper: the patterns with prefixes a, e and f.
    assert {pattern for pattern in found if pattern.startswith(("a", "(a"))} == {
        "a", "aa", "ab", "a(bc)", "a(bc)a", "aba", "abc", "(ab)", "(ab)c", "(ab)d", "(ab)f", "(ab)dc", "ac", "aca",
        "acb", "acc", "ad", "adc", "af",
    }  # fmt: skip
    assert {pattern for pattern in found if pattern[0] in "ef"} == {
        "e", "ea", "eab", "eac", "eacb", "eb", "ebc", "ec", "ecb", "ef", "efb", "efc", "efcb",
        "f", "fb", "fbc", "fc", "fcb",
    }  # fmt: skip
    assert {pattern: found[pattern] for pattern in "abcdef"} == {"a": 4, "b": 4, "c": 4, "d": 3, "e": 3, "f": 3}


@pytest.mark.parametrize("longest", [100, 400])
def test_long_sequences_are_the_same_whichever_way_they_are_mined(longest):
    random = np.random.default_rng(3)
    sequences = [
        [(float(place), "".join(item for item in "abcdef" if random.random() < 0.25) or "a") for place in range(length)]
        for length in random.integers(1, longest, size=60)
    ]
    data = loaded(sequences)
    elements = frequent_elements(data, min_count=30)
    ways = [
        grow(data, elements, min_count=30, max_length=4),
        grow(data, elements, min_count=30, max_length=4, table_bytes=0),
        grow_within(data, elements, Gaps(within=1000.0), min_count=30, max_length=4),
    ]
    found = [paths(*way.arrays()) for way in ways]
    assert len(found[0]) > 1000
    assert found[0] == found[1] == found[2]


def paths(prefix, step, count):
    whole = {-1: ()}
    found = {}
    for place, (before, last, times) in enumerate(zip(prefix.tolist(), step.tolist(), count.tolist(), strict=True)):
        whole[place] = (*whole[before], last)
        found[whole[place]] = times
    return found


def test_the_latest_of_many_starts_decides_whether_all_steps_are_near_enough():
    # b at 9 can follow c at 5, 6 or 7; only c at 7 can follow the a at 5, and the a at 2 is too long ago.
    events = [(2.0, "a"), (5.0, "ac"), (6.0, "c"), (7.0, "c"), (9.0, "b")]
    assert mined([events], 1, gaps=Gaps(min_gap=2, max_gap=4, within=5))["acb"] == 1
    assert "acb" not in mined([events], 1, gaps=Gaps(min_gap=2, max_gap=4, within=3))


def test_strength_and_typical_gap_of_a_then_b():
    sequences = [
        [(0.0, "a"), (3.0, "b"), (20.0, "b")],
        [(0.0, "a"), (10.0, "a"), (15.0, "b")],
        [(0.0, "a"), (40.0, "b")],
        [(0.0, "a")],
        [(0.0, "c")],
    ]
    anytime = {in_words(row["pattern"]): row for row in run(rows_of(sequences), min_support="1").table.to_pylist()}
    rule = anytime["ab"]
    assert (rule["count"], rule["support"], rule["confidence"]) == (3, 3 / 5, 3 / 4)
    assert rule["lift"] == pytest.approx(0.75 / (3 / 5))
    assert rule["median_gap"] == median([3, 15, 40])
    soon = {in_words(r["pattern"]): r for r in run(rows_of(sequences), min_support="1", max_gap=6.0).table.to_pylist()}
    assert (soon["ab"]["count"], soon["ab"]["median_gap"]) == (2, median([3, 5]))
    late = {in_words(r["pattern"]): r for r in run(rows_of(sequences), min_support="1", min_gap=12.0).table.to_pylist()}
    assert (late["ab"]["count"], late["ab"]["median_gap"]) == (3, median([20, 15, 40]))


def test_dates_are_days_and_the_reason_says_it_in_words():
    day = dt.date(2025, 3, 1)
    table = pa.table({
        "sequence": ["陳大文", "陳大文", "王美玲", "王美玲"],
        "position": [day, day + dt.timedelta(6), day, day + dt.timedelta(9)],
        "item": ["milk", "bread", "milk", "bread"],
    })  # fmt: skip
    rows = run(table, min_support="100%", within=14.0).table.to_pylist()
    reason = (
        "Found in 2 of 2 sequences (100.0 %); of those with the steps before, 100.0 % go on to the last, usually "
        "after 7.5 days."
    )
    assert [(row["pattern"], row["steps"], row["length"], row["reason_code"], row["reason"]) for row in rows] == [
        ([["bread"]], 1, 1, "one_step", "Found in 2 of 2 sequences (100.0 %)."),
        ([["milk"]], 1, 1, "one_step", "Found in 2 of 2 sequences (100.0 %)."),
        (
            [["milk"], ["bread"]], 2, 2, "two_steps",
            reason,
        ),
    ]  # fmt: skip
    moments = table.set_column(1, "position", table["position"].cast(pa.timestamp("us")))
    assert run(moments, min_support="100%", within=14.0).table.to_pylist() == rows


def test_order_is_by_count_then_length_then_name_whatever_the_order_of_the_rows():
    table = rows_of(textbook())
    result = run(table, min_support="2")
    rows = result.table.to_pylist()
    keys = [(-row["count"], row["length"], row["steps"], row["pattern"]) for row in rows]
    assert keys == sorted(keys)
    backwards = run(table.take(list(reversed(range(table.num_rows)))), min_support="50%")
    assert backwards.table.equals(result.table)
    assert result.report.metrics == {
        "sequences": 4, "events": 20, "items": 7, "rows_left_out": 0, "min_count": 2, "patterns": 53,
        "longest_pattern": 4,
    }  # fmt: skip


def test_nulls_are_left_out_and_counted_and_nothing_gives_an_empty_table():
    full = run(rows_of(textbook()), min_support="2")
    holes = pa.table({
        "sequence": [1, 1, None, 2], "position": [1, None, 1, 1], "item": ["a", "b", "c", None],
    })  # fmt: skip
    result = run(holes, min_support="1")
    assert [row["pattern"] for row in result.table.to_pylist()] == [[["a"]]]
    assert result.report.notes == ("3 rows without a sequence, a position or an item were left out.",)
    for min_support, gap in (("0.5", 0.0), ("1", 3.0)):
        empty = run(rows_of([]), min_support=min_support, max_gap=gap)
        assert empty.table.num_rows == 0
        assert empty.table.schema.equals(full.table.schema)
    assert run(rows_of(textbook()), min_support="5").table.num_rows == 0
    assert run(rows_of(textbook()), min_support="5", within=2.0).table.schema.equals(full.table.schema)


def test_what_cannot_be_used_is_refused_in_words():
    text = pa.table({"sequence": ["1"], "position": ["first"], "item": ["a"]})
    with pytest.raises(InputError, match="position must be a number or a date"):
        run(text)
    with pytest.raises(ParameterError, match="min_gap is 5 and max_gap 3"):
        run(rows_of(textbook()), min_gap=5.0, max_gap=3.0)
    with pytest.raises(ParameterError, match=r"more than 20 frequent patterns\. Raise min_support"):
        sequential_patterns(loaded(textbook()), min_count=2, most=20)
    with pytest.raises(ParameterError, match=r"more than 20 frequent patterns\. Raise min_support"):
        sequential_patterns(loaded(textbook()), min_count=2, gaps=Gaps(within=9), most=20)
