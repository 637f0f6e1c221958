"""What was bought in each horizon-long period: how many kinds of goods, and how much of it with money off.

The periods end on the cut-offs, so one pass over the lines in the backend serves every cut-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.churning.schedule import Schedule
from patron.intelligence.mining.transactions import CATEGORY, DISCOUNT, PRODUCT, Purchases

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MEASURES: Final = ("kinds", "discount", "full_price")


@dataclass(frozen=True, slots=True)
class Baskets:
    """Measures per customer (rows, as in ``Days.customers``) and period (columns; 0 is the latest, up to today)."""

    kinds: npt.NDArray[np.float32] | None
    discount_share: npt.NDArray[np.float32] | None


def baskets_of(purchases: Purchases, schedule: Schedule) -> Baskets:
    """Measures for every period that a cut-off of the schedule, or today, looks back to."""
    kind = next((role.name for role in (CATEGORY, PRODUCT) if role.name in purchases.lines.columns), "")
    discounted = DISCOUNT.name in purchases.lines.columns
    if not (kind or discounted):
        return Baskets(None, None)
    earliest = min((*schedule.known(), schedule.as_of))
    periods = (schedule.as_of - earliest) // schedule.horizon + 2
    rows = _per_period(purchases.lines, schedule, kind, discounted=discounted, periods=periods).to_pyarrow()
    who = _places(rows["customer"], purchases.days.customers)
    period = rows["period"].to_numpy()

    def filled(name: str) -> npt.NDArray[np.float32]:
        table = np.zeros((len(purchases.days.customers), periods), dtype=np.float32)
        table[who, period] = rows[name].to_numpy()
        return table

    share = None
    if discounted:
        taken, full = filled("discount"), filled("full_price")
        share = np.divide(taken, full, out=np.zeros_like(taken), where=full > 0).clip(0, 1)
    return Baskets(kinds=filled("kinds") if kind else None, discount_share=share)


def recent_and_before(table: npt.NDArray[np.float32], schedule: Schedule, cutoff: int) -> tuple[Real, Real]:
    """The columns of the period that ends on ``cutoff``, and of the one before it."""
    period = (schedule.as_of - cutoff) // schedule.horizon
    return table[:, period].astype(np.float64), table[:, period + 1].astype(np.float64)


def _per_period(lines: ir.Table, schedule: Schedule, kind: str, *, discounted: bool, periods: int) -> ir.Table:
    import ibis

    day = lines.date.epoch_days().cast("int32")
    period = ((ibis.literal(schedule.as_of, "int32") - day) // schedule.horizon).cast("int32")
    seen = lines.mutate(period=period).filter(lambda t: (t.period >= 0) & (t.period < periods), lines.amount >= 0)
    sums: dict[str, Any] = {}
    if discounted:
        taken = seen.discount.fill_null(0)
        sums = {"discount": taken.sum(), "full_price": (seen.amount + taken).sum()}
    if not kind:
        grouped = seen.group_by("customer", "period").agg(**sums)
    else:
        # Grouped by kind first: three times as fast as counting distinct kinds.
        by_kind = seen.group_by("customer", "period", kind).agg(**(sums or {"lines": seen.count()}))
        again = {name: by_kind[name].sum() for name in sums}
        grouped = by_kind.group_by("customer", "period").agg(kinds=by_kind[kind].count(), **again)
    as_numbers = {name: grouped[name].cast("float64") for name in _MEASURES if name in grouped.columns}
    return grouped.select("customer", "period", **as_numbers)


def _places(names: pa.ChunkedArray, customers: pa.Array) -> npt.NDArray[np.int64]:
    places: npt.NDArray[np.int64] = pc.index_in(names, value_set=customers).to_numpy().astype(np.int64)
    return places
