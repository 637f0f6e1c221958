"""Stages against a slow, plain reading of the rules, customer by customer."""

import datetime as dt
import math
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.stages import REASON_STAGES, STAGES, LifecycleParameters, stages_over_time
from patron.intelligence.mining.testing import Row, purchases, row

AS_OF = dt.date(2025, 6, 30)
START = dt.date(2023, 1, 1)

a_row = st.tuples(
    st.sampled_from(["陳大文", "王美玲", "李志強", "何嘉欣"]),
    # Tight in the middle, so that rhythms form, and wide at the ends, so that people get lost and come back.
    st.one_of(st.integers(0, 900), st.integers(300, 420), st.integers(700, 910)).map(
        lambda day: START + dt.timedelta(day)
    ),
    st.one_of(st.integers(-300, 300), st.integers(0, 3)).map(Decimal),
)
some_parameters = st.builds(
    LifecycleParameters,
    new_max_visits=st.integers(1, 4),
    mature_min_visits=st.integers(1, 6),
    declining_gaps=st.sampled_from([1.5, 3.0, 4.0]),
    lost_gaps=st.sampled_from([2.0, 8.0]),
    lost_min_days=st.sampled_from([10, 60, 90]),
    reactivated_days=st.sampled_from([30, 200]),
    trend_min_days=st.sampled_from([20, 90]),
    trend_min_visits=st.integers(1, 8),
    rhythm_gaps=st.sampled_from([1, 3, 12]),
)


def up(value: float) -> int:
    return math.floor(value + 0.5)


class Reading:
    """The rules of docs/algorithms/lifecycle.md, written once more and without arrays."""

    def __init__(self, rows: list[Row], as_of: dt.date, p: LifecycleParameters) -> None:
        self.p, self.as_of = p, as_of
        self.rows = defaultdict(list)
        for customer, day, amount in rows:
            if day <= as_of:
                self.rows[customer].append((day, amount))
        self.visits = {
            customer: sorted({day for day, amount in own if amount >= 0}) for customer, own in self.rows.items()
        }
        self.visits = {customer: days for customer, days in self.visits.items() if days}
        own = [up(sum(logs) / len(logs)) for logs in map(self.logs, self.visits.values()) if logs]
        self.population = up(sum(own) / len(own)) if own else round(math.log(p.fallback_gap_days) * 1e6)

    def logs(self, days: list[dt.date]) -> list[int]:
        gaps = [(later - earlier).days for earlier, later in pairwise(days)]
        return [up(math.log(gap) * 1e6) for gap in gaps[-self.p.rhythm_gaps :]]

    def typical(self, days: list[dt.date]) -> float:
        logs = self.logs(days)
        mean = (sum(logs) + self.p.prior_gaps * self.population) / (len(logs) + self.p.prior_gaps)
        return up(math.exp(mean / 1e6) * 10) / 10

    def lost_after(self, days: list[dt.date]) -> int:
        return min(max(up(self.typical(days) * self.p.lost_gaps), self.p.lost_min_days), self.p.lost_max_days)

    def between(self, customer: str, older: int, newer: int) -> tuple[Decimal, int]:
        """Money and visits of days aged from ``newer`` up to, not including, ``older`` days."""
        inside = [row for row in self.rows[customer] if newer <= (self.as_of - row[0]).days < older]
        return sum((amount for _, amount in inside), Decimal(0)), len({day for day, amount in inside if amount >= 0})

    def reason(self, customer: str) -> str:
        p, days = self.p, self.visits[customer]
        silence, age = (self.as_of - days[-1]).days, (self.as_of - days[0]).days
        typical, lost_after = self.typical(days), self.lost_after(days)
        overdue = min(max(up(typical * p.declining_gaps), p.declining_min_days), lost_after // 2)
        period = min(max(up(typical * p.trend_gaps), p.trend_min_days), p.trend_max_days)
        spent, visits = self.between(customer, period, 0)
        spent_before, visits_before = self.between(customer, 2 * period, period)
        comparable = age >= 2 * period and visits_before >= p.trend_min_visits
        if silence > lost_after:
            return "silent"
        for place in range(1, len(days)):
            lately = (self.as_of - days[place]).days < p.reactivated_days
            if lately and (days[place] - days[place - 1]).days > self.lost_after(days[:place]):
                return "came_back"
        if age <= p.new_days and len(days) <= p.new_max_visits:
            return "first_purchase"
        if silence > overdue:
            return "overdue"
        if comparable and spent < spent_before * Decimal(1 - p.trend_fall):
            return "spend_falling"
        if comparable and visits < visits_before * (1 - p.trend_fall):
            return "visits_falling"
        return "on_rhythm" if len(days) >= p.mature_min_visits and age >= p.mature_min_days else "habit_forming"

    def money_per_year(self, customer: str) -> Decimal:
        since = self.visits[customer][-1] - dt.timedelta(365)
        return sum((amount for day, amount in self.rows[customer] if day > since), Decimal(0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(a_row, max_size=60), parameters=some_parameters)
def test_stages_are_what_the_rules_say(rows, parameters):
    reading = Reading(rows, AS_OF, parameters)
    result = model_named("lifecycle").run(purchases(rows), as_of=AS_OF, parameters=parameters).table.to_pylist()
    assert {each["customer"]: each["reason_code"] for each in result} == {
        customer: reading.reason(customer) for customer in reading.visits
    }
    assert {each["customer"]: each["money_per_year"] for each in result} == {
        customer: reading.money_per_year(customer) for customer in reading.visits
    }
    assert all(each["stage"] == REASON_STAGES[each["reason_code"]] for each in result)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(a_row, max_size=60),
    ages=st.lists(st.integers(0, 800), min_size=1, max_size=5),
    parameters=some_parameters,
)
def test_stages_over_time_equal_each_date_alone(rows, ages, parameters):
    as_ofs = [AS_OF - dt.timedelta(age) for age in ages]
    prepared = purchases(rows)
    together = stages_over_time(prepared, as_ofs, parameters)
    alone = [
        (as_of, each["customer"], *(each[name] for name in together.column_names[2:]))
        for as_of in sorted(set(as_ofs))
        for each in model_named("lifecycle").run(prepared, as_of=as_of, parameters=parameters).table.to_pylist()
    ]
    assert [(each["as_of"], each["customer"], *list(each.values())[2:]) for each in together.to_pylist()] == alone


def every(customer: str, start: str, step: int, times: int, amount: str | int = 100) -> list[Row]:
    first = dt.date.fromisoformat(start)
    return [row(customer, first + dt.timedelta(step * place), amount) for place in range(times)]


def judged(rows, as_of=AS_OF):
    (only,) = model_named("lifecycle").run(purchases(rows), as_of=as_of).table.to_pylist()
    return only


@pytest.mark.parametrize(
    ("rows", "stage", "reason"),
    [
        ([row("陳大文", "2025-06-20")], "new", "First bought on 2025-06-20; purchase days so far: 1."),
        (
            every("陳大文", "2025-05-20", 7, 5),
            "developing",
            "Purchase days since 2025-05-20: 5; a habit is forming.",
        ),
        (every("陳大文", "2025-01-01", 10, 18), "mature", "Usually comes every 10 days; last came 10 days ago."),
        (every("陳大文", "2025-01-01", 5, 25), "declining", "Usually comes every 5 days, now silent for 60 days."),
        (
            every("陳大文", "2024-09-01", 5, 30, "99.99") + every("陳大文", "2025-03-02", 10, 13, "20.5"),
            "declining",
            "Spent 246.00 in the last 120 days, 1720.33 in the 120 days before.",
        ),
        (
            every("陳大文", "2024-06-05", 5, 49, 10) + every("陳大文", "2025-02-10", 20, 8, 100),
            "declining",
            "Came 8 times in the last 143 days, 28 times in the 143 days before.",
        ),
        (
            every("陳大文", "2024-01-01", 10, 18),
            "lost",
            "Usually came every 10 days; silent for 376 days, and more than 90 count as lost.",
        ),
        (
            [*every("陳大文", "2024-01-01", 10, 18), row("陳大文", "2025-06-01")],
            "reactivated",
            "Came back on 2025-06-01 after 347 days away.",
        ),
    ],
)
def test_reason_tells_why(rows, stage, reason):
    result = judged(rows)
    assert (result["stage"], result["reason"]) == (stage, reason)


def test_silence_counts_as_lost_only_beyond_its_limit():
    rows = every("陳大文", "2024-01-01", 10, 18)
    last = dt.date(2024, 6, 19)
    assert judged(rows, last + dt.timedelta(90))["stage"] == "declining"
    assert judged(rows, last + dt.timedelta(91))["stage"] == "lost"


def test_return_counts_as_reactivated_only_lately():
    rows = every("陳大文", "2024-01-01", 10, 18) + every("陳大文", "2025-03-01", 10, 12)
    assert judged(rows, dt.date(2025, 4, 29))["stage"] == "reactivated"
    assert judged(rows, dt.date(2025, 4, 30))["stage"] == "mature"


def test_fall_is_judged_only_by_customers_of_two_whole_periods():
    cheaper = every("陳大文", "2025-04-05", 5, 18, 10)
    for first, reason in (("2025-01-02", "on_rhythm"), ("2025-01-01", "spend_falling")):
        result = judged([row("陳大文", first, 300), *every("陳大文", "2025-01-05", 5, 17, 300), *cheaper])
        assert (result["trend_days"], result["spend_recent"], result["reason_code"]) == (90, 180, reason)


def test_silence_before_a_return_is_judged_by_the_rhythm_before_it():
    # Three gaps of 10 days: 102 days count as lost. With the 110 days among the gaps it would be far more.
    result = judged([*every("陳大文", "2025-01-12", 10, 4), row("陳大文", "2025-06-01")])
    assert (result["reason_code"], result["away_days"]) == ("came_back", 110)


def test_slow_shoppers_are_given_more_time_than_fast_ones():
    rows = every("weekly", "2024-01-01", 7, 50) + every("quarterly", "2022-01-01", 90, 13)
    result = model_named("lifecycle").run(purchases(rows), as_of=dt.date(2025, 3, 31)).table.to_pylist()
    quarterly, weekly = result
    assert (quarterly["days_since_last"], quarterly["stage"]) == (105, "mature")
    assert (weekly["days_since_last"], weekly["stage"]) == (112, "lost")


def test_customer_with_nothing_but_returns_has_no_stage():
    result = model_named("lifecycle").run(purchases([row("王美玲", "2025-06-01", -50)]), as_of=AS_OF)
    assert result.table.num_rows == 0


def test_return_is_no_visit_but_lowers_the_money():
    result = judged([row("王美玲", "2025-06-01", 200), row("王美玲", "2025-06-20", -150)])
    assert (result["purchases"], result["last_on"], result["money_per_year"]) == (1, dt.date(2025, 6, 1), 50)


def test_overdue_new_customer_is_at_risk_while_still_new():
    rows = [*every("weekly", "2025-01-01", 7, 26), row("王美玲", "2025-05-20")]
    by_customer = {
        each["customer"]: each for each in model_named("lifecycle").run(purchases(rows), as_of=AS_OF).table.to_pylist()
    }
    assert (by_customer["王美玲"]["stage"], by_customer["王美玲"]["at_risk"]) == ("new", True)
    assert (by_customer["weekly"]["stage"], by_customer["weekly"]["at_risk"]) == ("mature", False)


def test_metrics_add_up_to_all_customers():
    rows = every("a", "2025-01-01", 10, 18) + every("b", "2024-01-01", 10, 10, "12.34") + [row("c", "2025-06-20")]
    metrics = model_named("lifecycle").run(purchases(rows), as_of=AS_OF).report.metrics
    assert metrics["customers"] == sum(metrics[stage] for stage in STAGES) == 3
    assert (metrics["active"], metrics["lost"], metrics["lost_money_per_year"]) == (2, 1, 123.4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lost_min_days": 600}, "lost_min_days is 600; it must be at most lost_max_days (540)."),
        ({"trend_min_days": 400}, "trend_min_days is 400; it must be at most trend_max_days (365)."),
    ],
)
def test_contradicting_limits_are_refused(values, message):
    with pytest.raises(ParameterError) as refused:
        LifecycleParameters(**values)
    assert str(refused.value) == message


def test_stages_over_time_need_a_date():
    with pytest.raises(ParameterError, match="at least one date"):
        stages_over_time(purchases([]), [])
