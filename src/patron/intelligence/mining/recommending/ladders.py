"""The ladder of each category, who stands on which rung, who climbed, and who is ready to.

Products of a category are put in the order of their price per unit and cut into three rungs that carry about a third
of the category's sales each. A customer's rung in a period is the one they bought most often (of equal ones the
lower). Whoever bought there ``min_purchases`` times and, in the next period, mostly from a rung above, has climbed.

The chance to climb is the share of those like the customer who did: same rung, same band of purchases already made
above it, same band of the rungs they buy in other categories; drawn towards the share of the rung, times how much
more the category's customers climb than others.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

RUNGS: Final = ("entry", "middle", "premium")
_MIN_SPREAD: Final = 1.2
_TASTED: Final = (0.0, 0.2)
_PRIOR: Final = 30.0
#: Cells of the table of chances: rungs below the top, bands of purchases above, bands of taste elsewhere.
_CELLS: Final = (len(RUNGS) - 1, len(_TASTED) + 1, 3)


@dataclass(frozen=True, slots=True)
class Ladders:
    """``goods``: products with their category, rung, unit_price and amount. ``categories`` are those with a ladder.

    ``price`` (amount ÷ units), ``products`` (how many) and ``sales`` have a row per category and a column per rung.
    """

    goods: pa.Table
    categories: pa.Array
    price: Real
    products: Whole
    sales: Real


def build_ladders(lines: ir.Table, *, min_products: int) -> Ladders:
    """Ladders of the categories with enough products and a premium price at least 1.2 times the entry price."""
    sold = lines.filter(lines.amount > 0, lines.quantity > 0)
    sums = sold.group_by("category", "product").agg(amount=_exact_sum(sold.amount), quantity=_exact_sum(sold.quantity))
    table = sums.order_by("category", "product").to_pyarrow().combine_chunks()
    category = table["category"].combine_chunks().dictionary_encode()
    place = category.indices.to_numpy().astype(np.int64)
    amount, quantity = table["amount"].to_numpy(), table["quantity"].to_numpy()
    unit = np.where(quantity > 0, amount / np.maximum(quantity, 1e-9), 0.0)
    order = np.lexsort((np.arange(len(unit)), unit, place))
    rung = np.empty(len(unit), dtype=np.int64)
    rung[order] = _thirds(place[order], amount[order])
    size = len(category.dictionary)
    key = place * len(RUNGS) + rung
    cells = size * len(RUNGS)
    sales = np.bincount(key, weights=amount, minlength=cells).reshape(size, len(RUNGS))
    units = np.bincount(key, weights=quantity, minlength=cells).reshape(size, len(RUNGS))
    count = np.bincount(key, minlength=cells).reshape(size, len(RUNGS))
    price = np.divide(sales, units, out=np.zeros(sales.shape), where=units > 0)
    good = (count.sum(axis=1) >= min_products) & (count > 0).all(axis=1) & (price[:, -1] >= _MIN_SPREAD * price[:, 0])
    kept = good[place]
    goods = pa.table(
        {
            "category": table["category"].filter(pa.array(kept)),
            "product": table["product"].filter(pa.array(kept)),
            "rung": rung[kept],
            "unit_price": unit[kept],
            "amount": amount[kept],
        }
    )
    return Ladders(goods, category.dictionary.filter(pa.array(good)), price[good], count[good], sales[good])


def _exact_sum(column: ir.Value) -> ir.Value:
    """Added up as decimals: sums of floating numbers depend on the order of the rows."""
    return column.cast("decimal(18, 4)").sum().cast("float64")


def _thirds(group: Whole, weight: Real) -> Whole:
    """In which third of its group's weight the middle of each element lies; elements are sorted by group."""
    total = np.bincount(group, weights=weight)
    before = np.cumsum(weight) - weight
    begins = np.concatenate(([0.0], np.cumsum(total)))[:-1]
    middle = (before - begins[group] + weight / 2) / np.maximum(total[group], 1e-9)
    return np.minimum((middle * len(RUNGS)).astype(np.int64), len(RUNGS) - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """One element per customer and category bought in a period. ``bought`` has a column per rung: days with a purchase.

    ``above``: band of the share bought above the own rung; ``taste``: band of the mean rung in other categories.
    """

    customers: pa.Array
    customer: Whole
    category: Whole
    rung: Whole
    bought: Whole
    quantity: Real
    amount: Real
    above: Whole
    taste: Whole

    @property
    def times(self) -> Whole:
        total: Whole = self.bought.sum(axis=1)
        return total

    def key(self, categories: int) -> Whole:
        return self.customer * categories + self.category


def standings(lines: ir.Table, ladders: Ladders, customers: pa.Array, *, after: dt.date, until: dt.date) -> Standing:
    """Who stood where in the days ``after`` < day ≤ ``until``."""
    import ibis

    goods = ibis.memtable(ladders.goods.select(["category", "product", "rung"]))
    inside = lines.filter(lines.amount > 0, lines.quantity > 0, lines.date > after, lines.date <= until)
    joined = inside.join(goods, ["category", "product"])
    sums = joined.group_by("customer", "category", "rung").agg(
        days=joined.date.nunique(),
        quantity=_exact_sum(joined.quantity),
        amount=_exact_sum(joined.amount),
    )
    table = sums.to_pyarrow().combine_chunks()
    who = pc.index_in(table["customer"], customers).to_numpy().astype(np.int64)
    category = pc.index_in(table["category"], ladders.categories).to_numpy().astype(np.int64)
    key, place = np.unique(who * max(len(ladders.categories), 1) + category, return_inverse=True)
    bought = np.zeros((len(key), len(RUNGS)), dtype=np.int64)
    bought[place, table["rung"].to_numpy()] = table["days"].to_numpy()
    quantity, amount = np.zeros((len(key), len(RUNGS))), np.zeros((len(key), len(RUNGS)))
    quantity[place, table["rung"].to_numpy()] = table["quantity"].to_numpy()
    amount[place, table["rung"].to_numpy()] = table["amount"].to_numpy()
    rung = bought.argmax(axis=1)
    customer = key // max(len(ladders.categories), 1)
    return Standing(
        customers=customers,
        customer=customer,
        category=key % max(len(ladders.categories), 1),
        rung=rung,
        bought=bought,
        quantity=quantity.sum(axis=1),
        amount=amount.sum(axis=1),
        above=_above(bought, rung),
        taste=_taste(bought, customer, len(customers)),
    )


def _above(bought: Whole, rung: Whole) -> Whole:
    higher = np.where(np.arange(len(RUNGS)) > rung[:, np.newaxis], bought, 0).sum(axis=1)
    band: Whole = np.searchsorted(_TASTED, higher / np.maximum(bought.sum(axis=1), 1), side="left").astype(np.int64)
    return band


def _taste(bought: Whole, customer: Whole, customers: int) -> Whole:
    """Thirds of the mean rung over the customer's other categories; the middle one without others."""
    points = (bought * np.arange(len(RUNGS))).sum(axis=1)
    times = bought.sum(axis=1)
    others = np.bincount(customer, weights=times, minlength=customers)[customer] - times
    mean = (np.bincount(customer, weights=points, minlength=customers)[customer] - points) / np.maximum(others, 1)
    known = others > 0
    cuts = np.quantile(mean[known], (1 / 3, 2 / 3)) if known.any() else np.array([1.0, 1.0])
    return np.where(known, np.searchsorted(cuts, mean, side="right"), 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Chances:
    """Chance to climb by rung, band above and taste (``cell``), and how each category differs (``category``)."""

    cell: npt.NDArray[np.float64]
    category: Real

    def of(self, standing: Standing) -> Real:
        """The chance of each; 0 on the top rung."""
        low = standing.rung < len(RUNGS) - 1
        rung = np.minimum(standing.rung, len(RUNGS) - 2)
        told = self.cell[rung, standing.above, standing.taste] * self.category[standing.category]
        chances: Real = np.where(low, np.minimum(told, 0.95), 0.0)
        return chances


def climbed(before: Standing, after: Standing, categories: int) -> Flags:
    """Which elements of ``before`` stand on a higher rung in ``after``; who did not buy again has not climbed."""
    keys, later = before.key(categories), after.key(categories)
    if not len(later):
        return np.zeros(len(keys), dtype=np.bool_)
    place = np.minimum(np.searchsorted(later, keys), len(later) - 1)
    higher: Flags = (later[place] == keys) & (after.rung[place] > before.rung)
    return higher


def ready(standing: Standing, *, min_purchases: int) -> Flags:
    """Who can be judged: bought their rung often enough, and there is one above it."""
    at_rung = standing.bought[np.arange(len(standing.rung)), standing.rung]
    chosen: Flags = (at_rung >= min_purchases) & (standing.rung < len(RUNGS) - 1)
    return chosen


def learn_chances(pairs: list[tuple[Standing, Flags]], *, categories: int, min_purchases: int) -> Chances:
    """From standings and who climbed after them."""
    tried, rose = np.zeros(_CELLS), np.zeros(_CELLS)
    of_category, rose_in = np.zeros(categories), np.zeros(categories)
    chosen = [(each, up, ready(each, min_purchases=min_purchases)) for each, up in pairs]
    for each, up, judged in chosen:
        cell = (each.rung[judged], each.above[judged], each.taste[judged])
        np.add.at(tried, cell, 1)
        np.add.at(rose, cell, up[judged])
    overall = rose.sum() / max(tried.sum(), 1)
    by_rung = (rose.sum(axis=(1, 2)) + _PRIOR * overall) / (tried.sum(axis=(1, 2)) + _PRIOR)
    share = (rose + _PRIOR * by_rung[:, np.newaxis, np.newaxis]) / (tried + _PRIOR)
    for each, up, judged in chosen:
        told = share[each.rung[judged], each.above[judged], each.taste[judged]]
        of_category += np.bincount(each.category[judged], weights=told, minlength=categories)
        rose_in += np.bincount(each.category[judged], weights=up[judged], minlength=categories)
    weight = _PRIOR * max(overall, 1e-3)
    return Chances(share, (rose_in + weight) / (of_category + weight))
