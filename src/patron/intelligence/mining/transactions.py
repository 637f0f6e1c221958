"""Purchases as the models see them: cleaned lines in the backend, and one row per customer and day in memory."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Whole, Whole32, day_number, prefix_sums
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.fetching import fetched

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Amounts are added up as exact decimals, so that totals do not depend on the order in which threads finish.
MONEY: Final = "decimal(18, 4)"
#: Money as whole numbers: 10,000 units make 1.
MONEY_UNITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Role:
    """A column that a model reads, by what it means and not by what a source calls it.

    ``kind`` is what its values become (``any``: numbers or dates where all are, else texts); a role of ``many`` takes
    several columns, which keep their names.
    """

    name: str
    meaning: str
    required: bool = False
    kind: Literal["any", "text", "number", "date"] = "any"
    many: bool = False


CUSTOMER: Final = Role("customer", "who bought; rows without one are left out", required=True)
DATE: Final = Role("date", "the day (or instant) of the purchase, in the branch's calendar", required=True)
AMOUNT: Final = Role("amount", "money paid for the line, in one currency; negative for a return", required=True)
PURCHASE: Final = Role(
    "purchase", "invoice or basket (a day's lines without one are one purchase); without it every day is one purchase"
)
PROFIT: Final = Role("profit", "gross profit of the line")
COST: Final = Role("cost", "cost of the whole line; profit is amount less cost, unknown where the cost is missing")
BRANCH: Final = Role("branch", "where it was bought")
PRODUCT: Final = Role("product", "what was bought")
QUANTITY: Final = Role("quantity", "how many")
DISCOUNT: Final = Role("discount", "money taken off the line, positive")
CATEGORY: Final = Role("category", "what kind of thing was bought")
BRAND: Final = Role("brand", "whose brand it is")

ROLES: Final = {
    role.name: role
    for role in (
        CUSTOMER, DATE, AMOUNT, PURCHASE, PROFIT, COST, BRANCH, PRODUCT, QUANTITY, DISCOUNT, CATEGORY, BRAND,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProfitDays:
    """Gross profit per row of :class:`Days`, in units: ``lines`` with known profit, their profit and their amount."""

    lines: Whole
    profit: Whole
    covered: Whole


@dataclass(frozen=True, slots=True)
class Days:
    """One row per customer and day on which something was bought or brought back, by customer, then by day.

    ``customers`` are distinct and ascending; the rows of customer i are ``starts[i]`` to ``starts[i + 1]``, and
    ``owner`` gives i for each row. ``day`` counts days since 1970-01-01; ``purchases`` are distinct purchases with a
    line of zero or more, so 0 on a day with nothing but returns; ``amount`` is net of returns, in units.
    20 bytes a row: a chain with a million weekly customers needs 1 GB a year.
    """

    customers: pa.Array
    starts: Whole
    owner: Whole32
    day: Whole32
    purchases: Whole32
    amount: Whole
    profit: ProfitDays | None

    def select(self, rows: Flags) -> Days:
        """Only those rows, and only the customers who still have one."""
        kept = np.flatnonzero(rows)
        left, first, owner = np.unique(self.owner[kept], return_index=True, return_inverse=True)
        profit = self.profit
        return Days(
            customers=self.customers.take(pa.array(left)),
            starts=np.append(first, len(kept)),
            owner=owner.astype(np.int32),
            day=self.day[kept],
            purchases=self.purchases[kept],
            amount=self.amount[kept],
            profit=profit and ProfitDays(profit.lines[kept], profit.profit[kept], profit.covered[kept]),
        )

    def per_customer(self, values: Whole | Whole32 | Flags) -> Whole:
        """The sum of ``values`` (one per row) for each customer; exact."""
        sums = prefix_sums(values)[self.starts]
        return sums[1:] - sums[:-1]

    def rows_until(self, limits: int | Whole) -> Whole:
        """For each customer the row after the last one dated up to and including ``limits``: a day, or one for each."""
        each = limits if isinstance(limits, int) else limits.astype(np.int32).take(self.owner)
        return self.starts[:-1] + self.per_customer(self.day <= each)

    def named(self, who: Whole) -> pa.Array:
        """The customers at the places ``who``, which are distinct and ascending."""
        return self.customers if len(who) == len(self.customers) else self.customers.take(pa.array(who))


@dataclass(frozen=True, slots=True)
class Purchases:
    """Input of the models; made once by :func:`prepare`, used by any number of them.

    ``lines``: the source rows with a customer, a date and an amount, for models that look into the basket; columns are
    named by role, ``date`` is a date, money is ``decimal(18, 4)``; never materialised. ``days``: see :class:`Days`.
    """

    lines: ir.Table
    days: Days

    @property
    def last_on(self) -> dt.date | None:
        """The latest day with a row; none without rows."""
        latest = self.days.day.max(initial=-1)
        return None if not len(self.days.day) else dt.date.fromordinal(int(latest) + dt.date(1970, 1, 1).toordinal())

    def until(self, as_of: dt.date) -> Purchases:
        """The same without anything dated after ``as_of``."""
        known = self.days.day <= day_number(as_of)
        return replace(
            self,
            lines=self.lines.filter(self.lines.date <= as_of),
            days=self.days if known.all() else self.days.select(known),
        )


def prepare(transactions: ir.Table) -> Purchases:
    """Clean ``transactions``, and fetch one row per customer and day.

    ``transactions`` has a column per role (:data:`ROLES`): ``customer`` (text or whole number), ``date`` (date or
    timestamp) and ``amount`` (number) are required. Rows that lack one of these three are left out. Raises
    :class:`InputError` when a column is missing or has a type that cannot be used.
    """
    lines = canonical_lines(transactions)
    return Purchases(lines=lines, days=_fetch_days(lines))


def canonical_lines(transactions: ir.Table) -> ir.Table:
    """Columns named by role, dates as dates, money exact, rows without customer, date or amount left out."""
    _check_columns(transactions)
    there = set(transactions.columns)
    columns: dict[str, ir.Value] = {
        "customer": transactions.customer,
        "date": transactions.date if transactions.date.type().is_date() else transactions.date.date(),
        "amount": _as_money(transactions.amount),
    }
    if PROFIT.name in there:
        columns["profit"] = _as_money(transactions.profit)
    elif COST.name in there:
        columns["profit"] = (columns["amount"] - _as_money(transactions.cost)).cast(MONEY)
    if DISCOUNT.name in there:
        columns["discount"] = _as_money(transactions.discount)
    for role in (PURCHASE, BRANCH, PRODUCT, QUANTITY, CATEGORY, BRAND):
        if role.name in there:
            columns[role.name] = transactions[role.name]
    lines = transactions.select(**columns)
    return lines.filter(lines.customer.notnull(), lines.date.notnull(), lines.amount.notnull())


def _as_money(column: ir.Value) -> ir.Value:
    # A floating "not a number" or infinity has no decimal: it becomes null, and the row is left out.
    return column.try_cast(MONEY) if column.type().is_floating() else column.cast(MONEY)


def _check_columns(transactions: ir.Table) -> None:
    missing = [role.name for role in ROLES.values() if role.required and role.name not in transactions.columns]
    if missing:
        raise InputError(
            f"The transactions lack {', '.join(missing)}; there are: {', '.join(transactions.columns)}. "
            "Rename the columns to the roles before preparing them."
        )
    schema = transactions.schema()
    if not (schema["date"].is_date() or schema["date"].is_timestamp()):
        raise InputError(f"The column date must be a date or a timestamp; it is {schema['date']}.")
    for name in (AMOUNT.name, PROFIT.name, COST.name, DISCOUNT.name):
        if name in schema.names and not schema[name].is_numeric():
            raise InputError(f"The column {name} must be a number; it is {schema[name]}.")


def _fetch_days(lines: ir.Table) -> Days:
    rows = fetched(_days(lines)).combine_chunks()
    customer = rows["customer"].combine_chunks()
    changes = np.flatnonzero(pc.not_equal(customer[1:], customer[:-1]).to_numpy(zero_copy_only=False)) + 1
    first = np.concatenate(([0], changes)).astype(np.int64) if len(customer) else np.zeros(0, dtype=np.int64)
    starts = np.append(first, len(customer))
    profit = None
    if "profit" in rows.column_names:
        profit = ProfitDays(
            lines=rows["profit_lines"].to_numpy(), profit=rows["profit"].to_numpy(), covered=rows["covered"].to_numpy()
        )
    return Days(
        customers=customer.take(pa.array(first)),
        starts=starts,
        owner=np.repeat(np.arange(len(first), dtype=np.int32), np.diff(starts)),
        day=rows["day"].to_numpy(),
        purchases=rows["purchases"].to_numpy(),
        amount=rows["amount"].to_numpy(),
        profit=profit,
    )


def _days(lines: ir.Table) -> ir.Table:
    came = lines.amount >= 0
    measures: dict[str, ir.Value] = {"amount": lines.amount.sum()}
    if "profit" in lines.columns:
        measures["profit"] = lines.profit.sum().fill_null(0)
        measures["covered"] = lines.amount.sum(where=lines.profit.notnull()).fill_null(0)
        measures["profit_lines"] = lines.profit.count()
    if PURCHASE.name in lines.columns:
        # Group by purchase first, then count the groups: three times as fast as counting distinct purchases.
        baskets = lines.group_by("customer", "date", PURCHASE.name).agg(came=came.any(), **measures)
        sums = {name: baskets[name].sum() for name in measures}
        days = baskets.group_by("customer", "date").agg(purchases=baskets.count(where=baskets.came), **sums)
    else:
        days = lines.group_by("customer", "date").agg(purchases=came.any(), **measures)
    units = {name: (days[name] * MONEY_UNITS).cast("int64") for name in measures if name != "profit_lines"}
    lines_known = {name: days[name].cast("int64") for name in measures if name == "profit_lines"}
    day = days.date.epoch_days().cast("int32")
    numbered = days.select("customer", day=day, purchases=days.purchases.cast("int32"), **units, **lines_known)
    return numbered.order_by("customer", "day")
