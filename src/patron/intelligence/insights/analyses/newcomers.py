"""How many newcomers come back, how soon and where; how long they stay; and whom to write to now."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses._newcomer_groups import divisions_of, group_tables
from patron.intelligence.insights.analyses._newcomer_marts import BACKTEST, CURVES, CUSTOMERS, GROUPS, TESTS
from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.survival.settings import NewcomersParameters

if TYPE_CHECKING:
    from patron.intelligence.mining.models.newcomers import Study
    from patron.intelligence.mining.survival.backtest import Trial

_TYPES: Final = {"int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}


def find(context: Context) -> Findings:
    """Follow, compare, test by date, list. Raises InputError while no newcomer can be told from an old customer."""
    from patron.intelligence.mining.models.newcomers import metrics_of, study, table_of

    parameters = context.parameters(NewcomersParameters)
    days = context.purchases().days
    found = study(days, context.until, parameters)
    if not len(found.newcomers.who):
        raise InputError(_none(found, parameters, empty=not len(days.day)))
    begin = _day(found.newcomers.begin)
    told = _with_first_day(context, table_of(days, found, parameters), begin)
    curves, groups, tests = group_tables(
        found, divisions_of(told, parameters.least), told["first_branch_id"].combine_chunks(), parameters
    )
    customers = _listed(context, told, parameters)
    return Findings(
        tables={
            CUSTOMERS.name: customers,
            CURVES.name: _rows(CURVES, curves),
            GROUPS.name: _rows(GROUPS, groups),
            TESTS.name: _rows(TESTS, tests),
            BACKTEST.name: _rows(BACKTEST, _bands(found.trial)),
        },
        parameters={
            **parameters.as_dict(),
            "alpha": found.chances.alpha if found.chances is not None else None,
            "beta": found.chances.beta if found.chances is not None else None,
        },
        metrics={
            **metrics_of(found, parameters),
            "data_from": begin,
            "on_file_before": int(pc.sum(told["on_file_before"]).as_py() or 0),
            "first_from": _day(int(found.newcomers.first.min())),
            "tested_from": _day(found.trial.first_day) if found.trial is not None else None,
            "tested_until": _day(found.trial.last_day) if found.trial is not None else None,
        },
        insights=_insights(context, customers, found, parameters),
        proof=_proof(found.trial, parameters),
        notes=found.notes,
    )


def _none(found: Study, parameters: NewcomersParameters, *, empty: bool) -> str:
    days = 0 if empty else found.newcomers.until - found.newcomers.begin + 1
    return (
        f"A newcomer is somebody whose first purchase lies at least {parameters.lost_days} days after the data begin: "
        f"before that, old customers look new. The data hold {days} days and no such purchase yet."
    )


def _day(number: int) -> str:
    return (EPOCH + dt.timedelta(number)).isoformat()


def _with_first_day(context: Context, table: pa.Table, begin: str) -> pa.Table:
    """With what was known on the first day: branch, channel, money, department, age, and whether the customer was on
    file before the data ``begin``; in the order of ``table``."""
    context.lines()
    duck = context.warehouse.connection
    duck.register("newcomers_told", table)
    try:
        return context.warehouse.arrow(
            f"""
            WITH receipts AS (
                SELECT p.customer_id, arg_max(p.branch_id, (p.net_amount, -p.purchase_id)) AS first_branch_id,
                       arg_max(p.channel, (p.net_amount, -p.purchase_id)) AS channel, sum(p.net_amount) AS first_amount
                FROM purchases p JOIN newcomers_told n ON n.customer = p.customer_id AND n.first_on = p.occurred_on
                WHERE NOT p.is_voided AND p.kind = 'sale' AND p.currency = '{context.currency}' GROUP BY p.customer_id
            ),
            departments AS (
                SELECT customer, arg_max(category_1, (amount, category_1)) AS department FROM (
                    SELECT l.customer, l.category_1, sum(l.amount) AS amount
                    FROM lines_counted l JOIN newcomers_told n ON n.customer = l.customer AND n.first_on = l.date
                    WHERE l.category_1 <> '' AND l.kind = 'sale' GROUP BY ALL
                ) GROUP BY customer
            )
            SELECT n.customer AS customer_id, coalesce(c.home_branch_id, r.first_branch_id) AS branch_id,
                   r.first_branch_id, r.channel, coalesce(r.first_amount, 0)::DECIMAL(18,2) AS first_amount,
                   d.department, year(n.first_on) - c.birth_year AS age,
                   coalesce(c.registered_on < DATE '{begin}', false) AS on_file_before, n.* EXCLUDE (customer)
            FROM newcomers_told n LEFT JOIN customers c ON c.customer_id = n.customer
            LEFT JOIN receipts r ON r.customer_id = n.customer LEFT JOIN departments d ON d.customer = n.customer
            ORDER BY n.customer
            """  # noqa: S608 (a currency code and a day)
        )
    finally:
        duck.unregister("newcomers_told")


def _listed(context: Context, told: pa.Table, parameters: NewcomersParameters) -> pa.Table:
    """Those who wait, and those who began within the horizon and came back; the due ranked."""
    duck = context.warehouse.connection
    duck.register("newcomers_told", told)
    try:
        return context.warehouse.arrow(
            f"""
            SELECT customer_id, branch_id, reason_code AS state,
                   CASE WHEN reason_code = 'due' THEN row_number() OVER (
                       PARTITION BY reason_code ORDER BY chance * first_amount DESC, chance DESC, customer_id
                   ) END AS rank,
                   first_on, second_on, days_to_second, silence_days, chance, expected_on, first_amount, department,
                   reason
            FROM newcomers_told
            WHERE reason_code <> 'back'
               OR first_on > DATE '{context.until}' - INTERVAL {parameters.horizon_days} DAY
            ORDER BY customer_id
            """  # noqa: S608 (a day and a whole number)
        )
    finally:
        duck.unregister("newcomers_told")


def _insights(context: Context, customers: pa.Table, found: Study, parameters: NewcomersParameters) -> pa.Table:
    """Label: the state; score: the chance of coming back soon, 1 for who is back."""
    due_from = "NULL" if found.due_from is None else str(found.due_from)
    due_until = "NULL" if found.due_until is None else str(found.due_until)
    duck = context.warehouse.connection
    duck.register("newcomers_listed", customers)
    try:
        return context.warehouse.arrow(
            f"""
            SELECT customer_id, state AS label,
                   CASE WHEN state = 'back' THEN 1.0 ELSE coalesce(round(chance, 4), 0) END AS score, rank,
                   state AS reason_code, reason,
                   to_json({{
                       'first_on': first_on, 'second_on': second_on, 'days_to_second': days_to_second,
                       'silence_days': silence_days, 'chance': round(chance, 4),
                       'soon_days': {parameters.soon_days}, 'expected_on': expected_on,
                       'first_amount': first_amount::VARCHAR, 'due_from': {due_from}, 'due_until': {due_until}
                   }})::VARCHAR AS facts
            FROM newcomers_listed ORDER BY customer_id
            """  # noqa: S608 (whole numbers)
        )
    finally:
        duck.unregister("newcomers_listed")


def _proof(trial: Trial | None, parameters: NewcomersParameters) -> Proof | None:
    if trial is None:
        return None
    return Proof(
        metric=f"Brier score of returns within {parameters.soon_days} days",
        value=trial.brier,
        baseline=trial.baseline_brier,
        higher_is_better=False,
        why="The baseline is the share of all waiting newcomers who came, however long they had waited.",
    )


def _bands(trial: Trial | None) -> list[dict[str, Any]]:
    from patron.intelligence.mining.churning.judging import wilson

    rows = []
    for band in trial.bands if trial is not None else ():
        low, high = (float(each) for each in wilson(band.came, band.asked))
        rows.append({
            "first_day": band.first, "last_day": band.last, "asked": band.asked, "foretold": band.foretold,
            "came": band.came, "observed": band.came / band.asked, "low": low, "high": high,
        })  # fmt: skip
    return rows


def _rows(mart: Mart, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema([(column.name, _TYPES[column.type]) for column in mart.columns]))


ANALYSIS: Final = Analysis(
    name="newcomers", title="Newcomers", marts=(CUSTOMERS, CURVES, GROUPS, TESTS, BACKTEST), find=find
)
