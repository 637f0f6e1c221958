"""Churn: who will stop buying, why, and what that would cost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from patron.intelligence.mining.arrays import EPOCH
from patron.intelligence.mining.churning.schedule import ChurnParameters
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Point
from patron.intelligence.mining.transactions import (
    AMOUNT,
    CATEGORY,
    CUSTOMER,
    DATE,
    DISCOUNT,
    PRODUCT,
    PURCHASE,
    Purchases,
)

if TYPE_CHECKING:
    from patron.intelligence.mining.churning.study import Study


def compute(purchases: Purchases, as_of: dt.date, parameters: ChurnParameters) -> Outcome:
    """One row per customer at risk, by money at stake; rules: ``docs/algorithms/churn.md``."""
    # Learning libraries take long to load; listing the models does not need them.
    from patron.intelligence.mining.churning.study import study

    found = study(purchases, as_of, parameters)
    return Outcome(table=found.table, metrics=study_metrics(found), series=_series(found), notes=found.notes)


def study_metrics(found: Study) -> dict[str, Metric]:
    """The figures of a study: how many are in danger, and how good the prediction was on the test day."""
    import pyarrow.compute as pc

    table, plan = found.table, found.plan
    metrics: dict[str, Metric] = {
        "state": found.state,
        "customers": table.num_rows,
        "horizon_days": plan.horizon if table.num_rows else None,
        "expected_loss": float(pc.sum(table["expected_loss"]).as_py() or 0),
        "expected_leavers": round(pc.sum(table["probability"]).as_py() or 0.0, 2),
        "high": int(pc.sum(pc.equal(table["risk"], "high")).as_py() or 0),
        "medium": int(pc.sum(pc.equal(table["risk"], "medium")).as_py() or 0),
    }
    if found.trial is None:
        return metrics
    trial = found.trial
    worth = trial.quality
    return metrics | {
        "champion": trial.champion,
        "tested_on": (EPOCH + dt.timedelta(plan.test)).isoformat(),
        "test_customers": worth.customers,
        "test_left": worth.left,
        "auc": worth.area.value,
        "auc_low": worth.area.low,
        "auc_high": worth.area.high,
        "baseline": trial.baseline,
        **{f"auc_{name}": area.value for name, area in trial.baselines.items()},
        **{f"auc_{each.kind}": each.test.value for each in trial.candidates},
        **{f"validation_auc_{each.kind}": each.validation_auc for each in trial.candidates},
        "auc_gain": trial.gain.value,
        "auc_gain_low": trial.gain.low,
        "auc_gain_high": trial.gain.high,
        "brier": worth.brier,
        "brier_of_base_rate": worth.brier_of_base_rate,
        "log_loss": worth.log_loss,
        "calibration_error": worth.calibration_error,
        "top_tenth_lift": worth.top_tenth_lift,
    }


def _series(found: Study) -> dict[str, tuple[Point, ...]]:
    course = found.pattern.course
    series: dict[str, tuple[Point, ...]] = {
        "visits_per_week_of_leavers": tuple((float(each.week), each.left) for each in course),
        "visits_per_week_of_stayers": tuple((float(each.week), each.stayed) for each in course),
    }
    if found.trial is None:
        return series
    bands = found.trial.bands
    shares = [sum(band.customers for band in bands[: place + 1]) for place in range(len(bands))]
    total = shares[-1]
    return series | {
        "calibration": tuple((band.predicted, band.observed) for band in bands),
        "gain": tuple((share / total, band.gain) for share, band in zip(shares, bands, strict=True)),
        "baseline_gain": tuple((share / total, band.baseline_gain) for share, band in zip(shares, bands, strict=True)),
    }


MODEL: Final = Model(
    card=ModelCard(
        name="churn",
        title="Churn",
        question="Which customers will stop buying, why, and what would that cost?",
        roles=(CUSTOMER, DATE, AMOUNT, PURCHASE, CATEGORY, PRODUCT, DISCOUNT),
        method=(
            "At risk is who bought within the last horizon, left who buys nothing in the next. Learns on earlier days "
            "how customers behaved before they left (logistic regression or histogram boosting, whichever did better "
            "on a later day), turns scores into probabilities on that day, is tested on the last day whose leavers are "
            "known, and scores today. low and high hold the share who leave among customers with such a score (95 %)."
        ),
        source=(
            "D. R. Cox, The regression analysis of binary sequences, JRSS B 20 (1958); G. Ke et al., LightGBM, NeurIPS "
            "(2017); J. Platt, Probabilistic outputs for support vector machines (1999); E. R. DeLong et al., "
            "Biometrics 44 (1988)."
        ),
        limits=(
            "It needs four horizons of history; with fewer there are no probabilities.",
            "A season between the days it learned from and today shifts all probabilities; the order suffers less.",
            "A reason is what the model weighs, not a proven cause.",
            "Customers silent for longer than the horizon count as gone already and are not in the result.",
        ),
    ),
    parameters=ChurnParameters,
    compute=compute,
)
