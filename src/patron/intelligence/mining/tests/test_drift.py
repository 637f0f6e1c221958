"""Drift and moves: an index by hand, tests as scipy has them, luck told from change, change points by brute force."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.models.drift import MODEL, DriftParameters
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.watching import drifting
from patron.intelligence.mining.watching.moves import EVIDENCE, LATEST, LEAST, branch_moves

AS_OF = dt.date(2026, 3, 31)


def run(before, after, parameters=None, **kinds):
    sample = ["reference"] * len(before) + ["current"] * len(after)
    table = pa.table({"sample": sample, "fact": pa.array([*before, *after], **kinds)})
    return MODEL.run(Rows.of(table, features=("fact",)), as_of=AS_OF, parameters=parameters)


def test_index_by_hand():
    # Shares .5 .3 .2 become .4 .3 .3: (−.1)·ln(.8) + 0 + .1·ln(1.5) = 0.02231 + 0.04055.
    found = drifting.stability_index(np.array([50_000, 30_000, 20_000]), np.array([40_000, 30_000, 30_000]))
    assert found == pytest.approx(0.06286, abs=1e-4)
    assert drifting.stability_index(np.array([3, 4]), np.array([3, 4])) == 0.0
    assert drifting.stability_index(np.array([3, 0]), np.array([0, 0])) == 0.0


def test_tests_are_those_of_scipy():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 1, 400), rng.normal(0.2, 1.1, 300)
    theirs = stats.ks_2samp(first, second, method="asymp")
    distance, p_value = drifting.ks_test(first, second)
    assert distance == pytest.approx(theirs.statistic)
    assert p_value == pytest.approx(theirs.pvalue, rel=0.25)  # scipy corrects for size where we do not
    before, after = np.array([50, 30, 20, 0]), np.array([40, 30, 35, 0])
    theirs = stats.chi2_contingency([before[:3], after[:3]], correction=False)
    assert drifting.chi_square_test(before, after) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert drifting.ks_test(first, np.empty(0)) == (0.0, 1.0)


def test_a_shift_is_found_and_named():
    rng = np.random.default_rng(2)
    (row,) = run(rng.normal(50, 10, 3000), rng.normal(58, 10, 3000)).table.to_pylist()
    assert (row["level"], row["kind"]) == ("shifted", "number")
    assert row["psi"] == pytest.approx(0.64, abs=0.1)  # two normals d deviations apart: about d² = 0.64
    assert row["moved"].startswith("above")
    assert "has shifted" in row["reason"]
    (row,) = run(["a"] * 60 + ["b"] * 40, ["a"] * 20 + ["b"] * 80).table.to_pylist()
    assert (row["level"], row["kind"], row["moved_before"], row["moved_after"]) == ("shifted", "category", 0.4, 0.8)


def test_luck_alone_is_no_drift_though_small_samples_pass_the_mark():
    rng = np.random.default_rng(3)
    passed = alarmed = 0
    for _ in range(200):
        (row,) = run(rng.normal(size=60), rng.normal(size=60)).table.to_pylist()
        passed += row["psi"] >= 0.1
        alarmed += row["level"] != "stable"
    assert passed > 100, "the usual mark alone would call most of these moved"
    assert alarmed <= 2


def test_values_that_go_missing_are_a_shift():
    (row,) = run(list(range(1000)), [None] * 400 + list(range(0, 1000, 2)), type=pa.float64()).table.to_pylist()
    assert (row["level"], row["moved"], row["reference_missing"]) == ("shifted", drifting.MISSING, 0.0)
    assert row["current_missing"] == pytest.approx(400 / 900)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([1.0] * 50, [1.0] * 70, {}),
        ([None] * 50, [None] * 50, {"type": pa.float64()}),
        ([None] * 50, [None] * 50, {"type": pa.string()}),
        (["a"], ["a"], {}),
    ],
)
def test_what_never_varies_is_stable(before, after, kinds):
    (row,) = run(before, after, **kinds).table.to_pylist()
    assert (row["psi"], row["level"]) == (0.0, "stable")


def test_one_sample_or_an_unknown_one_is_refused():
    with pytest.raises(InputError, match=r"no row of the sample 'current'; the samples are: reference\."):
        run([1.0, 2.0], [])
    with pytest.raises(InputError, match="no row of the sample 'july'"):
        run([1.0], [2.0], DriftParameters(current="july"))
    with pytest.raises(ParameterError, match="must be at most shifted_psi"):
        DriftParameters(watch_psi=0.3)


def test_rare_categories_count_together():
    labels = [f"c{place:02d}" for place in range(40)]
    before = np.arange(40, 0, -1) * 100
    shift = drifting.categories_shift(labels, before, before[::-1].copy(), alpha=0.001)
    assert len(shift.bins) == drifting.CATEGORIES + 1
    assert sum(share for _, share, _ in shift.bins) == pytest.approx(1)


def by_brute_force(branches):
    """Every split tried one by one, as the module's text says."""
    latest = branches[-LATEST:]
    new = min(sorted(set(latest)), key=lambda each: (-latest.count(each), each))
    there = [each == new for each in branches]

    def likelihood(part):
        share = sum(part) / len(part) if part else 0
        return sum(np.log(share if yes else 1 - share) for yes in part) if 0 < share < 1 else 0.0

    best = None
    for split in range(LEAST, len(branches) - LEAST + 1):
        before, after = there[:split], there[split:]
        gain = likelihood(before) + likelihood(after) - likelihood(there)
        fits = sum(after) >= 0.7 * len(after) and sum(before) <= 0.2 * len(before) and gain >= EVIDENCE
        if fits and (best is None or gain > best[0] + 1e-9):
            best = (gain, split)
    return None if best is None else (new, best[1])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=30), min_size=1, max_size=4))
def test_moves_are_those_of_brute_force(histories):
    owner = np.repeat(np.arange(len(histories)), [len(each) for each in histories])
    day = np.concatenate([np.arange(len(each)) for each in histories])
    found = branch_moves(owner, day, np.concatenate([np.array(each) for each in histories]))
    expected = {place: by_brute_force(each) for place, each in enumerate(histories)}
    assert dict(
        zip(found.owner.tolist(), zip(found.new.tolist(), found.changed.tolist(), strict=True), strict=True)
    ) == {place: move for place, move in expected.items() if move is not None}


def test_who_moved_is_found_with_both_branches_and_the_day_it_was_clear():
    branch = np.array([4] * 12 + [7] + [4] * 8 + [9] * 9)
    found = branch_moves(np.zeros(30, dtype=np.int64), np.arange(100, 130), branch)
    assert (found.owner.tolist(), found.old.tolist(), found.new.tolist()) == ([0], [4], [9])
    assert (found.changed.tolist(), found.evident.tolist()) == ([121], [125])
    nobody = branch_moves(*(np.zeros(0, dtype=np.int64),) * 3)
    assert len(nobody.owner) == 0


def test_who_goes_here_and_there_has_not_moved():
    rng = np.random.default_rng(5)
    owner = np.repeat(np.arange(2000), 40)
    found = branch_moves(owner, np.tile(np.arange(40), 2000), rng.integers(0, 3, len(owner)))
    assert len(found.owner) <= 4  # 2 of 1,000 by luck


def test_rows_in_another_order_give_the_same_figures():
    rng = np.random.default_rng(6)
    before, after = rng.normal(0, 1, 501), rng.normal(0.3, 1, 499)
    assert run(before, after).table.equals(run(before[::-1], after[::-1]).table)
