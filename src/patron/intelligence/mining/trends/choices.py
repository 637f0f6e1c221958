"""What customers stay with: one branch, one brand, the shop for everyday needs. Grouped in the backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Lines of a category before its brands say anything.
_LEAST_LINES: Final = 3
#: A category is an everyday one when this share of customers bought it in the window.
EVERYDAY_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Branches:
    """Per customer: share of money at the main branch, Herfindahl index of all branches, and the share of visits that
    were at another branch than the visit before. "Not a number" where unknown.
    """

    main_share: Real
    concentration: Real
    switching: Real


def places(found: pa.ChunkedArray, customers: pa.Array) -> Whole:
    """The place of each customer of a fetched column in ``customers``."""
    column = found.cast(customers.type) if found.type != customers.type else found
    combined: Whole = pc.index_in(column, customers).to_numpy().astype(np.int64)
    return combined


def branch_loyalty(lines: ir.Table, customers: pa.Array) -> Branches:
    """From lines with ``customer``, ``date``, ``amount`` and ``branch``; returns and unknown branches do not count.

    Of several branches on a day the one with most money is that day's, the first by name where equal.
    """
    bought = lines.filter(lines.amount > 0, lines.branch.notnull())
    grouped = bought.group_by("customer", "date", "branch").agg(money=bought.amount.sum().cast("float64"))
    rows = grouped.order_by("customer", "date", "branch").to_pyarrow()
    number = len(customers)
    owner = places(rows["customer"], customers)
    branch = rows["branch"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    money = rows["money"].to_numpy()
    branches = int(branch.max(initial=0)) + 1
    pairs, place = np.unique(owner * branches + branch, return_inverse=True)
    at = np.bincount(place, weights=money, minlength=len(pairs))
    who = pairs // branches
    total = np.bincount(who, weights=at, minlength=number)
    most = np.zeros(number)
    np.maximum.at(most, who, at)
    squares = np.bincount(who, weights=at * at, minlength=number)
    with np.errstate(divide="ignore", invalid="ignore"):
        main, concentration = most / total, squares / total**2
    return Branches(main, concentration, _switching(owner, _days(rows["date"]), branch, money, number))


def _days(column: pa.ChunkedArray) -> Whole:
    days: Whole = column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    return days


def _switching(owner: Whole, day: Whole, branch: Whole, money: Real, customers: int) -> Real:
    # The row with most money of each customer and day; lexsort is stable, so the first by name where equal.
    order = np.lexsort((-money, day, owner))
    owner, day, branch = owner[order], day[order], branch[order]
    begins = np.ones(len(owner), dtype=bool)
    begins[1:] = (owner[1:] != owner[:-1]) | (day[1:] != day[:-1])
    owner, branch = owner[begins], branch[begins]
    same = owner[1:] == owner[:-1]
    moves = np.bincount(owner[1:][same], minlength=customers)
    switched = np.bincount(owner[1:][same & (branch[1:] != branch[:-1])], minlength=customers)
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Real = np.where(moves >= _LEAST_LINES, switched / moves, np.nan)
    return share


def brand_loyalty(lines: ir.Table, customers: pa.Array) -> Real:
    """Share of money that goes to the main brand of each category, over categories with three lines or more.

    From lines with ``customer``, ``amount``, ``brand`` and maybe ``category``: without it all goods are one.
    "Not a number" where no category has three lines.
    """
    category = lines.category if "category" in lines.columns else None
    bought = lines.filter(lines.amount > 0, lines.brand.notnull(), lines.brand.cast("string") != "")
    keys = ["customer", "category"] if category is not None else ["customer"]
    brands = bought.group_by(*keys, "brand").agg(money=bought.amount.sum(), lines=bought.count())
    kinds = brands.group_by(*keys).agg(top=brands.money.max(), money=brands.money.sum(), lines=brands.lines.sum())
    kinds = kinds.filter(kinds.lines >= _LEAST_LINES)
    found = kinds.group_by("customer").agg(
        top=kinds.top.sum().cast("float64"), money=kinds.money.sum().cast("float64")
    ).to_pyarrow()  # fmt: skip
    share = np.full(len(customers), np.nan)
    share[places(found["customer"], customers)] = found["top"].to_numpy() / found["money"].to_numpy()
    return share


def breadth(lines: ir.Table, customers: pa.Array) -> tuple[Real, int]:
    """How many everyday categories each customer bought, and how many there are.

    Everyday: bought by at least 30 % of the customers who have a line with a category.
    """
    bought = lines.filter(lines.amount > 0, lines.category.notnull())
    pairs = bought.group_by("customer", "category").agg(lines=bought.count())
    everybody = int(bought.customer.nunique().to_pyarrow().as_py() or 0)
    sizes = pairs.group_by("category").agg(who=pairs.count())
    everyday = sizes.filter(sizes.who >= EVERYDAY_SHARE * everybody)
    counted = pairs.semi_join(everyday, "category")
    found = counted.group_by("customer").agg(kinds=counted.count()).to_pyarrow()
    result = np.zeros(len(customers))
    result[places(found["customer"], customers)] = found["kinds"].to_numpy()
    return result, int(everyday.count().to_pyarrow().as_py())


def wallet_share(kinds: Real, peers: Whole, groups: int) -> Real:
    """Everyday categories bought here ÷ the 90th percentile of the ``peers``, at most 1.

    A stand-in for the share of wallet, which no till can see: what similar households buy here and this one does not,
    it probably buys elsewhere, or does not need. "Not a number" where peers are fewer than ten or buy nothing.
    """
    result = np.full(len(kinds), np.nan)
    for group in range(groups):
        rows = peers == group
        if rows.sum() < 10:
            continue
        best = float(np.quantile(kinds[rows], 0.9))
        if best > 0:
            result[rows] = np.minimum(kinds[rows] / best, 1.0)
    return result
