"""The segment profit table: what each group brings, compared with how many it is, and what to do with it.

The form is that of a published frequent-flyer study: share of revenue, share of customers, product index (units per
customer ÷ units per customer overall), leverage (share of revenue ÷ share of customers), tenure in months, treatment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32

Treatment: TypeAlias = Literal["retain", "cross_up_sell", "low_cost", "observe", "abandon"]
TREATMENTS: Final[tuple[Treatment, ...]] = ("retain", "cross_up_sell", "low_cost", "observe", "abandon")
TREATMENT_WORDS: Final[dict[Treatment, str]] = {
    "retain": "retain",
    "cross_up_sell": "cross- or up-sell",
    "low_cost": "serve at low cost",
    "observe": "observe",
    "abandon": "abandon",
}


@dataclass(frozen=True, slots=True)
class TreatmentRules:
    """Where one treatment ends and the next begins; the defaults give the treatments of the published table.

    Asked in this order: leverage of at least ``retain_leverage``: retain. Leverage of at least ``grow_leverage``, or a
    product index of at least ``grow_product_index``: cross- or up-sell, for there is money or interest to build on.
    Younger than ``observe_months``: observe, it is too early to tell. Leverage below ``abandon_leverage``: abandon.
    Else: serve at low cost. What is not known answers no question with yes.
    """

    retain_leverage: float = 1.5
    grow_leverage: float = 1.0
    grow_product_index: float = 0.9
    observe_months: float = 12
    abandon_leverage: float = 0.1


@dataclass(frozen=True, slots=True)
class SegmentSums:
    """What was added up for one group; ``tenure_months`` is a mean. None is not known."""

    cluster: int
    customers: float
    revenue: float | None = None
    units: float | None = None
    tenure_months: float | None = None
    profit: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One line of the table. Shares are 0 to 1; None where revenue, units, tenure or profit is not known."""

    cluster: int
    customers: float
    customer_share: float
    revenue: float | None
    revenue_share: float | None
    product_index: float | None
    leverage: float | None
    tenure_months: float | None
    profit: float | None
    profit_share: float | None
    treatment: Treatment
    why: str


def segment_profit_table(
    segments: Sequence[SegmentSums], rules: TreatmentRules = TreatmentRules()
) -> tuple[SegmentRow, ...]:
    """The table, in the order of ``segments``.

    A group whose refunds outweigh its purchases counts as bringing nothing in the shares, so shares add up to 1 and
    none is negative. Without any revenue (or profit) above zero there are no shares of it.
    """
    everybody = sum(segment.customers for segment in segments)
    revenue = _total([segment.revenue for segment in segments])
    profit = _total([segment.profit for segment in segments])
    units = _total([segment.units for segment in segments])
    return tuple(_row(segment, everybody, revenue, units, profit, rules) for segment in segments)


def treatment_of(
    leverage: float | None, product_index: float | None, tenure_months: float | None, rules: TreatmentRules
) -> Treatment:
    """The treatment of a group by the rules."""
    if leverage is not None and leverage >= rules.retain_leverage:
        return "retain"
    if (leverage is not None and leverage >= rules.grow_leverage) or (
        product_index is not None and product_index >= rules.grow_product_index
    ):
        return "cross_up_sell"
    if leverage is None or (tenure_months is not None and tenure_months < rules.observe_months):
        return "observe"
    return "abandon" if leverage < rules.abandon_leverage else "low_cost"


def segment_sums(
    cluster: Whole32 | Whole,
    k: int,
    *,
    revenue: Real | None = None,
    units: Real | None = None,
    tenure_months: Real | None = None,
    profit: Real | None = None,
) -> tuple[SegmentSums, ...]:
    """Add up the columns for the groups 0 to k − 1; a value that is not a number is left out. Clusters count from 1."""
    sizes = np.bincount(cluster, minlength=k)
    revenues, counts, profits = (_sums(cluster, k, column) for column in (revenue, units, profit))
    months = _means(cluster, k, tenure_months)
    return tuple(
        SegmentSums(
            cluster=place + 1,
            customers=int(sizes[place]),
            revenue=None if revenues is None else float(revenues[place]),
            units=None if counts is None else float(counts[place]),
            tenure_months=None if months is None or np.isnan(months[place]) else float(months[place]),
            profit=None if profits is None else float(profits[place]),
        )
        for place in range(k)
    )


def _row(
    segment: SegmentSums,
    everybody: float,
    revenue: float | None,
    units: float | None,
    profit: float | None,
    rules: TreatmentRules,
) -> SegmentRow:
    customer_share = segment.customers / everybody if everybody else 0.0
    revenue_share = _share(segment.revenue, revenue)
    leverage = revenue_share / customer_share if revenue_share is not None and customer_share else None
    per_customer = segment.units / segment.customers if segment.units is not None and segment.customers else None
    product_index = per_customer / (units / everybody) if per_customer is not None and units and everybody else None
    treatment = treatment_of(leverage, product_index, segment.tenure_months, rules)
    return SegmentRow(
        cluster=segment.cluster,
        customers=segment.customers,
        customer_share=customer_share,
        revenue=segment.revenue,
        revenue_share=revenue_share,
        product_index=product_index,
        leverage=leverage,
        tenure_months=segment.tenure_months,
        profit=segment.profit,
        profit_share=_share(segment.profit, profit),
        treatment=treatment,
        why=_why(treatment, leverage, product_index, segment.tenure_months),
    )


def _why(treatment: Treatment, leverage: float | None, product_index: float | None, tenure_months: float | None) -> str:
    brings = "" if leverage is None else f"Brings {leverage:.2f} times its share of customers"
    after = "" if tenure_months is None else f" after {tenure_months:.0f} months"
    if treatment == "retain":
        return f"{brings}: keep them."
    if treatment == "cross_up_sell":
        units = "" if product_index is None else f" and buys {product_index:.2f} times as many products as everybody"
        return f"{brings or 'Brings an unknown share'}{units}: offer the next product, or the better one."
    if leverage is None:
        return "What they bring is not known: watch them."
    if treatment == "observe":
        return f"{brings}{after} only: too early to tell."
    if treatment == "abandon":
        return f"{brings}{after}: spend nothing on them."
    return f"{brings}{after}: serve them, at little cost."


def _total(values: Sequence[float | None]) -> float | None:
    known = [max(value, 0.0) for value in values if value is not None]
    return sum(known) if known else None


def _share(value: float | None, total: float | None) -> float | None:
    return max(value, 0.0) / total if value is not None and total else None


def _sums(cluster: Whole32 | Whole, k: int, column: Real | None) -> Real | None:
    if column is None:
        return None
    sums: Real = np.bincount(cluster, np.nan_to_num(column, nan=0.0, posinf=0.0, neginf=0.0), k).astype(np.float64)
    return sums


def _means(cluster: Whole32 | Whole, k: int, column: Real | None) -> Real | None:
    if column is None:
        return None
    known = np.isfinite(column)
    counts = np.bincount(cluster[known], minlength=k)
    sums = np.bincount(cluster[known], weights=column[known], minlength=k)
    means: Real = np.divide(sums, counts, out=np.full(k, np.nan), where=counts > 0)
    return means
