"""Experiment: did the treatment change anything, by how much, and did it pay?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Point
from patron.intelligence.mining.experimenting.observations import ROLES, Observations, observe
from patron.intelligence.mining.experimenting.parameters import ExperimentParameters
from patron.intelligence.mining.rows import Rows

if TYPE_CHECKING:
    from patron.intelligence.mining.experimenting.measuring import Effect, Measurement
    from patron.intelligence.mining.experimenting.uplift import Uplift

_TYPES: Final = {
    "group": pa.string(), "control": pa.string(), "treated_n": pa.int64(), "control_n": pa.int64(),
    "treated_mean": pa.float64(), "control_mean": pa.float64(),
    "lift": pa.float64(), "lift_low": pa.float64(), "lift_high": pa.float64(),
    "relative_lift": pa.float64(), "relative_low": pa.float64(), "relative_high": pa.float64(),
    "p_value": pa.float64(), "alpha": pa.float64(), "significant": pa.bool_(), "method": pa.string(),
    "offer_cost": pa.float64(), "margin": pa.float64(), "margin_low": pa.float64(), "margin_high": pa.float64(),
    "margin_total": pa.float64(), "margin_total_low": pa.float64(), "margin_total_high": pa.float64(),
    "reason_code": pa.string(), "reason": pa.string(),
}  # fmt: skip


def compute(rows: Rows, _as_of: dt.date, parameters: ExperimentParameters) -> Outcome:
    """One row per treated group, best lift first; formulas and worked numbers: ``docs/algorithms/experiment.md``."""
    from patron.intelligence.mining.experimenting.measuring import measure

    seen = observe(rows)
    found = measure(seen, parameters)
    moved, notes = _heterogeneity(seen, parameters)
    return Outcome(
        table=pa.Table.from_pylist(
            [_row(each, found.kind) for each in found.effects], schema=pa.schema(_TYPES.items())
        ),
        metrics={**_metrics(seen, found), **_uplift_metrics(moved)},
        series=_uplift_series(moved),
        fitted={} if found.slope is None else {"theta": found.slope},
        notes=(*_notes(seen, found, parameters), *notes),
    )


def _row(effect: Effect, kind: str) -> dict[str, object]:
    def total(value: float | None) -> float | None:
        return None if value is None else value * effect.treated_n

    return {
        "group": effect.group, "control": effect.control,
        "treated_n": effect.treated_n, "control_n": effect.control_n,
        "treated_mean": effect.treated_mean, "control_mean": effect.control_mean,
        "lift": effect.lift, "lift_low": effect.lift_low, "lift_high": effect.lift_high,
        "relative_lift": effect.relative_lift,
        "relative_low": effect.relative_low, "relative_high": effect.relative_high,
        "p_value": effect.p_value, "alpha": effect.alpha, "significant": effect.significant, "method": effect.method,
        "offer_cost": effect.cost,
        "margin": effect.margin, "margin_low": effect.margin_low, "margin_high": effect.margin_high,
        "margin_total": total(effect.margin), "margin_total_low": total(effect.margin_low),
        "margin_total_high": total(effect.margin_high),
        "reason_code": effect.code, "reason": _reason(effect, kind),
    }  # fmt: skip


def _reason(effect: Effect, kind: str) -> str:
    def shown(value: float) -> str:
        return f"{value * 100:.1f} points" if kind == "rate" else f"{value:.2f}"

    def mean(value: float) -> str:
        return f"{value:.1%}" if kind == "rate" else f"{value:.2f}"

    means = f"{effect.group} {mean(effect.treated_mean)}, {effect.control} {mean(effect.control_mean)}"
    if effect.lift_low is None or effect.lift_high is None:
        return f"{means}: everybody in a group had the same outcome, so chance cannot be judged."
    limits = f"between {shown(effect.lift_low)} and {shown(effect.lift_high)}"
    if not effect.significant:
        return f"{means}: no effect is shown; it lies {limits}."
    raised = "raised" if effect.code == "raised" else "lowered"
    sentence = f"{means}: the treatment {raised} it by {shown(abs(effect.lift))}; the effect lies {limits}."
    return f"{sentence} {_paid(effect)}".rstrip()


def _paid(effect: Effect) -> str:
    if effect.margin is None or effect.margin_low is None or effect.margin_high is None:
        return ""
    limits = f"between {effect.margin_low:.2f} and {effect.margin_high:.2f} per treated customer after its cost"
    if effect.margin_low > 0:
        return f"The offer paid: {effect.margin:.2f}, {limits}."
    if effect.margin_high < 0:
        return f"The offer cost more than it brought: {effect.margin:.2f}, {limits}."
    return f"Whether the offer paid is not shown: {limits}."


def _metrics(seen: Observations, found: Measurement) -> dict[str, Metric]:
    return {
        "customers": len(seen.outcome),
        "groups": len(seen.names),
        "kind": found.kind,
        "significant": sum(each.significant for each in found.effects),
        "variance_explained": found.explained,
        "before_difference": found.before_difference,
        "size_p_value": found.size_p_value,
    }


def _notes(seen: Observations, found: Measurement, parameters: ExperimentParameters) -> list[str]:
    from patron.intelligence.mining.experimenting.assigning import MISMATCH, NOTABLE_DIFFERENCE

    notes = []
    if found.size_p_value is not None and found.size_p_value < MISMATCH:
        notes.append(
            f"The groups are not of the sizes that were asked for (p = {found.size_p_value:.2g}): customers got lost "
            "on the way of one group. Find out why before trusting any result."
        )
    if found.before_difference is not None and found.before_difference > NOTABLE_DIFFERENCE:
        notes.append(
            f"The groups differed before the experiment by {found.before_difference:.2f} standard deviations: check "
            "that the groups were drawn by lot."
        )
    if found.kind == "rate" and seen.before is not None:
        notes.append("The column before is used for money only; rates are compared as they are.")
    if seen.cost is not None and all(each.margin is None for each in found.effects):
        notes.append("The offer has a cost but no margin is known: give a margin column, or margin_share for money.")
    if parameters.looks > 1:
        notes.append(
            f"Look {parameters.look} of {parameters.looks}: limits are those of {1 - found.effects[0].alpha:.4%} so "
            f"that all looks together keep {parameters.confidence:.0%}."
        )
    return notes


def _heterogeneity(seen: Observations, parameters: ExperimentParameters) -> tuple[Uplift | None, list[str]]:
    if not seen.features:
        return None, []
    if len(seen.names) != 2:
        return None, ["Whom it moves most is only asked where there is one treated group."]
    from patron.intelligence.mining.errors import InputError
    from patron.intelligence.mining.experimenting.uplift import uplift

    features = np.column_stack([seen.features[name] for name in sorted(seen.features)])
    treated = seen.group != seen.names.index(parameters.control.strip())
    try:
        moved = uplift(features, treated, seen.outcome, seed=parameters.seed)
    except InputError as refusal:
        return None, [str(refusal)]
    best = moved.qini[moved.best]
    if best.better_than_luck:
        return moved, []
    return moved, ["The features do not tell whom the treatment moves: treating everybody alike is as good."]


def _uplift_metrics(moved: Uplift | None) -> dict[str, Metric]:
    if moved is None:
        return {}
    found: dict[str, Metric] = {f"qini_{name}": curve.coefficient for name, curve in moved.qini.items()}
    return {**found, "qini_luck": moved.qini[moved.best].luck, "qini_random": 0.0, "best_learner": moved.best}


def _uplift_series(moved: Uplift | None) -> dict[str, tuple[Point, ...]]:
    if moved is None:
        return {}
    wanted = np.linspace(0, 1, 101)
    return {
        f"qini_{name}": tuple(zip(wanted.tolist(), np.interp(wanted, curve.shares, curve.gains).tolist(), strict=True))
        for name, curve in moved.qini.items()
    }


MODEL: Final = Model(
    card=ModelCard(
        name="experiment",
        title="Experiment",
        question="Did the treatment change anything, by how much, and did it pay?",
        roles=ROLES,
        method=(
            "Compares each treated group with the control group: rates by a score interval, money by a studentised "
            "bootstrap after taking out what was known before (CUPED), with limits widened for every planned look and "
            "for several groups. The result gives limits (low, high) instead of a confidence."
        ),
        source=(
            "O. Miettinen, M. Nurminen, Statistics in Medicine 4 (1985); A. Deng et al., WSDM 2013 (CUPED); P. Hall, "
            "The Bootstrap and Edgeworth Expansion (1992); K. K. G. Lan, D. L. DeMets, Biometrika 70 (1983); S. R. "
            "Künzel et al., PNAS 116 (2019); N. J. Radcliffe, Direct Marketing Analytics Journal (2007)."
        ),
        limits=(
            "It speaks of cause only where groups were drawn by lot; who chose, or was chosen, differs anyway.",
            "Who is treated may change what others in the control group do: a shared household, for example.",
            "Effects fade: it tells of the days that were measured.",
            "Very few very large customers can decide a result on money; the interval says so by being wide.",
        ),
        reads="table",
        key=("group",),
    ),
    parameters=ExperimentParameters,
    compute=compute,
)
