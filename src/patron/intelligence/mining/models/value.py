"""Value: who are the customers that bring most of the money, and how much hangs on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts, dates, day_number, decimals, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, Point, parameter
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.transactions import (
    AMOUNT,
    COST,
    CUSTOMER,
    DATE,
    MONEY_UNITS,
    PROFIT,
    PURCHASE,
    Days,
    Purchases,
)

CLASSES: Final = ("A", "B", "C")
REASON_CODES: Final = ("vip", "class_a", "class_b", "class_c", "no_net_value", "only_returns")
LORENZ_STEPS: Final = 100

#: Farther away than any purchase: the day of the last purchase of someone who only brought things back.
NEVER: Final = -(10**6)


@dataclass(frozen=True)
class ValueParameters(Parameters):
    """What counts as a window, a class and a VIP."""

    window_days: int = parameter(365, "days up to the as-of date that count; 0 = all time", minimum=0)
    by: str = parameter("revenue", "what customers are ranked by; profit needs costs", choices=("revenue", "profit"))
    class_a_share: float = parameter(0.80, "class A: the fewest customers with this share", minimum=0.01, maximum=1)
    class_b_share: float = parameter(0.95, "class B: the next ones, up to this share", minimum=0.01, maximum=1)
    vip_share: float = parameter(0.20, "VIP: this share of customers, counted from the top", minimum=0.001, maximum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_b_share < self.class_a_share:
            raise ParameterError(
                f"class_b_share is {self.class_b_share:g}; it must be at least class_a_share ({self.class_a_share:g})."
            )


def compute(purchases: Purchases, as_of: dt.date, parameters: ValueParameters) -> Outcome:
    """One row per customer with a line in the window, best first; formulas are in ``docs/algorithms/value.md``."""
    if parameters.by == "profit" and purchases.days.profit is None:
        raise ParameterError("Ranking by profit needs a profit or a cost column; rank by revenue, or add the column.")
    customers = _customers(_window(purchases.days, as_of, parameters), parameters)
    standing = _standing(customers.worth, parameters)
    codes = _reason_codes(customers, standing)
    table = _table(customers, standing, as_of)
    reasons = sentences(codes, _templates(customers, standing, parameters))
    return Outcome(
        table=table.append_column("reason_code", labels(codes, REASON_CODES).cast(pa.string())).append_column(
            "reason", reasons
        ),
        metrics=_metrics(customers, standing),
        series={"lorenz": _lorenz(standing.counted)},
    )


def _window(days: Days, as_of: dt.date, parameters: ValueParameters) -> Days:
    if not parameters.window_days:
        return days
    inside = days.day > day_number(as_of) - parameters.window_days
    return days if inside.all() else days.select(inside)


@dataclass(frozen=True, slots=True)
class _Customers:
    """Sums per customer in the order of rank: worth from high to low, equal worth by customer from low to high.

    Money is in units; ``profit_lines`` is the number of days' lines with a known profit. ``last_day`` is ``NEVER``
    for customers without a purchase in the window.
    """

    customers: pa.Array
    last_day: Whole
    frequency: Whole
    revenue: Whole
    worth: Whole
    profit: Whole | None
    profit_known: Flags | None
    covered: Whole | None


def _customers(days: Days, parameters: ValueParameters) -> _Customers:
    revenue = days.per_customer(days.amount)
    profit = covered = profit_known = None
    if days.profit is not None:
        profit = days.per_customer(days.profit.profit)
        covered = days.per_customer(days.profit.covered)
        profit_known = days.per_customer(days.profit.lines) > 0
    worth = profit if parameters.by == "profit" and profit is not None else revenue
    order = np.argsort(-worth, kind="stable")
    return _Customers(
        customers=days.customers.take(pa.array(order)),
        last_day=_last_purchase_days(days)[order],
        frequency=days.per_customer(days.purchases)[order],
        revenue=revenue[order],
        worth=worth[order],
        profit=None if profit is None else profit[order],
        profit_known=None if profit_known is None else profit_known[order],
        covered=None if covered is None else covered[order],
    )


def _last_purchase_days(days: Days) -> Whole:
    last = np.full(len(days.customers), NEVER, dtype=np.int64)
    came = np.flatnonzero(days.purchases > 0)
    # Rows are in order of date, and of equal places the last assignment stays: the latest purchase.
    last[days.owner[came]] = days.day[came]
    return last


@dataclass(frozen=True, slots=True)
class _Standing:
    """Concentration in the order of rank, in whole units of money, so that no share depends on rounding.

    ``counted`` is worth with everything below zero taken as zero: a customer who brought more back than they bought
    adds nothing to the cumulative share.
    """

    counted: Whole
    running: Whole
    total: int
    class_a_count: int
    class_b_count: int
    vip_count: int

    @property
    def customers(self) -> int:
        return len(self.counted)


def _standing(worth: Whole, parameters: ValueParameters) -> _Standing:
    counted = np.maximum(worth, 0)
    running = np.cumsum(counted, dtype=np.int64)
    total = int(running[-1]) if len(running) else 0
    before = running - counted
    earning = counted > 0
    return _Standing(
        counted=counted,
        running=running,
        total=total,
        class_a_count=int(np.count_nonzero(earning & (before < _ceiling(parameters.class_a_share, total)))),
        class_b_count=int(np.count_nonzero(earning & (before < _ceiling(parameters.class_b_share, total)))),
        vip_count=min(_ceiling(parameters.vip_share, len(counted)), int(np.count_nonzero(earning))),
    )


def _ceiling(share: float, whole: int) -> int:
    """``share`` of ``whole`` rounded up, with the share taken as written (0.2 of 10 is 2, not 3)."""
    return int((Decimal(str(share)) * whole).to_integral_value(rounding=ROUND_CEILING))


def _table(customers: _Customers, standing: _Standing, as_of: dt.date) -> pa.Table:
    count = standing.customers
    places = np.arange(count)
    bought = customers.last_day != NEVER
    classes = np.where(places < standing.class_a_count, 0, np.where(places < standing.class_b_count, 1, 2))
    nothing = pa.nulls(count, pa.decimal128(18, 4))
    return pa.table(
        {
            "customer": customers.customers,
            "rank": counts(places + 1),
            "recency_days": counts(day_number(as_of) - customers.last_day, known=bought),
            "frequency": counts(customers.frequency),
            "monetary": decimals(customers.revenue, scale=4),
            "gross_profit": nothing
            if customers.profit is None
            else _where(customers.profit_known, decimals(customers.profit, scale=4)),
            "recency_score": pa.array(_scores(customers.last_day)),
            "frequency_score": pa.array(_scores(customers.frequency)),
            "monetary_score": pa.array(_scores(customers.revenue)),
            "share": pa.array(_shares(standing.counted, standing.total)),
            "cumulative_share": pa.array(_shares(standing.running, standing.total)),
            "value_class": labels(classes.astype(np.int8), CLASSES).cast(pa.string()),
            "vip": pa.array(places < standing.vip_count),
            "last_on": dates(customers.last_day, known=bought),
            "covered_revenue": nothing if customers.covered is None else decimals(customers.covered, scale=4),
        }
    )


def _where(known: Flags | None, column: pa.Array) -> pa.Array:
    return column if known is None else pc.if_else(pa.array(known), column, pa.scalar(None, column.type))


def _scores(values: Whole) -> npt.NDArray[np.int8]:
    """Fifths 1 to 5, 5 for the highest: 1 + ⌊5 × (customers with a lower value) ÷ customers⌋.

    Equal values get equal scores, so fifths need not be of equal size.
    """
    ascending, scores = np.sort(values), np.ones(len(values), dtype=np.int8)
    for fifth in range(1, 5 if len(values) else 1):
        # At least this many customers have a lower value exactly when the last of so many smallest values is lower.
        least = -(-fifth * len(values) // 5)
        scores += values > ascending[least - 1]
    return scores


def _shares(units: Whole, total: int) -> Real:
    return units / total if total else np.zeros(len(units))


def _reason_codes(customers: _Customers, standing: _Standing) -> npt.NDArray[np.int8]:
    places = np.arange(standing.customers)
    questions = {
        "only_returns": customers.frequency == 0,
        "no_net_value": standing.counted == 0,
        "vip": places < standing.vip_count,
        "class_a": places < standing.class_a_count,
        "class_b": places < standing.class_b_count,
    }
    codes = [REASON_CODES.index(code) for code in questions]
    answer = np.select(list(questions.values()), codes, default=REASON_CODES.index("class_c"))
    return answer.astype(np.int8)


def _templates(customers: _Customers, standing: _Standing, parameters: ValueParameters) -> dict[int, Template]:
    def ranked(rows: Whole) -> list[Piece]:
        share = half_up(_shares(standing.counted[rows], standing.total) * 10_000)
        return [
            "Rank ",
            counts(rows + 1),
            f" of {standing.customers} by {parameters.by}, with ",
            decimals(share, scale=2),
            " % of it. Purchases: ",
            counts(customers.frequency[rows]),
            "; the last one on ",
            dates(customers.last_day[rows]),
            ".",
        ]

    def only_returns(_: Whole) -> list[Piece]:
        return ["Only returns in this period, no purchase."]

    def no_net_value(_: Whole) -> list[Piece]:
        return [f"Adds nothing to {parameters.by}: returns or costs outweigh what was bought."]

    special: dict[str, Template] = {"only_returns": only_returns, "no_net_value": no_net_value}
    return {place: special.get(code, ranked) for place, code in enumerate(REASON_CODES)}


def _lorenz(counted: Whole) -> tuple[Point, ...]:
    """Share of customers from the smallest up → share of worth; at most 101 points, from (0, 0) to (1, 1)."""
    total = int(counted.sum())
    if not total:
        return ()
    count = len(counted)
    running = np.concatenate(([0], np.cumsum(counted[::-1], dtype=np.int64)))
    places = np.unique(np.linspace(0, count, min(count, LORENZ_STEPS) + 1).round().astype(np.int64))
    return tuple((round(int(i) / count, 6), round(int(running[i]) / total, 6)) for i in places)


def _gini(counted: Whole) -> float | None:
    """0 when all customers bring the same, towards 1 when one brings everything; none without customers or worth."""
    total, count = int(counted.sum()), len(counted)
    if not total:
        return None
    ascending = counted[::-1].astype(np.float64)
    weighted = float(np.dot(np.arange(1, count + 1, dtype=np.float64), ascending))
    return round(2 * weighted / (count * total) - (count + 1) / count, 6)


def _metrics(customers: _Customers, standing: _Standing) -> dict[str, Metric]:
    count = standing.customers
    revenue = int(customers.revenue.sum())
    top = int(standing.counted[: standing.vip_count].sum())
    metrics: dict[str, Metric] = {
        "customers": count,
        "purchases": int(customers.frequency.sum()),
        "revenue": revenue / MONEY_UNITS,
        "customers_without_net_value": int(np.count_nonzero(standing.counted == 0)),
        "vip_count": standing.vip_count,
        "vip_share_of_worth": round(top / standing.total, 6) if standing.total else None,
        "class_a_count": standing.class_a_count,
        "class_a_share_of_customers": round(standing.class_a_count / count, 6) if count else None,
        "class_b_count": standing.class_b_count - standing.class_a_count,
        "class_c_count": count - standing.class_b_count,
        "gini": _gini(standing.counted),
    }
    if customers.profit is not None and customers.covered is not None:
        metrics["gross_profit"] = int(customers.profit.sum()) / MONEY_UNITS
        metrics["share_of_revenue_with_known_profit"] = (
            round(int(customers.covered.sum()) / revenue, 6) if revenue else None
        )
    return metrics


MODEL: Final = Model(
    card=ModelCard(
        name="value",
        title="Customer value",
        question="Which customers bring most of the money, and how few of them bring 80 % of it?",
        roles=(CUSTOMER, DATE, AMOUNT, PURCHASE, PROFIT, COST),
        method=(
            "Adds up each customer's purchases in the window, ranks them, walks down the ranking until 80 % and 95 % "
            "of the money is reached (classes A, B, C), and scores recency, frequency and monetary value in fifths."
        ),
        source=(
            "Recency, frequency, monetary: A. M. Hughes, Strategic Database Marketing (1994). "
            "ABC: H. F. Dickie (1951). Concentration: M. O. Lorenz (1905), C. Gini (1912)."
        ),
        limits=(
            "It describes what was; it does not predict.",
            "Amounts must be in one currency.",
            "A customer without a line in the window is not in the result.",
            "Returns lower the amount on the day they happen, and are no purchase.",
        ),
    ),
    parameters=ValueParameters,
    compute=compute,
)
