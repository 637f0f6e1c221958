"""How predictions are judged: small cases by hand, brute force, and measured coverage of the intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.churning.fitting import expit, fit_boosting, fit_logistic, fit_scaling, log_odds
from patron.intelligence.mining.churning.judging import area, area_gain, auc, bands, mid_ranks, quality, wilson
from patron.intelligence.mining.churning.schedule import ChurnParameters


def by_pairs(scores, left):
    """The chance that who left was ranked above who stayed, pair by pair; equal ones count half."""
    gone, here = scores[left], scores[~left]
    return np.mean([(one > other) + 0.5 * (one == other) for one in gone for other in here])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30))
def test_area_is_the_share_of_pairs_in_the_right_order(rows):
    scores, left = np.array([float(score) for score, _ in rows]), np.array([gone for _, gone in rows])
    if left.all() or not left.any():
        assert auc(scores, left) == 0.5
    else:
        assert auc(scores, left) == pytest.approx(by_pairs(scores, left))


def test_equal_values_share_the_middle_rank():
    assert mid_ranks(np.array([3.0, 1, 3, 2, 3])).tolist() == [4, 1, 4, 2, 4]
    assert mid_ranks(np.zeros(0)).tolist() == []


def test_interval_of_the_area_by_hand():
    # Leavers 3, 1, 4 and stayers 1, 0, 2: placements of leavers 1, ½, 1 (variance 1/12), of stayers 5/6, 1, 2/3 (1/36).
    found = area(np.array([3.0, 1, 4, 1, 0, 2]), np.array([True, True, True, False, False, False]))
    error = np.sqrt((1 / 12) / 3 + (1 / 36) / 3)
    assert found.value == pytest.approx(5 / 6)
    assert found.low == pytest.approx(5 / 6 - 1.959964 * error, abs=1e-6)
    assert found.high == 1.0


def test_interval_of_the_area_holds_the_truth_in_95_of_100():
    """Scores of leavers N(1, 1), of stayers N(0, 1): the area is Φ(1/√2) = 0.7602."""
    draw = np.random.default_rng(3)
    left = np.arange(300) < 60
    inside = 0
    for _ in range(400):
        found = area(draw.normal(left.astype(float), 1), left)
        inside += found.low <= 0.76025 <= found.high
    assert 0.92 <= inside / 400 <= 0.975


def test_difference_of_areas_is_sharper_than_two_intervals():
    draw = np.random.default_rng(4)
    left = np.arange(400) < 100
    one = draw.normal(left * 1.0, 1)
    other = one + draw.normal(0, 0.5, 400)
    gain = area_gain(one, other, left)
    assert gain.value == pytest.approx(auc(one, left) - auc(other, left))
    assert gain.high - gain.low < area(one, left).high - area(one, left).low
    assert area_gain(one, one, left).low == area_gain(one, one, left).high == 0


def test_share_interval_of_wilson():
    # Wilson (1927) for 10 of 100: 0.0552 to 0.1744.
    low, high = wilson(10, 100)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0552, 0.1744)
    assert [float(each) for each in wilson(0, 0)] == pytest.approx([0.0, 1.0])


def test_bands_by_hand():
    probability = np.linspace(0.95, 0.05, 20)
    left = np.isin(np.arange(20), [0, 1, 4, 10])
    parts = bands(probability, -probability, left, count=5)
    assert [part.left for part in parts] == [2, 1, 1, 0, 0]
    assert [part.gain for part in parts] == [0.5, 0.75, 1.0, 1.0, 1.0]
    assert [part.baseline_gain for part in parts] == [0.0, 0.0, 0.25, 0.5, 1.0]
    assert parts[0].lift == pytest.approx(0.5 / 0.2)
    assert parts[0].predicted == pytest.approx(probability[:4].mean())


def test_quality_of_a_perfect_and_of_a_flat_forecast():
    left = np.arange(100) < 20
    perfect = quality(left.astype(float), left)
    assert (perfect.brier, perfect.area.value, perfect.calibration_error) == (0, 1, 0)
    flat = quality(np.full(100, 0.2), left)
    assert flat.brier == pytest.approx(flat.brier_of_base_rate) == pytest.approx(0.16)
    assert flat.area.value == 0.5


def test_scaling_recovers_what_made_the_labels():
    draw = np.random.default_rng(5)
    scores = draw.normal(0, 2, 20_000)
    left = draw.random(20_000) < expit(-1 + 0.6 * scores)
    found = fit_scaling(scores, left)
    assert found.a == pytest.approx(-1, abs=0.06)
    assert found.b == pytest.approx(0.6, abs=0.04)
    low, high = found.interval(np.array([0.0]))
    assert low[0] < expit(np.array([-1.0]))[0] < high[0]


def test_logistic_equals_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(6)
    matrix = draw.normal(size=(3000, 3)).astype(np.float32)
    left = draw.random(3000) < expit(matrix @ np.array([1.0, -0.5, 0]) - 1)
    # None of these figures is skewed, so they enter as they are.
    names = ("visits_change", "spend_change", "weekend_share")
    ours = fit_logistic(matrix, left, names)
    scaled = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    theirs = LogisticRegression(C=0.1, tol=1e-8).fit(scaled, left)
    assert ours.coefficients == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert log_odds(ours, matrix) == pytest.approx(theirs.decision_function(scaled), abs=5e-3)


@pytest.mark.parametrize("rows", [4_000, 24_000])
def test_boosting_finds_what_is_not_a_straight_line(rows):
    """Log-odds of 2 where the first figure is in the middle, -2 outside: no slope, so logistic regression is blind."""
    draw = np.random.default_rng(7)
    matrix = draw.uniform(-1, 1, size=(rows, 2)).astype(np.float32)
    truth = np.where(np.abs(matrix[:, 0]) < 0.5, 2.0, -2.0)
    left = draw.random(rows) < expit(truth)
    names = ("visits_change", "spend_change")
    found = fit_boosting(matrix, left, ChurnParameters())
    scores = log_odds(found, matrix)
    assert auc(scores, left) > auc(truth, left) - 0.005
    assert auc(log_odds(fit_logistic(matrix, left, names), matrix), left) < 0.55
    # The score is the constant and the parts, and nothing else.
    parts = found.constant + sum(found.part(place, matrix[:, place].astype(float)) for place in range(2))
    assert np.allclose(scores, parts, atol=1e-12)
    assert found.part(1, matrix[:, 1].astype(float)).std() < 0.25 < found.part(0, matrix[:, 0].astype(float)).std()
    assert all(len(edges) <= 63 for edges in found.edges)
