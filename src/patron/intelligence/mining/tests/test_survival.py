"""Survival: textbook curves and tests, the paper's estimates, contracts in all their states."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.survival import MODEL, SurvivalParameters
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier, log_rank
from patron.intelligence.mining.survival.retention import (
    Counts,
    counts_of,
    geometric,
    remaining,
    retention,
    shifted_beta_geometric,
    survival,
)

#: Weeks of remission of 42 patients with leukaemia: E. J. Freireich and others, Blood 21 (1963); the example of
#: D. R. Cox & D. Oakes, Analysis of Survival Data (1984), and D. G. Kleinbaum & M. Klein, Survival Analysis.
TREATED = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
RELAPSED = np.array([True] * 9 + [False] * 12)
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])
AS_OF = dt.date(2025, 6, 30)


def test_curve_and_greenwood_errors_are_those_of_the_textbook():
    curve = kaplan_meier(TREATED, RELAPSED)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert np.round(curve.survival, 3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert np.round(curve.error, 3).tolist() == [0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135]
    assert curve.median == 23
    assert kaplan_meier(PLACEBO, np.ones(21, dtype=bool)).median == 8
    assert ((curve.low < curve.survival) & (curve.survival < curve.high)).all()
    assert (curve.at(5.9), curve.at(6), curve.at(1000)) == (1.0, curve.survival[0], curve.survival[-1])


def test_log_rank_is_that_of_the_textbook():
    tested = log_rank(
        np.concatenate((TREATED, PLACEBO)),
        np.concatenate((RELAPSED, np.ones(21, dtype=bool))),
        np.repeat([0, 1], 21),
        2,
    )
    assert tested is not None
    assert tested.statistic == pytest.approx(16.79, abs=0.005)
    assert tested.freedom == 1
    assert tested.p_value < 1e-4
    assert tested.observed == (9, 21)
    assert [round(each, 2) for each in tested.expected] == [19.25, 10.75]


def test_curve_of_a_group_that_all_left_ends_at_zero():
    curve = kaplan_meier(np.array([1, 2, 2]), np.ones(3, dtype=bool))
    assert np.allclose(curve.survival, [2 / 3, 0])
    assert (curve.low[-1], curve.high[-1]) == (0, 0)
    assert np.isfinite(curve.error).all()


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta"),
    [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182),
    ],
    ids=["high end", "regular"],
)
def test_estimates_are_those_of_fader_and_hardie(survivors, alpha, beta):
    """Fader & Hardie 2007, table 1: seven years of two segments, of 1,000 customers each."""
    left = -np.diff(np.array([*survivors, survivors[-1]]))
    still = np.zeros(len(survivors), dtype=np.int64)
    still[-1] = survivors[-1]

    fit = shifted_beta_geometric(Counts(left=left, still=still))

    assert fit.values == pytest.approx([alpha, beta], abs=1e-3)


def test_true_rates_are_found_again_within_three_standard_errors():
    dice = np.random.default_rng(3)
    theta = dice.beta(0.9, 4.0, 6000)
    life = dice.geometric(theta) - 1
    seen = dice.integers(1, 30, 6000)
    ended = life < seen
    fit = shifted_beta_geometric(counts_of(np.minimum(life, seen), ended.astype(np.int64)))
    assert np.abs((fit.values - [0.9, 4.0]) / np.array(fit.errors, dtype=float)).max() < 3


def test_retention_rises_with_age_and_survival_is_its_product():
    ages = np.arange(10)
    rates = retention(0.7, 1.2, ages)
    assert (np.diff(rates) > 0).all()
    assert np.cumprod(rates) == pytest.approx(survival(0.7, 1.2, ages + 1))
    by_hand = sum(survival(0.7, 1.2, np.array([4 + k]))[0] for k in (1, 2, 3)) / survival(0.7, 1.2, np.array([4]))[0]
    assert remaining(0.7, 1.2, np.array([4]), horizon=3)[0] == pytest.approx(by_hand)


def test_constant_rate_is_leavers_by_periods():
    found = geometric(Counts(left=np.array([2, 1]), still=np.array([0, 3])))
    assert found.theta == 3 / 7


def contracts(rows, *, group=True):
    columns = {
        "customer": pa.array([row[0] for row in rows], pa.string()),
        "start": pa.array([row[1] and dt.date.fromisoformat(row[1]) for row in rows], pa.date32()),
        "end": pa.array([row[2] and dt.date.fromisoformat(row[2]) for row in rows], pa.date32()),
    }
    if group:
        columns["group"] = pa.array([row[3] for row in rows], pa.string())
    return Rows.of(pa.table(columns))


CAST = [
    ("陳大文", "2024-01-01", None, "plan A"),
    ("王美玲", "2024-03-01", "2024-09-01", "plan B"),
    ("李志強", "2025-01-01", "2025-12-01", "plan B"),
    ("李志強", "2023-01-01", "2024-01-01", "plan A"),
    ("何嘉欣", "2025-05-01", "2025-04-01", "plan A"),
    ("Ada Wong", "2025-08-01", None, "plan B"),
    ("No Start", None, "2025-04-01", "plan B"),
    ("Zhang Wei", "2024-06-01", "2025-01-15", None),
]


def test_contracts_are_seen_as_of_the_day():
    result = MODEL.run(contracts(CAST), as_of=AS_OF)
    table = result.table.to_pylist()
    assert [(row["customer"], row["ended"], row["periods"]) for row in table] == [
        ("Zhang Wei", True, 7),
        ("李志強", True, 11),
        ("李志強", False, 5),
        ("王美玲", True, 6),
        ("陳大文", False, 17),
    ]
    assert [row["p_stay"] is None for row in table] == [True, True, False, True, False]
    assert [row["group"] for row in table] == ["unknown", "plan A", "plan B", "plan B", "plan A"]
    assert result.report.metrics["left_out"] == 2
    assert result.report.metrics["contracts_unknown"] == 1
    assert result.report.series["survival"][0] == (0.0, 1.0)
    assert {"alpha", "beta", "theta"} <= result.report.parameters.keys()
    assert table[-1]["reason"].startswith("There so far (whole months): 17; of customers who stayed that long ")


def test_groups_that_leave_apart_are_told_apart():
    dice = np.random.default_rng(7)
    rows = []
    for number in range(200):
        days = int(dice.exponential(100 if number % 2 else 300))
        start = dt.date(2024, 1, 1)
        end = start + dt.timedelta(days=days)
        rows.append((f"K{number}", start.isoformat(), end.isoformat() if end <= AS_OF else None, str(number % 2)))
    metrics = MODEL.run(contracts(rows), as_of=AS_OF).report.metrics
    assert metrics["log_rank_p"] < 1e-6
    assert metrics["median_1"] < metrics["median_0"]


def test_nobody_left_gives_no_forecast_and_says_so():
    result = MODEL.run(contracts([("陳大文", "2025-01-01", None, "")], group=False), as_of=AS_OF)
    assert result.table["reason_code"].to_pylist() == ["no_forecast"]
    assert result.report.notes == ("Nobody has left yet: how long customers stay cannot be told before some do.",)


def test_everybody_left_on_the_first_day():
    rows = [(f"K{n}", "2025-01-01", "2025-01-01", "x") for n in range(3)]
    result = MODEL.run(contracts(rows), as_of=AS_OF)
    assert result.report.metrics["median"] == 0
    assert result.report.parameters["theta"] == 1


def test_empty_table_and_a_column_of_nothing():
    result = MODEL.run(contracts([]), as_of=AS_OF)
    assert result.table.num_rows == 0
    running = pa.table({"customer": ["a"], "start": pa.array([dt.date(2025, 1, 1)]), "end": pa.nulls(1)})
    assert MODEL.run(Rows.of(running.set_column(2, "end", pa.nulls(1, pa.date32()))), as_of=AS_OF).table.num_rows == 1


def test_dates_that_are_no_dates_and_too_many_groups_are_refused():
    bad = Rows.of(pa.table({"customer": ["a"], "start": ["soon"], "end": ["late"]}))
    with pytest.raises(InputError, match="start must hold dates"):
        MODEL.run(bad, as_of=AS_OF)
    many = contracts([(f"K{n}", "2025-01-01", None, f"g{n}") for n in range(21)])
    with pytest.raises(InputError, match="21 values; at most 20"):
        MODEL.run(many, as_of=AS_OF)


def test_period_is_a_parameter():
    weeks = MODEL.run(contracts(CAST), as_of=AS_OF, parameters=SurvivalParameters(period="week"))
    assert weeks.table["periods"].to_pylist() == [32, 52, 25, 26, 78]


def test_the_curve_is_that_of_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight

    random = np.random.default_rng(2)
    times, left = random.integers(1, 40, 200), random.random(200) < 0.6
    ours, theirs = kaplan_meier(times, left), SurvfuncRight(times.astype(float), left.astype(int))
    assert ours.time.tolist() == theirs.surv_times.tolist()
    assert ours.survival == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert ours.error[:-1] == pytest.approx(theirs.surv_prob_se[:-1], abs=1e-12)
    assert ours.median == theirs.quantile(0.5)


def test_the_curve_of_nobody_and_of_those_who_all_stay():
    nobody = kaplan_meier(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    assert (nobody.at(10), nobody.error_at(10), nobody.until) == (1.0, 0.0, 0)
    stay = kaplan_meier(np.array([5, 9]), np.array([False, False]))
    assert (stay.at(9), stay.error_at(9), stay.until, stay.median) == (1.0, 0.0, 9, None)
