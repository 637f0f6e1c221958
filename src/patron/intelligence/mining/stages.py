"""The stage of each customer at one date or at many.

The order of the questions decides; the first yes is the stage:

1. silent for longer than counts as lost → *lost*
2. came back lately from a silence that counted as lost → *reactivated*
3. first bought lately, and only a few times → *new*
4. silent beyond the own rhythm, or spending or visits clearly fell → *declining*
5. came often enough, over long enough → *mature*
6. otherwise → *developing*
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from patron.intelligence.mining.arrays import (
    Flags,
    Real,
    Whole,
    counts,
    dates,
    day_number,
    decimals,
    half_up,
    labels,
    prefix_sums,
)
from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.rhythm import Visits, population_log, typical_gap, visits_of
from patron.intelligence.mining.transactions import Days, Purchases

STAGES: Final = ("new", "developing", "mature", "declining", "lost", "reactivated")
#: Reason → the stage it leads to, in the order of the questions.
REASON_STAGES: Final = {
    "silent": "lost",
    "came_back": "reactivated",
    "first_purchase": "new",
    "overdue": "declining",
    "spend_falling": "declining",
    "visits_falling": "declining",
    "on_rhythm": "mature",
    "habit_forming": "developing",
}
REASON_CODES: Final = tuple(REASON_STAGES)
YEAR: Final = 365

Codes = npt.NDArray[np.int8]
_STAGE_OF_REASON: Final = np.array([STAGES.index(stage) for stage in REASON_STAGES.values()], dtype=np.int8)


@dataclass(frozen=True)
class LifecycleParameters(Parameters):
    """Every threshold of the life cycle. Times the typical gap = multiples of the customer's own rhythm."""

    new_days: int = parameter(60, "new: first purchase at most this many days ago", minimum=1)
    new_max_visits: int = parameter(3, "new: at most this many purchase days", minimum=1)
    mature_min_visits: int = parameter(6, "mature: at least this many purchase days", minimum=1)
    mature_min_days: int = parameter(90, "mature: first purchase at least this many days ago", minimum=0)
    declining_gaps: float = parameter(4.0, "declining: silent longer than this many typical gaps", minimum=1)
    declining_min_days: int = parameter(21, "declining: never before this many days of silence", minimum=1)
    lost_gaps: float = parameter(8.0, "lost: silent longer than this many typical gaps", minimum=1)
    lost_min_days: int = parameter(90, "lost: never before this many days of silence", minimum=1)
    lost_max_days: int = parameter(540, "lost: always after this many days of silence", minimum=1)
    reactivated_days: int = parameter(60, "reactivated: this many days after the return from a lost silence", minimum=1)
    trend_gaps: float = parameter(12.0, "trend: compare periods of this many typical gaps", minimum=1)
    trend_min_days: int = parameter(90, "trend: compare periods of at least this many days", minimum=1)
    trend_max_days: int = parameter(365, "trend: compare periods of at most this many days", minimum=1)
    trend_min_visits: int = parameter(8, "trend: at least this many purchase days in the earlier period", minimum=1)
    trend_fall: float = parameter(0.5, "declining: fell by more than this share", minimum=0.01, maximum=1)
    rhythm_gaps: int = parameter(12, "rhythm: how many of the last gaps make the typical gap", minimum=1)
    prior_gaps: float = parameter(2.0, "rhythm: the population's typical gap weighs this many gaps", minimum=0.1)
    fallback_gap_days: float = parameter(30.0, "rhythm: typical gap while nobody has come twice", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for lower, upper in (("lost_min_days", "lost_max_days"), ("trend_min_days", "trend_max_days")):
            low, high = getattr(self, lower), getattr(self, upper)
            if low > high:
                raise ParameterError(f"{lower} is {low}; it must be at most {upper} ({high}).")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the customers who had purchased by a date: one array per fact, one place per customer.

    ``who`` are positions in ``Days.customers``, ascending. Money is in units. ``came_back_day`` and ``away_days`` have
    a meaning only where ``came_back``.
    """

    who: Whole
    first_day: Whole
    last_day: Whole
    visits: Whole
    typical: Real
    silence: Whole
    declining_after: Whole
    lost_after: Whole
    trend_days: Whole
    spend_recent: Whole
    spend_before: Whole
    visits_recent: Whole
    visits_before: Whole
    money_per_year: Whole
    came_back: Flags
    came_back_day: Whole
    away_days: Whole


@dataclass(frozen=True, slots=True)
class Judgement:
    """The facts at a date, and the reason code and stage (positions in their tuples) that follow from them."""

    as_of: dt.date
    facts: Facts
    reason: Codes
    stage: Codes
    at_risk: Flags


def judge(days: Days, visits: Visits, as_of: dt.date, parameters: LifecycleParameters) -> Judgement:
    """Stages as known at the end of ``as_of``; rows dated later are not looked at."""
    facts = _facts(days, visits, day_number(as_of), parameters)
    reason = _reasons(facts, day_number(as_of), parameters)
    stage = _STAGE_OF_REASON[reason]
    overdue = facts.silence > facts.declining_after
    declining, lost = stage == STAGES.index("declining"), stage == STAGES.index("lost")
    return Judgement(as_of=as_of, facts=facts, reason=reason, stage=stage, at_risk=declining | (overdue & ~lost))


def judgements(purchases: Purchases, as_ofs: Sequence[dt.date], parameters: LifecycleParameters) -> Iterator[Judgement]:
    """:func:`judge` for each date, with the visits and their gaps worked out once."""
    visits = visits_of(purchases.days)
    for as_of in as_ofs:
        yield judge(purchases.days, visits, as_of, parameters)


def stages_over_time(
    purchases: Purchases, as_ofs: Sequence[dt.date], parameters: LifecycleParameters | None = None
) -> pa.Table:
    """One row per date and customer who had purchased by then, by date, then by customer.

    Columns: ``customer``, ``as_of``, ``stage``, ``reason_code``, ``purchases``, ``typical_gap_days``,
    ``days_since_last``, ``money_per_year``, ``at_risk``. Every row equals what the model says with that date alone.
    """
    chosen = parameters if parameters is not None else LifecycleParameters()
    ordered = sorted(set(as_ofs))
    if not ordered:
        raise ParameterError("Give at least one date.")
    return pa.concat_tables([_slim_table(purchases.days, each) for each in judgements(purchases, ordered, chosen)])


def _slim_table(days: Days, judged: Judgement) -> pa.Table:
    facts = judged.facts
    return pa.table(
        {
            "customer": days.named(facts.who),
            "as_of": pa.repeat(pa.scalar(judged.as_of), len(facts.who)),
            "stage": labels(judged.stage, STAGES),
            "reason_code": labels(judged.reason, REASON_CODES),
            "purchases": counts(facts.visits),
            "typical_gap_days": pa.array(facts.typical),
            "days_since_last": counts(facts.silence),
            "money_per_year": decimals(facts.money_per_year, scale=4),
            "at_risk": pa.array(judged.at_risk),
        }
    )


def full_table(days: Days, judged: Judgement) -> pa.Table:
    """One row per customer with every fact; columns are explained in ``docs/algorithms/lifecycle.md``."""
    facts = judged.facts
    return pa.table(
        {
            "customer": days.named(facts.who),
            "stage": labels(judged.stage, STAGES).cast(pa.string()),
            "reason_code": labels(judged.reason, REASON_CODES).cast(pa.string()),
            "first_on": dates(facts.first_day),
            "last_on": dates(facts.last_day),
            "purchases": counts(facts.visits),
            "typical_gap_days": pa.array(facts.typical),
            "days_since_last": counts(facts.silence),
            "silence_ratio": pa.array(half_up(facts.silence / facts.typical * 100) / 100),
            "declining_after_days": counts(facts.declining_after),
            "lost_after_days": counts(facts.lost_after),
            "trend_days": counts(facts.trend_days),
            "spend_recent": decimals(facts.spend_recent, scale=4),
            "spend_before": decimals(facts.spend_before, scale=4),
            "visits_recent": counts(facts.visits_recent),
            "visits_before": counts(facts.visits_before),
            "money_per_year": decimals(facts.money_per_year, scale=4),
            "at_risk": pa.array(judged.at_risk),
            "came_back_on": dates(facts.came_back_day, known=facts.came_back),
            "away_days": counts(facts.away_days, known=facts.came_back),
        }
    )


def _facts(days: Days, visits: Visits, as_of: int, p: LifecycleParameters) -> Facts:
    seen = visits.seen_until(as_of)
    who = np.flatnonzero(seen)
    last = visits.starts[who] + seen[who] - 1
    gaps = np.minimum(seen[who] - 1, p.rhythm_gaps)
    logs = visits.recent_logs(last, gaps)
    population = population_log(logs, gaps, fallback_days=p.fallback_gap_days)
    typical = typical_gap(logs, gaps, population, prior_gaps=p.prior_gaps)
    lost_after = _lost_after(typical, p)
    overdue_after = np.maximum(half_up(typical * p.declining_gaps), p.declining_min_days)
    trend_days = np.clip(half_up(typical * p.trend_gaps), p.trend_min_days, p.trend_max_days)
    last_day = visits.day[last].astype(np.int64)
    came_back_day, away_days = _returns_from_loss(visits, as_of, population, p)
    sums = _PeriodSums(days, who)
    now, one, two = sums.until(as_of), sums.until(as_of - trend_days), sums.until(as_of - 2 * trend_days)
    year_ago = sums.until(last_day - YEAR)
    return Facts(
        who=who,
        first_day=visits.day[visits.starts[who]].astype(np.int64),
        last_day=last_day,
        visits=seen[who],
        typical=typical,
        silence=as_of - last_day,
        declining_after=np.minimum(overdue_after, lost_after // 2),
        lost_after=lost_after,
        trend_days=trend_days,
        spend_recent=now.amount - one.amount,
        spend_before=one.amount - two.amount,
        visits_recent=now.visits - one.visits,
        visits_before=one.visits - two.visits,
        money_per_year=now.amount - year_ago.amount,
        came_back=came_back_day[who] > 0,
        came_back_day=came_back_day[who],
        away_days=away_days[who],
    )


def _lost_after(typical: Real, p: LifecycleParameters) -> Whole:
    return np.clip(half_up(typical * p.lost_gaps), p.lost_min_days, p.lost_max_days)


def _returns_from_loss(visits: Visits, as_of: int, population: int, p: LifecycleParameters) -> tuple[Whole, Whole]:
    """Per customer the latest day, if lately, of a return from a silence that counted as lost, and its length; else 0.

    Whether a silence counted is judged by the rhythm before it.
    """
    lately = (visits.day > as_of - p.reactivated_days) & (visits.day <= as_of)
    # No shorter silence can count as lost: this leaves few visits to look at.
    returns = np.flatnonzero(lately & (visits.gap > p.lost_min_days))
    gaps = np.minimum(visits.number[returns] - 2, p.rhythm_gaps)
    usual = typical_gap(visits.recent_logs(returns - 1, gaps), gaps, population, prior_gaps=p.prior_gaps)
    returns = returns[visits.gap[returns] > _lost_after(usual, p)]
    came_back_day = np.zeros(len(visits.starts) - 1, dtype=np.int64)
    away_days = np.zeros_like(came_back_day)
    # Visits are in order of date, and of equal places the last assignment stays: the latest return.
    came_back_day[visits.owner[returns]] = visits.day[returns]
    away_days[visits.owner[returns]] = visits.gap[returns]
    return came_back_day, away_days


@dataclass(frozen=True, slots=True)
class _Sums:
    amount: Whole
    visits: Whole


class _PeriodSums:
    """Money and visits of the customers ``who`` up to any day; a period is the difference of two."""

    def __init__(self, days: Days, who: Whole) -> None:
        self._days, self._who = days, who
        self._amounts, self._visits = prefix_sums(days.amount), prefix_sums(days.purchases > 0)

    def until(self, day: int | Whole) -> _Sums:
        """Sums of everything dated up to and including ``day`` (one for all, or one for each of ``who``)."""
        limits = day
        if not isinstance(limits, int):
            limits = np.zeros(len(self._days.customers), dtype=np.int64)
            limits[self._who] = day
        ends = self._days.rows_until(limits)[self._who]
        begins = self._days.starts[self._who]
        return _Sums(
            amount=self._amounts[ends] - self._amounts[begins], visits=self._visits[ends] - self._visits[begins]
        )


def _reasons(facts: Facts, as_of: int, p: LifecycleParameters) -> Codes:
    age = as_of - facts.first_day
    kept = 1 - p.trend_fall
    # A fall is judged only by those who were customers during the whole earlier period, and came often enough in it.
    comparable = (age >= 2 * facts.trend_days) & (facts.visits_before >= p.trend_min_visits)
    questions: dict[str, Flags] = {
        "silent": facts.silence > facts.lost_after,
        "came_back": facts.came_back,
        "first_purchase": (age <= p.new_days) & (facts.visits <= p.new_max_visits),
        "overdue": facts.silence > facts.declining_after,
        "spend_falling": comparable & (facts.spend_recent < facts.spend_before * kept),
        "visits_falling": comparable & (facts.visits_recent < facts.visits_before * kept),
        "on_rhythm": (facts.visits >= p.mature_min_visits) & (age >= p.mature_min_days),
    }
    codes = [REASON_CODES.index(code) for code in questions]
    answer = np.select(list(questions.values()), codes, default=REASON_CODES.index("habit_forming"))
    return answer.astype(np.int8)
