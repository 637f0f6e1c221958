"""What today's customers will bring: lifetime value of each, how the forecast did on weeks it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import Flags, Real, decimals, half_up, labels
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.clv import GONE, MODEL, ClvParameters, back_tested, holdout_days
from patron.kernel.exports import ExportColumn

if TYPE_CHECKING:
    from patron.intelligence.mining.clv.backtest import BackTest
    from patron.intelligence.mining.contract import ModelResult
    from patron.intelligence.mining.transactions import Purchases

MODELS: Final = ("bgnbd", "mbgnbd", "paretonbd")
LABELS: Final = ("high", "medium", "low", "gone")
#: Shares of all value yet to come that end the high and the medium group.
HIGH, MEDIUM = 0.8, 0.95
#: Who counts as once good: the fewest customers with this share of all money so far.
GOOD: Final = 0.8

CUSTOMERS = Mart(
    name="clv_customers",
    meaning="What each customer will probably bring in the horizon, and whether they are still a customer at all.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place by value to come, 1 is the best."),
        ExportColumn("label", "string", "high (80 % of value to come), medium (to 95 %), low; gone: probably lost."),
        ExportColumn("frequency", "int32", "Repeat purchase days so far."),
        ExportColumn("recency_weeks", "float64", "Weeks from the first to the last of them."),
        ExportColumn("age_weeks", "float64", "Weeks since the first purchase."),
        ExportColumn("silent_days", "int32", "Days since the last purchase."),
        ExportColumn("monetary", "decimal(18,2)", "Mean amount of the repeat days; empty without one."),
        ExportColumn("spent", "decimal(18,2)", "Spent so far, net of returns."),
        ExportColumn("was_good", "bool", "Among the fewest customers who brought 80 % of all money so far."),
        ExportColumn("p_alive", "float64", "Probability of still being a customer, 0 to 1."),
        ExportColumn("expected_purchases", "float64", "Purchase days expected within the horizon."),
        ExportColumn("purchases_low", "float64", "Lower end of their range."),
        ExportColumn("purchases_high", "float64", "Upper end of their range."),
        ExportColumn("expected_spend", "decimal(18,2)", "Amount expected per purchase day."),
        ExportColumn("clv", "decimal(18,2)", "Value expected within the horizon, discounted."),
        ExportColumn("clv_low", "decimal(18,2)", "Lower end of its range."),
        ExportColumn("clv_high", "decimal(18,2)", "Upper end of its range."),
        ExportColumn("cumulative_share", "float64", "Share of all value to come of this customer and all better ones."),
        ExportColumn("reason_code", "string", "first_only, alive, doubtful or gone."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="rank",
)
TRACKING = Mart(
    name="clv_tracking",
    meaning="Repeat purchases by week of those who were customers before the hold-out: what came, what was forecast.",
    columns=(
        ExportColumn("week", "int32", "Number of the week since the first day."),
        ExportColumn("ends_on", "date", "Its last day."),
        ExportColumn("held_out", "bool", "Whether the model had not seen it."),
        ExportColumn("actual", "int64", "Repeat purchase days that came."),
        ExportColumn("predicted", "float64", "That the model expected."),
        ExportColumn("actual_total", "int64", "Up to and including this week."),
        ExportColumn("predicted_total", "float64", "As actual_total, expected."),
    ),
    order="week",
)
HOLDOUT = Mart(
    name="clv_holdout",
    meaning="The weeks kept back, by how often customers had bought before them: purchases per customer.",
    columns=(
        ExportColumn("frequency", "int32", "Repeat purchase days before the hold-out; 7 stands for 7 and more."),
        ExportColumn("customers", "int64", "Customers."),
        ExportColumn("actual", "float64", "What each bought in the hold-out, on average."),
        ExportColumn("model", "float64", "What the model expected."),
        ExportColumn("as_before", "float64", "As many as in the period of the same length before."),
        ExportColumn("silent_gone", "float64", "None from the long silent, the others at their own rate."),
    ),
    order="frequency",
)
PARAMETERS = Mart(
    name="clv_parameters",
    meaning="What was estimated, by the symbols of the papers.",
    columns=(
        ExportColumn("part", "string", "purchases or spending."),
        ExportColumn("model", "string", "bgnbd, mbgnbd, paretonbd or gammagamma."),
        ExportColumn("symbol", "string", "r, alpha, a, b, s, beta, p, q or v."),
        ExportColumn("estimate", "float64", "Maximum-likelihood estimate; time in weeks unless set otherwise."),
        ExportColumn("standard_error", "float64", "Its standard error; empty where the data do not settle it."),
    ),
    order="part, symbol",
)
COMPARISON = Mart(
    name="clv_models",
    meaning="The hold-out, forecast by each model and by the rules that need none.",
    columns=(
        ExportColumn("position", "int32", "Models first."),
        ExportColumn("model", "string", "bgnbd, mbgnbd, paretonbd, as_before or silent_gone."),
        ExportColumn("chosen", "bool", "Whether the figures of customers come from it."),
        ExportColumn("predicted", "float64", "Purchases that it forecast in all."),
        ExportColumn("actual", "int64", "Purchases that came."),
        ExportColumn("rmse", "float64", "Root of the mean squared error per customer, in purchases."),
        ExportColumn("mae", "float64", "Mean absolute error per customer, in purchases."),
        ExportColumn("log_likelihood", "float64", "On the weeks before the hold-out; empty for rules."),
    ),
    order="position",
)


def find(context: Context) -> Findings:
    """Fit, forecast, back-test. Raises InputError while nobody has come back, for then there is nothing to learn."""
    parameters = context.parameters(ClvParameters)
    purchases = context.purchases()
    until = context.until
    if not parameters.lookback:
        parameters = replace(parameters, lookback=float(_lookback(purchases, until, parameters)))
    result = MODEL.run(purchases, as_of=until, parameters=parameters)
    if result.table["clv"].null_count == result.table.num_rows:
        raise InputError("Lifetime value needs customers who bought on a second day: there are none yet.")
    tests = {name: back_tested(purchases, until, replace(parameters, model=name, back_test=True)) for name in MODELS}
    customers = _customers(context, result)
    metrics = {
        **result.report.metrics,
        "value_high_customers": pc.sum(pc.equal(customers["label"], "high")).as_py() or 0,
        "gone_once_good": pc.sum(pc.and_(pc.equal(customers["label"], "gone"), customers["was_good"])).as_py() or 0,
    }
    chosen = tests[parameters.model]
    return Findings(
        tables={
            CUSTOMERS.name: customers,
            TRACKING.name: _tracking(chosen),
            HOLDOUT.name: _holdout(chosen),
            PARAMETERS.name: _parameters(result),
            COMPARISON.name: _comparison(tests, parameters.model),
        },
        parameters=result.report.parameters,
        metrics=metrics,
        insights=_insights(customers),
        proof=_proof(chosen),
        notes=result.report.notes,
    )


def _lookback(purchases: Purchases, until: date, parameters: ClvParameters) -> int:
    """The weeks of history that forecast best before the hold-out; 0 for all."""
    from patron.intelligence.mining.clv.lookback import best_lookback
    from patron.intelligence.mining.clv.summaries import UNIT_DAYS, purchase_days
    from patron.intelligence.mining.clv.valuing import COUNT_MODELS

    bought = purchase_days(purchases.days)
    length = holdout_days(bought, until, parameters)
    return (
        best_lookback(
            COUNT_MODELS[parameters.model],
            bought,
            until=until - timedelta(days=length),
            length=length,
            unit_days=UNIT_DAYS[parameters.time_unit],
            penalizer=parameters.penalizer,
        )
        if length
        else 0
    )


def _customers(context: Context, result: ModelResult) -> pa.Table:
    found = result.table
    known = context.warehouse.arrow(
        f"""
        SELECT c.customer_id AS customer, c.home_branch_id AS branch_id, coalesce(s.spent, 0)::DECIMAL(18,2) AS spent
        FROM customers c LEFT JOIN (
            SELECT customer_id, sum(net_amount) AS spent FROM purchases
            WHERE NOT is_voided AND currency = '{context.currency}' AND occurred_on <= DATE '{context.as_of}'
            GROUP BY customer_id
        ) s USING (customer_id)
        """  # noqa: S608 (a currency code and a day)
    )
    of_each = known.take(pc.index_in(found["customer"], known["customer"])).combine_chunks()
    found = found.combine_chunks()
    clv, alive = _real(found, "clv"), _real(found, "p_alive")
    order = np.lexsort((np.arange(len(clv)), -clv))
    rank = np.empty(len(clv), dtype=np.int64)
    rank[order] = np.arange(1, len(clv) + 1)
    share = _shares(clv, order)
    unit = {"day": 7.0, "week": 1.0, "month": 12 / 52.1775}[str(result.report.parameters["time_unit"])]
    recency, age = _real(found, "recency") / unit, _real(found, "T") / unit
    return pa.table(
        {
            "customer_id": found["customer"],
            "branch_id": of_each["branch_id"],
            "rank": rank,
            "label": _label(alive, share - clv / max(float(clv.sum()), 1e-300)),
            "frequency": found["frequency"],
            "recency_weeks": recency,
            "age_weeks": age,
            "silent_days": np.rint((age - recency) * 7).astype(np.int64),
            "monetary": _money(_real(found, "monetary"), found["monetary"].is_valid().to_numpy()),
            "spent": of_each["spent"],
            "was_good": _good(_real(of_each, "spent")),
            "p_alive": alive,
            "expected_purchases": found["expected_purchases"],
            "purchases_low": found["purchases_low"],
            "purchases_high": found["purchases_high"],
            "expected_spend": _money(_real(found, "expected_value")),
            "clv": _money(clv),
            "clv_low": _money(_real(found, "low")),
            "clv_high": _money(_real(found, "high")),
            "cumulative_share": share,
            "reason_code": pc.cast(found["reason_code"], pa.string()),
            "reason": found["reason"],
        }
    )


def _real(table: pa.Table, name: str) -> Real:
    values: Real = pc.fill_null(table[name].cast(pa.float64()), 0.0).to_numpy()
    return values


def _money(values: Real, known: Flags | None = None) -> pa.Array:
    amounts = decimals(half_up(values * 100), scale=2)
    return amounts if known is None else pc.if_else(pa.array(known), amounts, pa.scalar(None, amounts.type))


def _shares(values: Real, order: npt.NDArray[np.int64]) -> Real:
    """The share of all value of each customer and all before them in ``order``."""
    total = float(values.sum())
    shares = np.ones(len(values))
    if total > 0:
        shares[order] = np.cumsum(values[order]) / total
    return shares


def _label(alive: Real, share_before: Real) -> pa.Array:
    code = np.where(share_before < HIGH, 0, np.where(share_before < MEDIUM, 1, 2))
    return labels(np.where(alive < GONE, 3, code).astype(np.int8), LABELS).cast(pa.string())


def _good(spent: Real) -> pa.Array:
    money = np.maximum(spent, 0)
    order = np.lexsort((np.arange(len(money)), -money))
    before = _shares(money, order) - money / max(float(money.sum()), 1e-300)
    return pa.array((before < GOOD) & (money > 0))


def _tracking(test: BackTest | None) -> pa.Table:
    weeks = test.tracking if test else ()
    names = [column.name for column in TRACKING.columns]
    return _rows(TRACKING, [{name: getattr(week, name) for name in names} for week in weeks])


def _holdout(test: BackTest | None) -> pa.Table:
    names = [column.name for column in HOLDOUT.columns]
    return _rows(HOLDOUT, [{name: getattr(group, name) for name in names} for group in (test.groups if test else ())])


def _parameters(result: ModelResult) -> pa.Table:
    metrics, parameters = result.report.metrics, result.report.parameters
    symbols = [name.removeprefix("se_") for name in metrics if name.startswith("se_")]
    rows: list[dict[str, object]] = [
        {
            "part": "spending" if symbol in ("p", "q", "v") else "purchases",
            "model": "gammagamma" if symbol in ("p", "q", "v") else parameters["model"],
            "symbol": symbol,
            "estimate": parameters[symbol],
            "standard_error": metrics[f"se_{symbol}"],
        }
        for symbol in symbols
    ]
    return _rows(PARAMETERS, rows)


def _comparison(tests: Mapping[str, BackTest | None], chosen: str) -> pa.Table:
    rows: list[dict[str, object]] = []
    for name, test in tests.items():
        if test is None:
            continue
        rows.append(_compared(test, name, test.forecasts.model, test.fit.log_likelihood) | {"chosen": name == chosen})
    if (any_test := tests[chosen]) is not None:
        forecasts = any_test.forecasts
        rows.append(_compared(any_test, "as_before", forecasts.as_before, None) | {"chosen": False})
        rows.append(_compared(any_test, "silent_gone", forecasts.silent_gone, None) | {"chosen": False})
    return _rows(COMPARISON, [{"position": place, **row} for place, row in enumerate(rows)])


def _compared(test: BackTest, name: str, forecast: Real, log_likelihood: float | None) -> dict[str, object]:
    return {
        "model": name,
        "predicted": float(forecast.sum()),
        "actual": int(test.forecasts.actual.sum()),
        "rmse": test.forecasts.rmse(forecast),
        "mae": test.forecasts.mae(forecast),
        "log_likelihood": log_likelihood,
    }


def _rows(mart: Mart, rows: list[dict[str, object]]) -> pa.Table:
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(),
             "bool": pa.bool_(), "date": pa.date32()}  # fmt: skip
    schema = pa.schema([(column.name, types[column.type]) for column in mart.columns])
    return pa.Table.from_pylist(rows, schema=schema)


def _proof(test: BackTest | None) -> Proof | None:
    if test is None:
        return None
    forecasts = test.forecasts
    rules = {
        "as before": forecasts.rmse(forecasts.as_before),
        "silent means gone": forecasts.rmse(forecasts.silent_gone),
    }
    best = min(rules, key=lambda rule: rules[rule])
    return Proof(
        metric="Hold-out error per customer (root mean square, purchases)",
        value=forecasts.rmse(forecasts.model),
        baseline=rules[best],
        higher_is_better=False,
        why=f"The baseline is the better of two rules without a model: {best}.",
    )


def _insights(customers: pa.Table) -> pa.Table:
    def text(name: str) -> pa.Array:
        column = customers[name].combine_chunks()
        if pa.types.is_floating(column.type):
            column = decimals(half_up(column.to_numpy() * 1000), scale=3)
        return pc.fill_null(column.cast(pa.string()), "null")

    facts: list[pa.Array | str] = ["{"]
    names = ("p_alive", "expected_purchases", "expected_spend", "clv", "clv_low", "clv_high", "frequency", "monetary")
    for place, name in enumerate(names):
        facts += [f'{", " if place else ""}"{name}": ', text(name)]
    return pa.table(
        {
            "customer_id": customers["customer_id"],
            "label": customers["label"],
            "score": customers["clv"],
            "rank": customers["rank"],
            "reason_code": customers["reason_code"],
            "reason": customers["reason"],
            "facts": pc.binary_join_element_wise(*facts, "}", ""),
        }
    )


ANALYSIS: Final = Analysis(
    name="clv",
    title="Lifetime value",
    marts=(CUSTOMERS, TRACKING, HOLDOUT, PARAMETERS, COMPARISON),
    find=find,
)
