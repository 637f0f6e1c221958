"""Who comes when: the next visit of each customer, those overdue, and how many to expect on each of the next days."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import ALL_BRANCHES, Mart
from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.next_date import MODEL, NextDateParameters, predict, table_of
from patron.kernel.exports import ExportColumn

DAYS_AHEAD: Final = 14
_USUAL_WEEKS: Final = 8

VISITS = Mart(
    name="next_visits",
    meaning="The next visit of each customer, by their own rhythm and weekdays.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("last_on", "date", "Day of the last visit."),
        ExportColumn("silence_days", "int32", "Days since then."),
        ExportColumn("typical_gap_days", "float64", "Days that usually pass between two visits."),
        ExportColumn("favourite_weekday", "int32", "Weekday of most visits, 1 (Monday) to 7."),
        ExportColumn("expected_on", "date", "Half come by then; empty where no visit within the window is likely."),
        ExportColumn("earliest_on", "date", "Start of the interval."),
        ExportColumn("latest_on", "date", "End of the interval; empty where it lies beyond the window."),
        ExportColumn("overdue", "bool", "Silent for longer than nine of ten of the customer's gaps."),
        ExportColumn("confidence", "float64", "Chance of a visit within soon_days, 0 to 1."),
        ExportColumn("money_per_year", "decimal(18,2)", "Spent in the last 365 days, net of returns."),
        ExportColumn("reason_code", "string", "on_pace, overdue, quiet or first."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="expected_on NULLS LAST, customer_id",
)
EXPECTED = Mart(
    name="next_visit_days",
    meaning="Customers expected on each of the next days, beside what is usual on that weekday.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("day", "date", "The day."),
        ExportColumn("expected", "float64", "Visits expected of customers known today."),
        ExportColumn("usual", "float64", "Mean of the last eight such weekdays."),
    ),
    order="branch_id, day",
)
RULES = Mart(
    name="next_date_rules",
    meaning="The error of the forecast on past weeks that it had not seen, and that of rules without a model.",
    columns=(
        ExportColumn("position", "int32", "The model first."),
        ExportColumn("rule", "string", "model, own_gap, last_gap or population_gap."),
        ExportColumn("error_days", "float64", "Mean absolute error in days; who stayed away counts with the window."),
    ),
    order="position",
)


def find(context: Context) -> Findings:
    """Forecast and back-test. Raises InputError while nobody has bought anything."""
    from patron.intelligence.mining.returning.backtest import expected_visits
    from patron.intelligence.mining.returning.gaps import paces_at

    parameters = context.parameters(NextDateParameters, of=MODEL.card.name)
    today, purchases = context.until, context.purchases()
    found = predict(purchases, today, parameters)
    if not len(found.paces.who):
        raise InputError("The next visit needs customers who have come at least once: there are none yet.")
    visits = _visits(context, table_of(purchases, found, today, parameters), today)
    expected = expected_visits(found.paces, days=DAYS_AHEAD)
    then = paces_at(found.visits, found.paces.origin - DAYS_AHEAD, gaps=parameters.rhythm_gaps,
                    prior=parameters.prior_gaps, fallback_days=parameters.fallback_gap_days)  # fmt: skip
    day = found.visits.day
    came = int(((day > then.origin) & (day <= then.origin + DAYS_AHEAD)).sum())
    metrics: dict[str, int | float | str | None] = {
        "customers": len(found.paces.who),
        "overdue": int(found.forecast.overdue.sum()),
        "population_gap_days": found.paces.population_gap,
        "days_expected": float(expected_visits(then, days=DAYS_AHEAD).sum()),
        "days_came": came,
    }
    rules: dict[str, float] = {}
    proof = None
    if found.score is not None:
        score, rules = found.score, dict(found.score.errors)
        metrics |= {"tested_customers": score.customers, "tested_came": score.came, "coverage": score.coverage,
                    "promised": score.promised, "kept": score.kept}  # fmt: skip
        proof = Proof(
            "Error of the next visit in days", rules["model"], min(rules[rule] for rule in rules if rule != "model"),
            higher_is_better=False, why="The baseline is the best of three rules: own, last and everybody's gap.",
        )  # fmt: skip
    return Findings(
        tables={
            VISITS.name: visits,
            EXPECTED.name: _expected(context, visits, expected, today),
            RULES.name: pa.table({
                "position": pa.array(range(len(rules)), pa.int32()),
                "rule": pa.array(list(rules), pa.string()),
                "error_days": pa.array(list(rules.values()), pa.float64()),
            }),
        },
        parameters={**parameters.as_dict(), "k": found.paces.prior, "d": found.paces.leaving},
        metrics=metrics,
        insights=_insights(context, visits, today),
        proof=proof,
        notes=() if proof else ("The history is too short for a back-test.",),
    )  # fmt: skip


def _visits(context: Context, table: pa.Table, today: dt.date) -> pa.Table:
    """With home branch and money, in the order of the customers."""
    duck = context.warehouse.connection
    duck.register("told", table)
    made = context.warehouse.arrow(
        f"""
        SELECT t.customer AS customer_id, c.home_branch_id AS branch_id, t.* EXCLUDE (customer),
               coalesce(m.money, 0)::DECIMAL(18,2) AS money_per_year
        FROM told t LEFT JOIN customers c ON c.customer_id = t.customer LEFT JOIN (
            SELECT customer_id, sum(net_amount) AS money FROM purchases
            WHERE NOT is_voided AND currency = '{context.currency}'
              AND occurred_on > DATE '{today}' - INTERVAL 365 DAY AND occurred_on <= DATE '{today}'
            GROUP BY customer_id
        ) m ON m.customer_id = t.customer ORDER BY t.customer
        """  # noqa: S608 (a currency code and a day)
    )
    duck.unregister("told")
    return made


def _expected(context: Context, visits: pa.Table, expected: Real, today: dt.date) -> pa.Table:
    """Sums by home branch and day, and the usual number by weekday."""
    days = [today + dt.timedelta(ahead + 1) for ahead in range(DAYS_AHEAD)]
    branch = visits["branch_id"].combine_chunks().fill_null(-1).to_numpy()
    places, where = np.unique(branch, return_inverse=True)
    sums = np.zeros((len(places), DAYS_AHEAD))
    np.add.at(sums, where, expected)
    usual = {
        (branch_id, weekday): count / _USUAL_WEEKS
        for branch_id, weekday, count in context.warehouse.rows(
            f"""
            WITH came AS (
                SELECT DISTINCT p.customer_id, p.occurred_on, coalesce(c.home_branch_id, -1) AS branch_id
                FROM purchases p JOIN customers c USING (customer_id)
                WHERE NOT p.is_voided AND p.currency = '{context.currency}' AND p.kind = 'sale'
                  AND p.occurred_on > DATE '{today}' - INTERVAL {7 * _USUAL_WEEKS} DAY
                  AND p.occurred_on <= DATE '{today}'
            )
            SELECT branch_id, isodow(occurred_on), count(*) FROM came GROUP BY ALL
            """  # noqa: S608 (a currency code and a day)
        )
    }
    rows = [
        (int(place), day, float(value), usual.get((place, day.isoweekday()), 0.0))
        for place, values in zip(places, sums, strict=True)
        for day, value in zip(days, values, strict=True)
        if place >= 0
    ]
    for day, total in zip(days, expected.sum(axis=0), strict=True):
        every = sum(count for (_, weekday), count in usual.items() if weekday == day.isoweekday())
        rows.append((ALL_BRANCHES, day, float(total), every))
    columns = list(zip(*rows, strict=True))
    types = (pa.int64(), pa.date32(), pa.float64(), pa.float64())
    return pa.table(
        {
            column.name: pa.array(values, kind)
            for column, values, kind in zip(EXPECTED.columns, columns, types, strict=True)
        }
    )


def _insights(context: Context, visits: pa.Table, today: dt.date) -> pa.Table:
    """Label: overdue, this_week, later or quiet; score: the chance of a visit soon."""
    duck = context.warehouse.connection
    duck.register("told", visits)
    made = context.warehouse.arrow(
        f"""
        SELECT customer_id,
               CASE WHEN reason_code = 'quiet' THEN 'quiet' WHEN overdue THEN 'overdue'
                    WHEN expected_on <= DATE '{today}' + INTERVAL 7 DAY THEN 'this_week'
                    ELSE 'later' END AS label,
               confidence AS score, NULL::BIGINT AS rank, reason_code, reason,
               to_json({{'expected_on': expected_on, 'earliest_on': earliest_on, 'latest_on': latest_on,
                         'overdue': overdue, 'typical_gap_days': typical_gap_days, 'silence_days': silence_days,
                         'favourite_weekday': favourite_weekday}})::VARCHAR AS facts
        FROM told ORDER BY customer_id
        """  # noqa: S608 (a day)
    )
    duck.unregister("told")
    return made


ANALYSIS: Final = Analysis(name="next_date", title="Next purchase date", marts=(VISITS, EXPECTED, RULES), find=find)
