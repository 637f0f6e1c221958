"""A study of churn: who is in danger today, how well that was foretold before, and what leavers did before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import EPOCH, Flags, Real, counts, day_number, decimals, half_up, labels
from patron.intelligence.mining.churning.features import Behaviour, Snapshot
from patron.intelligence.mining.churning.fitting import LEAK_AUC, leaks
from patron.intelligence.mining.churning.judging import wilson
from patron.intelligence.mining.churning.pattern import Pattern, pattern_of
from patron.intelligence.mining.churning.reasons import (
    NO_HISTORY,
    REASONS,
    STEADY,
    TOLD,
    Codes,
    reason_sentences,
    reasons_of,
)
from patron.intelligence.mining.churning.schedule import ChurnParameters, Schedule, schedule
from patron.intelligence.mining.churning.trial import Trial, enough, fit, hold
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.transactions import Purchases

RISKS: Final = ("low", "medium", "high")
State = Literal["tested", "too_short", "too_few"]


@dataclass(frozen=True, slots=True)
class Known:
    """What became of those at risk at a cut-off: the base rate over time."""

    on: dt.date
    use: str
    customers: int
    left: int


@dataclass(frozen=True, slots=True)
class Study:
    """Everything a study found. ``trial`` is None unless the state is ``tested``.

    ``table``: one row per customer at risk today, by money at stake, the most first, then by customer; columns are
    explained in ``docs/algorithms/churn.md``.
    """

    state: State
    plan: Schedule
    table: pa.Table
    trial: Trial | None
    pattern: Pattern
    known: tuple[Known, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Probability with its interval (None where nothing can be learned), and reason codes, per customer at risk."""

    probability: Real | None
    low: Real | None
    high: Real | None
    codes: tuple[Codes, ...]


def study(purchases: Purchases, as_of: dt.date, parameters: ChurnParameters) -> Study:
    """Who at risk on ``as_of`` will leave; nothing dated later is looked at."""
    known_purchases = purchases.until(as_of)
    plan = schedule(visits_of(known_purchases.days), day_number(as_of), parameters)
    behaviour = Behaviour(known_purchases, plan, parameters)
    snapshots = {cutoff: behaviour.at(cutoff) for cutoff in plan.known()}
    today = behaviour.at(plan.as_of)
    training = [snapshots[cutoff] for cutoff in plan.training]
    refused = leaks(training) if training and _pooled(training).any() else ()
    notes = _notes(plan, training, refused, parameters)
    names = tuple(name for name in today.names if name not in refused)
    least = parameters.min_leavers
    state: State = "too_short"
    trial, scores = None, _unknown(today)
    if plan.sufficient:
        parts = [training, [snapshots[plan.validation]], [snapshots[plan.test]]]
        if names and all(enough(_pooled(part), least) for part in parts):
            state = "tested"
            trial = hold(training, snapshots[plan.validation], snapshots[plan.test], names, parameters)
            scores = _scores(trial.champion, snapshots, today, plan, names, parameters)
        else:
            state = "too_few"
            scores = _base_rate(_pooled(list(snapshots.values())), len(today.who))
            notes = (*notes, _too_few(parts, least))
    return Study(
        state=state,
        plan=plan,
        table=_table(known_purchases, today, scores, plan, parameters),
        trial=trial,
        pattern=pattern_of(list(snapshots.values()), behaviour.visits, plan) if snapshots else Pattern(0, 0, (), ()),
        known=tuple(_known(each, plan) for each in snapshots.values()),
        refused=refused,
        notes=notes,
    )


def _scores(
    champion: str,
    snapshots: dict[int, Snapshot],
    today: Snapshot,
    plan: Schedule,
    names: Sequence[str],
    parameters: ChurnParameters,
) -> _Scores:
    """The tested recipe, moved on by one horizon: everything known of leavers by now is learned from."""
    training, calibration = plan.before(plan.as_of)
    learned = fit(champion, [snapshots[day] for day in training], snapshots[calibration], names, parameters)
    scores = learned.scores(today)
    probability = learned.scaling.probability(scores)
    low, high = learned.scaling.interval(scores)
    reasons = reasons_of(today, learned.explainer, learned.scaling, endangered=probability >= parameters.medium_risk)
    return _Scores(probability, low, high, reasons.codes)


def _base_rate(left: Flags, customers: int) -> _Scores:
    """The same for everybody: the share that left before, a half leaver and a half stayer added."""
    low, high = wilson(int(left.sum()), len(left))
    rate = (int(left.sum()) + 0.5) / (len(left) + 1)
    whole = np.ones(customers)
    return _Scores(whole * rate, whole * float(low), whole * float(high), _all(customers, STEADY))


def _unknown(today: Snapshot) -> _Scores:
    return _Scores(None, None, None, _all(len(today.who), NO_HISTORY))


def _all(customers: int, code: int) -> tuple[Codes, ...]:
    none = np.full(customers, -1, dtype=np.int8)
    return (np.full(customers, code, dtype=np.int8), *(none for _ in range(TOLD - 1)))


def _table(
    purchases: Purchases, today: Snapshot, scores: _Scores, plan: Schedule, parameters: ChurnParameters
) -> pa.Table:
    unknown = scores.probability is None
    probability = np.zeros(len(today.who)) if scores.probability is None else scores.probability
    money = np.maximum(today.money_per_year, 0)
    loss = half_up(probability * money)
    risk = np.searchsorted(_limits(parameters), probability, side="right").astype(np.int8)
    first, *others = scores.codes

    def real(values: Real | None) -> pa.Array:
        return pa.nulls(len(today.who), pa.float64()) if values is None else pa.array(np.round(values, 6))

    def whole(name: str) -> pa.Array:
        if name not in today.names:
            return pa.nulls(len(today.who), pa.int32())
        return counts(half_up(today.column(name)))

    def cents(name: str) -> pa.Array:
        return decimals(half_up(today.column(name) * 100), scale=2)

    table = pa.table(
        {
            "customer": purchases.days.named(today.who),
            "probability": real(scores.probability),
            "low": real(scores.low),
            "high": real(scores.high),
            "risk": pa.nulls(len(risk), pa.string()) if unknown else labels(risk, RISKS).cast(pa.string()),
            "money_per_year": decimals(today.money_per_year, scale=4),
            "expected_loss": pa.nulls(len(risk), pa.decimal128(18, 4)) if unknown else decimals(loss, scale=4),
            "days_since_last": whole("silence_days"),
            "typical_gap_days": pa.array(np.round(today.column("typical_gap_days"), 1)),
            "silence_ratio": pa.array(np.round(today.column("silence_ratio"), 2)),
            "visits": whole("visits"),
            "visits_recent": whole("visits_recent"),
            "visits_before": whole("visits_before"),
            "spend_recent": cents("spend_recent"),
            "spend_before": cents("spend_before"),
            "basket": cents("basket"),
            "kinds_recent": whole("kinds_recent"),
            "kinds_before": whole("kinds_before"),
            "tenure_days": whole("tenure_days"),
            "reason_code": labels(first, REASONS).cast(pa.string()),
            **{f"reason_code_{place}": _codes(code) for place, code in enumerate(others, start=2)},
            "reason": reason_sentences(first, today, horizon=plan.horizon, lookback=plan.lookback),
        }
    )
    at_stake = loss if not unknown else money
    return table.take(pa.array(np.argsort(-at_stake, kind="stable")))


def _limits(parameters: ChurnParameters) -> tuple[float, float]:
    return (parameters.medium_risk, max(parameters.medium_risk, parameters.high_risk))


def _codes(codes: Codes) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(REASONS)).cast(pa.string())


def _known(snapshot: Snapshot, plan: Schedule) -> Known:
    use = {plan.test: "test", plan.validation: "validation"}.get(snapshot.cutoff, "training")
    left = snapshot.labels()
    return Known(EPOCH + dt.timedelta(snapshot.cutoff), use, len(left), int(left.sum()))


def _pooled(snapshots: Sequence[Snapshot]) -> Flags:
    return np.concatenate([each.labels() for each in snapshots]) if snapshots else np.zeros(0, dtype=np.bool_)


def _notes(
    plan: Schedule, training: Sequence[Snapshot], refused: tuple[str, ...], parameters: ChurnParameters
) -> tuple[str, ...]:
    notes = []
    if plan.days and not plan.sufficient:
        notes.append(
            f"Leaving within {plan.horizon} days needs {plan.needed} days of history to learn and to test; there are "
            f"{plan.days}. Wait, bring in earlier purchases, or choose a shorter horizon_days."
        )
    if refused:
        notes.append(
            f"Left out as a leak: {', '.join(refused)}. Alone it tells leavers apart with an AUC of {LEAK_AUC} or "
            "more, which behaviour before the day cannot; look at where the figure comes from."
        )
    rows = sum(len(each.who) for each in training)
    if rows > parameters.max_training_rows:
        notes.append(f"Learned from a random sample of {parameters.max_training_rows:,} of {rows:,} rows.")
    return tuple(notes)


def _too_few(parts: Sequence[Sequence[Snapshot]], least: int) -> str:
    shown = []
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        left = _pooled(part)
        shown.append(f"{int(left.sum())} left and {int((~left).sum())} stayed in {name}")
    return (
        f"To learn, at least {least} must have left and {least} stayed in each period; {', '.join(shown)}. "
        "Everybody is given the share that left before."
    )
