"""How often the intervals hold the truth: exactly, over every possible outcome, for rates; by simulation for money."""

import numpy as np
import pytest
from scipy.stats import binom

from patron.intelligence.mining.experimenting import means, rates
from patron.intelligence.mining.experimenting.uplift import fifths, qini, uplift


@pytest.fixture(scope="module", name="limits")
def _limits():
    """The interval of every pair of successes among 150 treated and 50 control customers."""
    treated, control = (each.ravel() for each in np.meshgrid(np.arange(151.0), np.arange(51.0), indexing="ij"))
    return rates.difference_interval(
        treated, np.full_like(treated, 150), control, np.full_like(control, 50), confidence=0.95
    )


@pytest.mark.parametrize(
    ("treated", "control", "least", "most"),
    [
        (0.01, 0.01, 0.93, 0.98),
        (0.02, 0.05, 0.93, 0.97),
        (0.05, 0.05, 0.93, 0.97),
        (0.10, 0.20, 0.94, 0.96),
        (0.30, 0.30, 0.94, 0.96),
        (0.50, 0.45, 0.94, 0.96),
        (0.90, 0.95, 0.93, 0.97),
        (0.99, 0.97, 0.93, 0.97),
    ],
)
def test_rate_interval_holds_the_truth_in_95_of_100(limits, treated, control, least, most):
    weight = np.outer(binom.pmf(np.arange(151), 150, treated), binom.pmf(np.arange(51), 50, control)).ravel()
    low, high = limits
    held = float(weight[(low <= treated - control) & (treated - control <= high)].sum())
    assert least <= held <= most


@pytest.mark.parametrize(("treated", "control", "sigma"), [(200, 200, 1.0), (300, 75, 1.0), (75, 300, 1.0)])
def test_money_interval_holds_the_truth_in_95_of_100(treated, control, sigma):
    """Log-normal money: with sigma 1 the top 20 % bring 56 %, and the mean is 1.6 times the median."""
    rng = np.random.default_rng(5)
    truth = 0.2 * np.exp(sigma**2 / 2)
    held = held_ratio = 0
    for seed in range(400):
        given, kept = 1.2 * rng.lognormal(0, sigma, treated), rng.lognormal(0, sigma, control)
        found = means.compare(given, kept, alpha=0.05, resamples=500, seed=seed)
        held += found.low <= truth <= found.high
        held_ratio += found.ratio_low <= 1.2 <= found.ratio_high
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)
    # ± 2.5 points: 400 experiments tell a coverage to ± 1.1 points (one standard error).
    assert held / 400 == pytest.approx(0.95, abs=0.025)
    assert held_ratio / 400 == pytest.approx(0.95, abs=0.025)


def test_without_effect_one_experiment_in_twenty_raises_a_false_alarm_with_cuped_too():
    rng = np.random.default_rng(9)
    before = rng.lognormal(3, 1, (1000, 300))
    spend = before * rng.lognormal(0, 0.6, before.shape)
    group = np.repeat([0, 1], 150)
    alarms = 0
    for place in range(1000):
        values, _, _ = means.adjusted(spend[place], before[place], group)
        first, second = means.moments(values[:150]), means.moments(values[150:])
        alarms += float(means.welch(first, second, alpha=0.05)[2]) < 0.05
    assert alarms / 1000 == pytest.approx(0.05, abs=0.015)


def test_large_groups_and_fine_levels_are_read_off_the_t_distribution():
    rng = np.random.default_rng(4)
    given, kept = rng.gamma(2, 10, 21_000) + 0.4, rng.gamma(2, 10, 21_000)
    large = means.compare(given, kept, alpha=0.05, resamples=200, seed=0)
    low, high, p_value = means.welch(means.moments(given), means.moments(kept), alpha=0.05)
    assert large.method == "Welch t"
    assert (large.low, large.high, large.p_value) == pytest.approx((float(low), float(high), float(p_value)))
    few = means.compare(given[:300], kept[:300], alpha=1e-6, resamples=2000, seed=0)
    plain = means.compare(given[:300], kept[:300], alpha=0.05, resamples=2000, seed=0)
    assert few.high - few.low > 2 * (plain.high - plain.low)


def test_qini_of_a_small_table_by_hand():
    # Best first: treated 1, control 0, treated 1, control 1, treated 0, control 0.
    treated = np.array([True, False, True, False, True, False])
    outcome = np.array([1.0, 0, 1, 1, 0, 0])
    scores = np.array([6.0, 5, 4, 3, 2, 1])
    curve = qini(scores, treated, outcome)
    # After each: 1 (no control yet); 1 - 0·1; 2 - 0·2; 2 - 1·1; 2 - 1·1.5; 2 - 1·1; divided by 3 treated.
    assert (curve.gains * 3).tolist() == pytest.approx([0, 1, 1, 2, 1, 0.5, 1])
    area = (0.5 + 1 + 1.5 + 1.5 + 0.75 + 0.75) / 6 / 3
    assert curve.coefficient == pytest.approx(area - 1 / 6)
    tied = qini(np.zeros(6), treated, outcome)
    assert (tied.gains * 3).tolist() == pytest.approx([0, 1])
    assert tied.coefficient == 0.0


def test_learners_rank_customers_by_the_effect_that_was_built_in():
    rng = np.random.default_rng(11)
    features = rng.normal(size=(4000, 3))
    treated = rng.random(4000) < 0.4
    effect = 20 / (1 + np.exp(-3 * features[:, 0]))
    spend = 50 + 10 * features[:, 1] + rng.gamma(2, 10, 4000) + np.where(treated, effect, 0)
    found = uplift(features, treated, spend, seed=1)
    for name, scores in found.scores.items():
        assert np.corrcoef(scores, effect)[0, 1] > 0.7, name
        assert found.qini[name].better_than_luck
    assert found.qini["x"].coefficient <= qini(effect, treated, spend).coefficient * 1.25
    best, *_, worst = fifths(found.scores[found.best], treated, spend)
    assert best.lift > 14
    assert worst.lift < 6
    again = uplift(features, treated, spend, seed=1)
    assert np.array_equal(found.scores["x"], again.scores["x"])
