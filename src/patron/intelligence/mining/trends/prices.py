"""Price sensitivity: how much is bought at a cut price, and how much more of a thing is bought when it is cheaper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.trends.choices import places

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MICRO: Final = 1_000_000
_MICRO_SQUARED: Final = 1e12
#: A price cut deeper than this is taken for a mistake of the till.
_DEEPEST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Prices:
    """Per customer; "not a number" and zeros where unknown.

    ``cut_share``: share of the value of goods (before discount) bought at a cut price; ``discount_share``: discount ÷
    value. ``response``: by how many per cent more units are bought when a price is 1 % lower, drawn towards
    everybody's. ``squares``, ``products``: the sums Σ p·p and Σ p·u behind it (p: log price, u: log units, both as
    differences from the customer's own mean for the product).
    """

    cut_share: Real
    discount_share: Real
    response: Real
    squares: Real
    products: Real


def price_sensitivity(lines: ir.Table, customers: pa.Array) -> Prices:
    """From lines with ``customer``, ``amount``, ``discount`` and, for the response, ``product`` and ``quantity``.

    Response: regression of log units on log price paid with an effect for every customer and product, so that only
    products that a customer bought at different prices count::

        response = − Σ p·u ÷ Σ p·p

    It says how much is bought in a purchase, not whether: who comes because of the offer shows in the share. Source:
    within-groups estimator, J. M. Wooldridge, Econometric Analysis of Cross Section and Panel Data, 2nd ed. (2010),
    section 10.5.
    """
    gross = lines.amount + lines.discount.fill_null(0)
    told = lines.mutate(gross=gross).filter(lines.amount >= 0, gross > 0)
    sums = told.group_by("customer").agg(
        gross=told.gross.sum().cast("float64"),
        cut=told.gross.sum(where=told.discount > 0).cast("float64"),
        discount=told.discount.sum().cast("float64"),
    ).to_pyarrow()  # fmt: skip
    number = len(customers)
    owner = places(sums["customer"], customers)
    cut, discount = np.full(number, np.nan), np.full(number, np.nan)
    whole = sums["gross"].to_numpy()
    cut[owner] = np.nan_to_num(sums["cut"].to_numpy()) / whole
    discount[owner] = np.nan_to_num(sums["discount"].to_numpy()) / whole
    squares, products = np.zeros(number), np.zeros(number)
    if {"product", "quantity"} <= set(lines.columns):
        squares, products = _within(told, customers)
    return Prices(cut, discount, shrunk_response(squares, products), squares, products)


def _within(told: ir.Table, customers: pa.Array) -> tuple[Real, Real]:
    usable = told.filter(told.quantity > 0, told.product.notnull(), told.amount > _DEEPEST * told.gross)
    # Millionths as whole numbers, so that sums do not depend on the order in which threads finish.
    usable = usable.mutate(
        p=(_MICRO * (usable.amount.cast("float64") / usable.gross.cast("float64")).ln()).round().cast("int64"),
        u=(_MICRO * usable.quantity.cast("float64").ln()).round().cast("int64"),
    )
    each = usable.group_by("customer", "product").agg(
        n=usable.count(), p=usable.p.sum(), u=usable.u.sum(),
        pp=(usable.p * usable.p).sum(), pu=(usable.p * usable.u).sum(),
    )  # fmt: skip
    mean = each.p.cast("float64") / each.n
    several = each.filter(each.n >= 2).mutate(
        within_pp=(each.pp - mean * each.p).round().cast("int64"),
        within_pu=(each.pu - mean * each.u).round().cast("int64"),
    )
    found = several.group_by("customer").agg(pp=several.within_pp.sum(), pu=several.within_pu.sum()).to_pyarrow()
    squares, products = np.zeros(len(customers)), np.zeros(len(customers))
    owner = places(found["customer"], customers)
    squares[owner] = found["pp"].cast(pa.float64()).to_numpy() / _MICRO_SQUARED
    products[owner] = found["pu"].cast(pa.float64()).to_numpy() / _MICRO_SQUARED
    return squares, products


def shrunk_response(squares: Real, products: Real) -> Real:
    """− (Σ p·u + k · everybody's) ÷ (Σ p·p + k), with k the median of Σ p·p: half of an ordinary customer's own weight.

    "Not a number" where the customer bought nothing at two prices.
    """
    some = squares > 1e-9
    result = np.full(len(squares), np.nan)
    if some.any():
        everybody = products[some].sum() / squares[some].sum()
        prior = float(np.median(squares[some]))
        result[some] = -(products[some] + prior * everybody) / (squares[some] + prior)
    return result


@dataclass(frozen=True, slots=True)
class Response:
    """A group's response with the interval that holds it in 95 of 100 such samples. ``customers`` told of it."""

    customers: int
    value: float
    low: float
    high: float


def group_response(squares: Real, products: Real, rows: Flags) -> Response | None:
    """The response of a group: the same regression, its error by customers as clusters. None with less than ten.

    Source: cluster-robust variance, Wooldridge (2010), section 10.5.4.
    """
    chosen = rows & (squares > 1e-9)
    number = int(chosen.sum())
    if number < 10:
        return None
    pp, pu = squares[chosen], products[chosen]
    slope = pu.sum() / pp.sum()
    error = float(np.sqrt(((pu - slope * pp) ** 2).sum() * number / (number - 1)) / pp.sum())
    return Response(number, float(-slope), float(-slope - 1.96 * error), float(-slope + 1.96 * error))


def means_by(values: Real, groups: Whole, number: int) -> tuple[Real, Whole]:
    """Mean of the known values of each group, and how many are known; "not a number" for a group without any."""
    known = np.isfinite(values) & (groups >= 0)
    count = np.bincount(groups[known], minlength=number)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Real = np.bincount(groups[known], weights=values[known], minlength=number) / count
    return mean, count
