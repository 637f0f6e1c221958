"""What identified customers bought in a window of time, as arrays: for the analyses of baskets and sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Whole, day_number
from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.transactions import Baskets, codes, in_text_order

if TYPE_CHECKING:
    from patron.intelligence.insights.analyses.contract import Context

#: From the finest level of the catalogue to the coarsest.
LEVELS: Final = {"type": "category_3", "category": "category_2", "department": "category_1"}


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the catalogue: its names, ascending, and each product's place among them (−1: none)."""

    names: pa.Array
    of_product: Whole


@dataclass(frozen=True, slots=True)
class Shopping:
    """Baskets of the window. Row i says that ``basket[i]`` held ``product[i]`` (both numbered from 0).

    For each basket: ``customer`` (its place in ``customers``, the ids), ``branch`` (id, −1: none), ``day``.
    """

    since: date
    until: date
    basket: Whole
    product: Whole
    customer: Whole
    customers: Whole
    branch: Whole
    day: Whole
    levels: Mapping[str, Level]

    @property
    def size(self) -> int:
        """How many baskets."""
        return len(self.customer)

    def baskets(self, level: str) -> Baskets:
        """The baskets with the names of a level as items."""
        rows, code = self._items(level)
        return Baskets.of_codes(self.levels[level].names, self.basket[rows], code, self.size)

    def buyers(self, level: str, chosen: Flags | None = None) -> Baskets:
        """For each item of a level its buyers: a "basket" is a customer, over all (or the chosen) baskets."""
        rows, code = self._items(level)
        basket = self.basket[rows]
        if chosen is not None:
            there = chosen[basket]
            basket, code = basket[there], code[there]
        return Baskets.of_codes(self.levels[level].names, self.customer[basket], code, len(self.customers))

    def visits(self, level: str) -> Sequences:
        """Each customer's days with what was bought on them: a sequence is a customer, a position a day."""
        rows, code = self._items(level)
        basket = self.basket[rows]
        return Sequences.of_codes(self.levels[level].names, self.customer[basket], self.day[basket], code, dated=True)

    def _items(self, level: str) -> tuple[Flags, Whole]:
        code = self.levels[level].of_product[self.product]
        rows = code >= 0
        return rows, code[rows]


def shopping(context: Context, *, days: int) -> Shopping:
    """The sales of the last ``days`` days up to the last whole day; returns are left out."""
    since = context.until - timedelta(days=days - 1)
    lines = context.lines()
    lines = lines.filter(lines.kind == "sale", lines.quantity > 0, lines.date >= since, lines["product"].notnull())
    table = lines.select("basket", "product", "customer", "branch", "date").distinct().to_pyarrow()
    # Numbered by id, and not as they come: the same figures give the same results to the last digit.
    _, first, basket = np.unique(table["basket"].to_numpy(), return_index=True, return_inverse=True)
    customers, customer = np.unique(table["customer"].to_numpy()[first], return_inverse=True)
    products, product = np.unique(table["product"].to_numpy(), return_inverse=True)
    branch = pc.fill_null(table["branch"], -1).to_numpy()[first]
    day = table["date"].cast(pa.int32()).to_numpy()[first].astype(np.int64)
    return Shopping(
        since=max(since, context.until) if not len(day) else since,
        until=context.until,
        basket=basket,
        product=product,
        customer=customer,
        customers=customers,
        branch=branch,
        day=day,
        levels=levels_of(context, products),
    )


def first_day(bought: Shopping) -> date:
    """The first day with a basket, else the first of the window."""
    return bought.since if not bought.size else date(1970, 1, 1) + timedelta(days=int(bought.day.min()))


def recent(bought: Shopping, days: int) -> Flags:
    """Which baskets are of the last ``days`` days."""
    flags: Flags = bought.day > day_number(bought.until) - days
    return flags


def levels_of(context: Context, products: Whole) -> dict[str, Level]:
    """The levels at which the products (ids, ascending) have two names or more."""
    catalogue = context.warehouse.arrow(
        "SELECT product_id, nullif(trim(category_1), '') AS category_1, nullif(trim(category_2), '') AS category_2, "
        "nullif(trim(category_3), '') AS category_3 FROM products ORDER BY product_id"
    )
    place = pc.index_in(pa.array(products), catalogue["product_id"].combine_chunks())
    levels = {}
    for level, column in LEVELS.items():
        named = catalogue[column].combine_chunks().take(place)
        known = pc.is_valid(named).to_numpy(zero_copy_only=False)
        names, code = in_text_order(*codes(named.drop_null()))
        if len(names) < 2:
            continue
        of_product = np.full(len(products), -1, dtype=np.int64)
        of_product[known] = code
        levels[level] = Level(names, of_product)
    return levels
