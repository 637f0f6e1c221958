"""What a treatment changed: lift with limits for every treated group, its margin after the offer, a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.experimenting import means, rates
from patron.intelligence.mining.experimenting.observations import Observations
from patron.intelligence.mining.experimenting.parameters import MONEY, RATE, ExperimentParameters
from patron.intelligence.mining.experimenting.sequential import boundaries, equal_looks


@dataclass(frozen=True, slots=True)
class Effect:
    """One treated group against the control group. Limits leave ``alpha`` outside; none where nothing varies.

    ``lift`` is a difference of means (or rates): adjusted for what was known before where there was such a column.
    ``margin`` is the margin after the cost of the offer that a treated customer brought beyond the control group, and
    its limits; none where no margin is known. ``code`` names the verdict: raised, lowered, not_shown, no_variation.
    """

    group: str
    control: str
    treated_n: int
    control_n: int
    treated_mean: float
    control_mean: float
    lift: float
    lift_low: float | None
    lift_high: float | None
    relative_lift: float | None
    relative_low: float | None
    relative_high: float | None
    p_value: float | None
    alpha: float
    method: str
    cost: float | None
    margin: float | None
    margin_low: float | None
    margin_high: float | None
    code: str

    @property
    def significant(self) -> bool:
        """Whether chance alone would show so much at this look only once in many experiments."""
        return self.code in ("raised", "lowered")


@dataclass(frozen=True, slots=True)
class Measurement:
    """All effects of an experiment, best lift first, with what they rest on.

    ``slope`` and ``explained``: of the covariate from before (none without one). ``before_difference``: how far groups
    lay apart before, in standard deviations. ``size_p_value``: of sizes as asked for; none where no share was stated.
    """

    kind: str
    effects: tuple[Effect, ...]
    slope: float | None
    explained: float | None
    before_difference: float | None
    size_p_value: float | None


def measure(seen: Observations, parameters: ExperimentParameters) -> Measurement:
    """Compare every group with the control group.

    Raises :class:`InputError` where there is no such control group, no treated group, or a group of one; and
    :class:`ParameterError` for a rate whose outcomes are not 0 and 1.
    """
    place = _control_of(seen, parameters.control)
    kind = _kind(seen.outcome, parameters.kind)
    treated = [each for each in range(len(seen.names)) if each != place]
    alpha = _alpha(parameters, len(treated))
    outcome, slope, explained = seen.outcome, None, None
    if seen.before is not None and kind == MONEY:
        outcome, slope, explained = means.adjusted(seen.outcome, seen.before, seen.group)
    net = _net_margin(seen, kind, parameters)
    effects = [
        _effect(seen, outcome, net, each, place, kind, alpha, parameters, adjusted=slope is not None)
        for each in treated
    ]
    return Measurement(
        kind=kind,
        effects=tuple(sorted(effects, key=lambda each: (-each.lift, each.group))),
        slope=slope,
        explained=explained,
        before_difference=_before_difference(seen),
        size_p_value=_size_p_value(seen, place, parameters),
    )


def _control_of(seen: Observations, control: str) -> int:
    sizes = seen.sizes
    listed = ", ".join(f"{name} ({count})" for name, count in sizes.items())
    if control.strip() not in sizes:
        raise InputError(
            f"There is no group {control!r} to compare with; the groups are: {listed}. Say which is the control."
        )
    if len(sizes) == 1:
        raise InputError(
            f"Everybody is in the group {listed}: an experiment compares those treated with customers who could have "
            "been treated and by lot were not. Add the rows of the other group."
        )
    small = [name for name, count in sizes.items() if count < 2]
    if small:
        raise InputError(
            f"The group {small[0]} has one customer; a comparison needs at least two in each group: {listed}."
        )
    return seen.names.index(control.strip())


def _kind(outcome: Real, wanted: str) -> str:
    binary = bool(np.isin(outcome, (0.0, 1.0)).all())
    if wanted == "auto":
        return RATE if binary else MONEY
    if wanted == RATE and not binary:
        other = outcome[~np.isin(outcome, (0.0, 1.0))][0]
        raise ParameterError(
            f"A rate needs outcomes of 0 and 1; there is {other:g}. Choose kind money, or correct them."
        )
    return wanted


def _alpha(parameters: ExperimentParameters, groups: int) -> float:
    """What may lie outside the limits of one group at this look."""
    alpha = 1 - parameters.confidence
    if parameters.correct_groups:
        alpha /= groups
    if parameters.looks == 1:
        return alpha
    bound = boundaries(equal_looks(parameters.looks), alpha=alpha)[parameters.look - 1]
    return float(2 * ndtr(-bound))


def _net_margin(seen: Observations, kind: str, parameters: ExperimentParameters) -> Real | None:
    if seen.margin is not None:
        margin = np.nan_to_num(seen.margin)
    elif kind == MONEY and parameters.margin_share > 0:
        margin = seen.outcome * parameters.margin_share
    else:
        return None
    net = margin - (0.0 if seen.cost is None else np.nan_to_num(seen.cost))
    if seen.before is not None:
        net, _, _ = means.adjusted(net, seen.before, seen.group)
    return net


def _effect(
    seen: Observations,
    outcome: Real,
    net: Real | None,
    treated: int,
    control: int,
    kind: str,
    alpha: float,
    parameters: ExperimentParameters,
    *,
    adjusted: bool,
) -> Effect:
    given, kept = seen.group == treated, seen.group == control
    compared = _rates(outcome[given], outcome[kept], alpha) if kind == RATE else None
    if compared is None:
        compared = means.compare(
            outcome[given], outcome[kept], alpha=alpha, resamples=parameters.resamples, seed=parameters.seed
        )
    margin = None
    if net is not None:
        margin = means.compare(net[given], net[kept], alpha=alpha, resamples=parameters.resamples, seed=parameters.seed)
    kept_mean = float(outcome[kept].mean())
    return Effect(
        group=seen.names[treated],
        control=seen.names[control],
        treated_n=int(given.sum()),
        control_n=int(kept.sum()),
        treated_mean=float(seen.outcome[given].mean()),
        control_mean=float(seen.outcome[kept].mean()),
        lift=compared.difference,
        lift_low=compared.low,
        lift_high=compared.high,
        relative_lift=compared.difference / kept_mean if kept_mean > 0 else None,
        relative_low=None if compared.ratio_low is None else compared.ratio_low - 1,
        relative_high=None if compared.ratio_high is None else compared.ratio_high - 1,
        p_value=compared.p_value,
        alpha=alpha,
        method=f"CUPED, {compared.method}" if adjusted else compared.method,
        cost=None if seen.cost is None else float(np.nan_to_num(seen.cost[given]).mean()),
        margin=None if margin is None else margin.difference,
        margin_low=None if margin is None else margin.low,
        margin_high=None if margin is None else margin.high,
        code=_verdict(compared, alpha),
    )


def _rates(given: Real, kept: Real, alpha: float) -> means.Comparison:
    x1, n1, x0, n0 = (np.array([float(each)]) for each in (given.sum(), len(given), kept.sum(), len(kept)))
    low, high = rates.difference_interval(x1, n1, x0, n0, confidence=1 - alpha)
    ratio_low, ratio_high = rates.ratio_interval(x1, n1, x0, n0, confidence=1 - alpha)
    related = float(x0[0]) > 0
    return means.Comparison(
        difference=float(given.mean() - kept.mean()),
        low=float(low[0]),
        high=float(high[0]),
        p_value=float(rates.score_p_value(x1, n1, x0, n0)[0]),
        ratio_low=float(ratio_low[0]) if related else None,
        ratio_high=float(ratio_high[0]) if related else None,
        method="Miettinen-Nurminen score",
    )


def _verdict(compared: means.Comparison, alpha: float) -> str:
    if compared.p_value is None:
        return "no_variation"
    if compared.p_value >= alpha:
        return "not_shown"
    return "raised" if compared.difference > 0 else "lowered"


def _before_difference(seen: Observations) -> float | None:
    if seen.before is None:
        return None
    known = np.isfinite(seen.before)
    parts = [seen.before[known & (seen.group == each)] for each in range(len(seen.names))]
    parts = [part for part in parts if len(part) > 1]
    pooled = float(np.sqrt(np.mean([part.var(ddof=1) for part in parts]))) if parts else 0.0
    if pooled == 0:
        return None
    centres = [float(part.mean()) for part in parts]
    return (max(centres) - min(centres)) / pooled


def _size_p_value(seen: Observations, control: int, parameters: ExperimentParameters) -> float | None:
    if not parameters.treated_share:
        return None
    treated, total = int((seen.group != control).sum()), len(seen.group)
    expected = total * parameters.treated_share
    error = np.sqrt(expected * (1 - parameters.treated_share))
    return float(2 * ndtr(-abs(treated - expected) / error))
