"""What an analysis is: it reads the warehouse, runs a model, and gives tables, figures and insights. No Django."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from patron.intelligence.insights.freshness import last_whole_day
from patron.intelligence.insights.inputs import lines_sql, purchases_sql
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.contract import Metric, Parameters, Setting
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.warehouse.reader import Warehouse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from patron.intelligence.mining.transactions import Purchases
    from patron.intelligence.warehouse.engines.contract import Engine

P = TypeVar("P", bound=Parameters)

SEED = 20_251_121
"""Everything random in an analysis starts from here, so that a run can be repeated."""

INSIGHTS = "insights"
INSIGHT_COLUMNS = ("customer_id", "label", "score", "rank", "reason_code", "reason", "facts")


@dataclass(frozen=True, slots=True)
class Proof:
    """How the run did against its baseline, on data that neither had seen.

    A run that did worse than the baseline is kept on record and not promoted: the results before it stay.
    """

    metric: str
    value: float
    baseline: float
    higher_is_better: bool = True
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether the run is at least as good as its baseline; a figure that is no number proves nothing."""
        return self.value >= self.baseline if self.higher_is_better else self.value <= self.baseline

    def sentence(self) -> str:
        """The comparison in words, English."""
        verdict = "at least as good as" if self.holds else "worse than"
        return f"{self.metric} {self.value:.4g} is {verdict} the baseline's {self.baseline:.4g}. {self.why}".strip()


@dataclass(frozen=True, slots=True)
class Findings:
    """What an analysis found.

    `tables` by the names of its marts (columns found by name and cast). `insights` has the columns of
    `INSIGHT_COLUMNS`, a row for each customer: `score` a number, `facts` a JSON object as text. What a million
    customers make too large for memory is left in temporary tables of the context's connection: `large` names them,
    by mart and `INSIGHTS`, in place of the others.
    """

    tables: Mapping[str, pa.Table]
    parameters: Mapping[str, Metric] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    insights: pa.Table | None = None
    proof: Proof | None = None
    notes: tuple[str, ...] = ()
    large: Mapping[str, str] = field(default_factory=dict)


class Context:
    """What an analysis may read: the warehouse with the results of the analyses before it, and the days.

    `as_of` is the warehouse's day. `until` is the last whole day of trade up to then: where tills have not sent their
    last days yet, what customers did is known until there, and a forecast or a silence begins there.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        as_of: date,
        currency: str,
        changed: Mapping[str, Mapping[str, Setting]],
        seed: int = SEED,
        engine: Callable[[], Engine | None] | None = None,
    ) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.currency = currency
        self.seed = seed
        self.running = ""
        self._changed = changed
        self._open_engine = engine

    def engine(self) -> Engine | None:
        """Where lines are counted that this process need not hold: Spark, over the same tables and marts.

        None where the installation's engine is DuckDB: `warehouse` is all there is. Opened when first asked for.
        """
        return self._open_engine() if self._open_engine is not None else None

    def parameters(self, kind: type[P], *, of: str = "") -> P:
        """The parameters of the model `of` (by default the one with the running analysis's name), as changed by people.

        A change that the model no longer takes is left out: an old setting must not stop tonight's figures.
        """
        chosen = kind()
        for name, value in self._changed.get(of or self.running, {}).items():
            try:
                chosen = replace(chosen, **{name: value})
            except (TypeError, ParameterError):
                continue
        return chosen

    @cached_property
    def until(self) -> date:
        """The last whole day of trade: see `patron.intelligence.insights.freshness`."""
        return last_whole_day(self.warehouse, as_of=self.as_of, currency=self.currency)

    def purchases(self) -> Purchases:
        """Receipts of identified customers up to `until`, as the models read them, with profit where cost is known.

        Made once.
        """
        return self._purchases

    def lines(self) -> ir.Table:
        """The lines of identified customers up to `until`: see `patron.intelligence.insights.inputs.lines_sql`."""
        return self._lines

    @cached_property
    def _purchases(self) -> Purchases:
        from patron.intelligence.mining.transactions import prepare

        [(costed,)] = self.warehouse.rows("SELECT count(cost) FROM products")
        [(with_cost,)] = self.warehouse.rows("SELECT count(cost_amount) FROM purchase_lines")
        duck = self.warehouse.connection
        query = purchases_sql(self.currency, with_cost=costed + with_cost > 0)
        duck.execute(f"CREATE OR REPLACE TEMP TABLE purchases_counted AS {query}")
        return prepare(self.warehouse.backend.table("purchases_counted")).until(self.until)

    @cached_property
    def _lines(self) -> ir.Table:
        duck = self.warehouse.connection
        duck.execute(
            f"CREATE OR REPLACE TEMP VIEW lines_counted AS SELECT * FROM ({lines_sql(self.currency)}) "  # noqa: S608
            f"WHERE date <= DATE '{self.until.isoformat()}'"
        )
        return self.warehouse.backend.table("lines_counted")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A registered analysis. `needs` are analyses that run before it and whose marts it reads.

    `parameters` are the model's where the house starts from other values than the model does on a file.
    """

    name: str
    title: str
    marts: tuple[Mart, ...]
    find: Callable[[Context], Findings]
    needs: tuple[str, ...] = ()
    parameters: type[Parameters] | None = None
