"""What can be said of a customer in one value: typed Ibis expressions, worked out for everybody at once on any engine.

An attribute is a file in ``attributes/`` that ends in ``ATTRIBUTE = Attribute(...)``. Its expression adds up the rows
of one customer in one of the grains of :class:`Facts`; all attributes of a grain are worked out in one pass over it.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from patron.intelligence.mining import attributes as package
from patron.intelligence.mining.arrays import day_number

if TYPE_CHECKING:
    import ibis.expr.types as ir

Grain: TypeAlias = Literal["customers", "receipts", "lines", "branches", "categories", "reach"]
"""What one row is, for one customer: the customer, a receipt, a line, a branch bought at, a category bought from, a
channel over which the customer can be reached."""

AttributeType: TypeAlias = Literal["int64", "float64", "decimal(18,2)", "string", "bool", "date"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_IBIS_TYPES: Final = {"decimal(18,2)": "decimal(18, 2)"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value for each customer.

    ``value`` gets the rows of ``over`` and the day, and gives an expression: an aggregate over a customer's rows, or,
    over ``customers``, a plain expression. It is null, or ``without``, for a customer without such a row. ``unit`` and
    ``title`` are for people who choose it.
    """

    name: str
    title: str
    meaning: str
    type: AttributeType
    over: Grain
    value: Callable[[ir.Table, dt.date], ir.Value]
    unit: str = ""
    without: int | float | str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise TypeError(f"{self.name!r} is no name of an attribute: small letters, digits and _ only")
        if self.type not in get_args(AttributeType) or self.over not in get_args(Grain):
            raise TypeError(f"the attribute {self.name} is a {self.type} over {self.over}: one of these is not known")
        if not self.title or not self.meaning.endswith("."):
            raise TypeError(f"the attribute {self.name} needs a title, and a meaning that is a sentence")


@dataclass(frozen=True, slots=True)
class Facts:
    """What attributes are worked out of: nothing later than ``as_of``; made by :func:`facts_of`.

    ``customers``: as the table of that name. ``receipts``: ``customer_id``, ``date``, ``branch_id``, ``kind`` (sale or
    return), ``gross``, ``discount``, ``amount``. ``lines``: ``customer_id``, ``date``, ``category``, ``product_id``,
    ``quantity``, ``amount``. ``branches`` and ``categories``: ``customer_id``, ``branch_id`` or ``category``,
    ``visits`` (days with a sale), ``amount``, ``last_on``, and ``place``: 1 for where the customer comes most.
    ``reach``: ``customer_id`` and ``channel``, of those over which the customer allows marketing and has a contact.
    """

    as_of: dt.date
    customers: ir.Table
    receipts: ir.Table
    lines: ir.Table
    branches: ir.Table
    categories: ir.Table
    reach: ir.Table


def facts_of(
    *,
    customers: ir.Table,
    purchases: ir.Table,
    lines: ir.Table,
    products: ir.Table,
    reach: ir.Table,
    as_of: dt.date,
    currency: str,
) -> Facts:
    """The grains over tables of the warehouse: voided receipts, other currencies and later days left out.

    ``reach`` has a row for each customer and channel as known on the day, with ``reachable``.
    """
    counted = purchases.filter(
        ~purchases.is_voided,
        purchases.customer_id.notnull(),
        purchases.currency == currency,
        purchases.occurred_on <= as_of,
    )
    receipts = counted.select(
        "customer_id",
        "branch_id",
        "kind",
        date=counted.occurred_on,
        gross=counted.gross_amount,
        discount=counted.discount_amount,
        amount=counted.net_amount,
    )
    sold = lines.filter(
        ~lines.is_voided, lines.customer_id.notnull(), lines.currency == currency, lines.occurred_on <= as_of
    )
    placed = sold.join(products.select("product_id", "category_1"), "product_id", how="left")
    detailed = placed.select(
        "customer_id",
        "product_id",
        "quantity",
        "kind",
        date=placed.occurred_on,
        category=placed.category_1,
        amount=placed.net_amount,
    )
    return Facts(
        as_of=as_of,
        customers=customers,
        receipts=receipts,
        lines=detailed,
        branches=_places(receipts.filter(receipts.branch_id.notnull()), "branch_id"),
        categories=_places(detailed.filter(detailed.category.notnull()), "category"),
        reach=reach.filter(reach.reachable).select("customer_id", "channel"),
    )


def attribute_table(chosen: Mapping[str, Attribute], facts: Facts) -> ir.Table:
    """One row for each customer on file: ``customer_id``, and a column for each of ``chosen`` in its type."""
    everybody = facts.customers.select("customer_id")
    for grain in get_args(Grain):
        own = [attribute for attribute in chosen.values() if attribute.over == grain]
        if not own:
            continue
        rows: ir.Table = getattr(facts, grain)
        values = {attribute.name: attribute.value(rows, facts.as_of) for attribute in own}
        found = (
            rows.select("customer_id", **values) if grain == "customers" else rows.group_by("customer_id").agg(**values)
        )
        everybody = everybody.left_join(found, "customer_id").drop("customer_id_right")
    columns: dict[str, ir.Value] = {}
    for attribute in chosen.values():
        column = everybody[attribute.name].cast(_IBIS_TYPES.get(attribute.type, attribute.type))
        columns[attribute.name] = column if attribute.without is None else column.fill_null(attribute.without)
    return everybody.select("customer_id", **columns)


def days_between(day: ir.DateValue, as_of: dt.date) -> ir.IntegerValue:
    """Whole days from ``day`` to ``as_of``."""
    return day_number(as_of) - day.epoch_days()


def within(rows: ir.Table, as_of: dt.date, *, days: int) -> ir.BooleanValue:
    """Whether a row lies in the last ``days`` days, ``as_of`` among them."""
    return rows.date > as_of - dt.timedelta(days=days)


@cache
def attributes() -> Mapping[str, Attribute]:
    """Every attribute by its name, sorted. Raises ``TypeError`` when a file of ``attributes/`` breaks the contract."""
    found: dict[str, Attribute] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        attribute = getattr(module, "ATTRIBUTE", None)
        if not isinstance(attribute, Attribute):
            raise TypeError(f"{module.__name__} must end in ATTRIBUTE = Attribute(...)")
        if attribute.name != module_info.name:
            raise TypeError(f"{module.__name__} holds the attribute {attribute.name!r}: name the file after it")
        found[attribute.name] = attribute
    return MappingProxyType(dict(sorted(found.items())))


def _places(rows: ir.Table, name: str) -> ir.Table:
    """Where a customer buys, the most visited first; of equals where more was spent, then the later, then by name."""
    import ibis  # takes a second to load: listing the attributes does without

    sales = rows.filter(rows.kind == "sale")
    # Group by day first, then count the groups: several times as fast as counting distinct days.
    days = sales.group_by("customer_id", name, "date").agg(amount=sales.amount.sum())
    visited = days.group_by("customer_id", name).agg(
        visits=days.count(), amount=days.amount.sum(), last_on=days.date.max()
    )
    best = ibis.window(
        group_by="customer_id",
        order_by=[visited.visits.desc(), visited.amount.desc(), visited.last_on.desc(), visited[name].asc()],
    )
    return visited.mutate(place=ibis.row_number().over(best) + 1)
