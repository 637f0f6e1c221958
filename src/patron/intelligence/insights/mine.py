"""From the tables of a version to its marts: purchases into the models, the models' results into Parquet. No Django.

Imported only when there is something to mine: Ibis and the models take seconds to load.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.inputs import purchases_sql
from patron.intelligence.insights.marts import months, reach, sales, stages, value
from patron.intelligence.insights.marts.attributes import CUSTOMER_ATTRIBUTES, CUSTOMER_ATTRIBUTES_SQL
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.insights.marts.history import CLUSTERS, CUSTOMER_HISTORY, customer_history_sql
from patron.intelligence.insights.marts.writing import write_mart
from patron.intelligence.mining.arrays import Whole, decimals, labels
from patron.intelligence.mining.attributing import attribute_table, attributes, facts_of
from patron.intelligence.mining.contract import Metric, ModelResult, Parameters, Setting
from patron.intelligence.mining.inventory import NONE
from patron.intelligence.mining.models.value import ValueParameters
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.stages import STAGES, LifecycleParameters, judgements
from patron.intelligence.mining.transactions import Purchases, prepare
from patron.intelligence.warehouse.engines.contract import Engine, open_engine
from patron.intelligence.warehouse.manifest import Manifest, Table, columns_sql
from patron.intelligence.warehouse.reader import ANALYSES
from patron.intelligence.warehouse.store import Store

MEMORY_MB = 1500
MONTHS = 13


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What a published model ran with, and its figures."""

    parameters: Mapping[str, Setting]
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class Mined:
    """The marts of a version, and the runs behind them by model. `seconds` are by step."""

    marts: Mapping[str, Table]
    runs: Mapping[str, ModelRun]
    seconds: Mapping[str, float]


def mine(
    store: Store,
    manifest: Manifest,
    *,
    as_of: date,
    currency: str,
    parameters: Mapping[str, Mapping[str, Setting]],
    work: Path,
    engine: str | None = None,
) -> Mined:
    """Run the models over the tables of `manifest` as known at the end of `as_of`, and write the marts.

    `parameters` are those that differ from the defaults, by model. Purchases in another currency than `currency` are
    left out of marts and models. `manifest.marts` are those of the version before: the history goes on from them.
    `engine` names the engine that does it, `PATRON_WAREHOUSE_ENGINE` when none is given.
    """
    opened = open_engine(memory_mb=MEMORY_MB, overflow=work / "overflow", chosen=engine)
    try:
        opened.view(store.root, manifest.tables)
        return _Mining(
            store, opened, former=manifest.marts, as_of=as_of, currency=currency, parameters=parameters
        ).run()
    finally:
        opened.close()


def month_ends(as_of: date, *, months: int = MONTHS) -> list[date]:
    """The ends of the last `months` whole months before `as_of`, then `as_of`, ascending."""
    first = as_of.replace(day=1)
    ends = [as_of]
    for _ in range(months):
        ends.append(first - timedelta(days=1))
        first = ends[-1].replace(day=1)
    return sorted(set(ends))


class _Mining:
    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        former: Mapping[str, Table],
        as_of: date,
        currency: str,
        parameters: Mapping[str, Mapping[str, Setting]],
    ) -> None:
        self._store = store
        self._engine = engine
        self._former = former
        self._as_of = as_of
        self._currency = currency
        self._changed = parameters
        self._marts: dict[str, Table] = {}
        self._seconds: dict[str, float] = {}

    def run(self) -> Mined:
        purchases = self._timed("purchases", self._purchases)
        runs = {
            "value": self._timed("value", lambda: self._value(purchases)),
            "lifecycle": self._timed("lifecycle", lambda: self._lifecycle(purchases)),
        }
        self._timed("inventory", lambda: self._inventory(purchases))
        self._timed("value marts", lambda: self._value_marts(runs["value"].parameters))
        self._timed("sales marts", self._sales)
        self._engine.keep("reach_now", reach.reach_sql(self._as_of))
        self._timed("reach", self._reach)
        self._timed("attributes", self._attributes)
        self._engine.unregister("reach_now")
        self._timed("history", self._history)
        return Mined(self._marts, runs, self._seconds)

    # -- input

    def _purchases(self) -> Purchases:
        """One row per receipt for the models, split where only a part of it has a known cost."""
        ((known,),) = self._engine.rows(
            "SELECT (SELECT count(cost) FROM products) + (SELECT count(cost_amount) FROM purchase_lines) "
            "+ (SELECT count(cost_amount) FROM purchases)"
        )
        self._with_cost = known > 0
        self._engine.keep("counted", purchases_sql(self._currency, with_cost=self._with_cost))
        purchases = prepare(self._engine.backend.table("counted"))
        self._engine.unregister("counted")
        return purchases

    # -- models

    def _value(self, purchases: Purchases) -> ModelRun:
        chosen = ValueParameters(**self._changed.get("value", {}))  # type: ignore[arg-type] # checked when they were set
        has_profit = purchases.days.profit is not None
        published = chosen if has_profit or chosen.by == "revenue" else replace(chosen, by="revenue")
        before = self._as_of.replace(day=1) - timedelta(days=1)
        metrics: Mapping[str, Metric] = {}
        for measure in value.MEASURES if has_profit else value.MEASURES[:1]:
            for name, as_of in (("now", self._as_of), ("before", before)):
                result = _run("value", purchases, as_of, replace(chosen, by=measure))
                self._engine.register(f"{measure}_{name}", result.table)
                if name == "now" and measure == published.by:
                    metrics = result.report.metrics
        self._write(value.CUSTOMER_VALUE, value.customer_value_sql(with_profit=has_profit))
        for measure in value.MEASURES:
            for name in ("now", "before"):
                self._engine.unregister(f"{measure}_{name}")
        return ModelRun(published.as_dict(), metrics)

    def _lifecycle(self, purchases: Purchases) -> ModelRun:
        result = _run("lifecycle", purchases, self._as_of, self._lifecycle_parameters())
        self._engine.register("lifecycle_now", result.table)
        self._write(stages.CUSTOMER_STAGE, stages.CUSTOMER_STAGE_SQL)
        self._engine.unregister("lifecycle_now")
        return ModelRun(self._lifecycle_parameters().as_dict(), result.report.metrics)

    def _lifecycle_parameters(self) -> LifecycleParameters:
        return LifecycleParameters(**self._changed.get("lifecycle", {}))  # type: ignore[arg-type] # as above

    # -- marts

    def _inventory(self, purchases: Purchases) -> None:
        """One period at a time, so that memory holds two month ends and not fourteen."""
        customers = purchases.days.customers
        parts: list[Any] = []
        opened: tuple[date, Whole, Whole] | None = None
        for judged in judgements(purchases, month_ends(self._as_of), self._lifecycle_parameters()):
            stage = np.full(len(customers), -1, dtype=np.int64)
            stage[judged.facts.who] = judged.stage
            money = np.zeros(len(customers), dtype=np.int64)
            money[judged.facts.who] = judged.facts.money_per_year
            if opened is not None:
                self._engine.register("moves", _moves(customers, opened, (judged.as_of, stage, money)))
                period = write_mart(self._store, self._engine, stages.INVENTORY_FLOWS, [stages.INVENTORY_FLOWS_SQL])
                parts.extend(period.parts)
                self._engine.unregister("moves")
            opened = (judged.as_of, stage, money)
        empty = write_mart(self._store, self._engine, stages.INVENTORY_FLOWS, [])
        self._add(stages.INVENTORY_FLOWS, replace(empty, parts=tuple(parts)))
        self._write(stages.INVENTORY_CELLS, stages.INVENTORY_CELLS_SQL)

    def _value_marts(self, parameters: Mapping[str, Setting]) -> None:
        self._write(value.LORENZ, value.lorenz_sql())
        self._write(
            value.VIP_SUMMARY,
            value.vip_summary_sql(float(parameters["vip_share"]), float(parameters["class_a_share"])),
        )

    def _sales(self) -> None:
        self._engine.keep("sold", sales.sold_sql(self._currency, self._as_of))
        self._write(sales.WEEKLY_SALES, sales.weekly_sales_sql(self._as_of - timedelta(days=1)))
        self._write(sales.DAILY_SALES, sales.DAILY_SALES_SQL)
        self._engine.unregister("sold")
        month = "date_trunc('month', occurred_on)::DATE"
        counted = self._engine.rows(f"SELECT {month} AS month, count(*) AS lines FROM purchase_lines GROUP BY {month}")  # noqa: S608
        queries = months.month_marts_sql(self._currency, self._as_of, with_cost=self._with_cost, lines=dict(counted))
        for mart in months.MONTH_MARTS:
            self._add(mart, write_mart(self._store, self._engine, mart, queries[mart.name]))

    def _reach(self) -> None:
        self._write(reach.CUSTOMER_REACH, reach.CUSTOMER_REACH_SQL)
        self._write(reach.REACH, reach.REACH_SQL)

    def _attributes(self) -> None:
        table = self._engine.backend.table
        facts = facts_of(
            customers=table("customers"),
            purchases=table("purchases"),
            lines=table("purchase_lines"),
            products=table("products"),
            reach=table("reach_now"),
            as_of=self._as_of,
            currency=self._currency,
        )
        self._engine.keep("attributes_now", attribute_table(attributes(), facts))
        self._write(CUSTOMER_ATTRIBUTES, CUSTOMER_ATTRIBUTES_SQL)
        self._engine.unregister("attributes_now")

    def _history(self) -> None:
        """Goes on from the history of the version before; clusters are those of the last analysis that was promoted."""
        empty = Table(columns_sql(CUSTOMER_HISTORY.columns))
        self._engine.view(self._store.root, {"history_before": self._former.get(CUSTOMER_HISTORY.name, empty)})
        results = Store(self._store.root / ANALYSES).current_or_none()
        there = {name: results.marts[name] for name in CLUSTERS if name in results.marts} if results else {}
        self._engine.view(self._store.root / ANALYSES, there)
        self._write(CUSTOMER_HISTORY, customer_history_sql(self._as_of, there=there.keys()))

    def _write(self, mart: Mart, query: str) -> None:
        self._add(mart, write_mart(self._store, self._engine, mart, [query]))

    def _add(self, mart: Mart, table: Table) -> None:
        """Later marts read earlier ones by name."""
        self._marts[mart.name] = table
        self._engine.view(self._store.root, {mart.name: table})

    def _timed(self, step: str, work: Any) -> Any:
        begun = time.perf_counter()
        result = work()
        self._seconds[step] = time.perf_counter() - begun
        return result


def _run(model: str, purchases: Purchases, as_of: date, parameters: Parameters) -> ModelResult:
    return model_named(model).run(purchases, as_of=as_of, parameters=parameters)


def _moves(customers: pa.Array, opened: tuple[date, Whole, Whole], closed: tuple[date, Whole, Whole]) -> pa.Table:
    """Everyone known at the closing: where they stood before and stand now."""
    (opened_on, stage_before, money_before), (closed_on, stage_after, money_after) = opened, closed
    known = np.flatnonzero(stage_after >= 0)
    names = (NONE, *STAGES)
    return pa.table(
        {
            "opened_on": pa.repeat(pa.scalar(opened_on), len(known)),
            "closed_on": pa.repeat(pa.scalar(closed_on), len(known)),
            "customer": customers.take(pa.array(known)),
            "from_stage": labels((stage_before[known] + 1).astype(np.int8), names),
            "to_stage": labels((stage_after[known] + 1).astype(np.int8), names),
            "money_before": decimals(money_before[known], scale=4),
            "money_after": decimals(money_after[known], scale=4),
        }
    )
