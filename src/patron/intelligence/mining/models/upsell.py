"""Up-selling: who is ready for the next better product of a category, and what would it bring?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts, half_up
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.sentences import Piece, sentences
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from patron.intelligence.mining.recommending.ladders import Chances, Ladders, Standing
    from patron.intelligence.mining.rows import Rows

_COLUMNS: Final = ("customer", "date", "category", "product", "amount", "quantity")
_YEAR: Final = 365


@dataclass(frozen=True)
class UpsellParameters(Parameters):
    """Periods, and who can be judged."""

    period_days: int = parameter(112, "length of the periods that are compared", minimum=7, maximum=1000)
    min_purchases: int = parameter(3, "bought so often on their rung within a period, to be judged", minimum=1)
    min_products: int = parameter(6, "a category needs so many products for a ladder", minimum=3)
    max_step: float = parameter(3.0, "a next rung dearer than so many times is another kind of good", minimum=1.01)
    top: int = parameter(3, "categories per customer, those with the most to gain", minimum=1)


@dataclass(frozen=True, slots=True)
class Test:
    """The last period, by chances learned before it: ``rate`` of all judged, ``top_rate`` of the best fifth."""

    candidates: int
    rate: float
    top_rate: float
    promised: float


@dataclass(frozen=True, slots=True)
class Climbing:
    """``table``: see the card. ``moves`` counts, per category, from rung (rows) to rung (columns; the last: none)."""

    table: pa.Table
    ladders: Ladders
    moves: Whole
    candidates: int
    test: Test | None


def climb(rows: Rows, as_of: dt.date, parameters: UpsellParameters) -> Climbing:
    """Ladders, moves between the last two periods, the candidates, and a test by date."""
    from patron.intelligence.mining.recommending import ladders as on

    lines = _known_lines(rows, as_of)
    ladders = on.build_ladders(lines, min_products=parameters.min_products)
    customers = lines.select("customer").distinct().order_by("customer").to_pyarrow()["customer"].combine_chunks()
    edges = [as_of - dt.timedelta(parameters.period_days * back) for back in range(4)]
    now, before, earlier = (
        on.standings(lines, ladders, customers, after=edges[back + 1], until=edges[back]) for back in range(3)
    )
    size = len(ladders.categories)
    rose_now, rose_before = on.climbed(before, now, size), on.climbed(earlier, before, size)
    least = parameters.min_purchases
    first = on.learn_chances([(earlier, rose_before)], categories=size, min_purchases=least)
    judged = on.ready(before, min_purchases=least)
    test = None
    if len(earlier.rung) and judged.any():
        test = _tested(first.of(before)[judged], rose_now[judged])
    chances = on.learn_chances([(earlier, rose_before), (before, rose_now)], categories=size, min_purchases=least)
    table, candidates = _candidates(now, ladders, chances, parameters)
    return Climbing(table, ladders, _moves(before, now, size), candidates, test)


def _known_lines(rows: Rows, as_of: dt.date) -> ir.Table:
    table = rows.table
    day = table.date if table.date.type().is_date() else table.date.cast("timestamp").date()
    lines = table.select("customer", "category", "product", "amount", "quantity", date=day)
    known = [lines[name].notnull() for name in _COLUMNS]
    return lines.filter(lines.date <= as_of, *known)


def _tested(told: Real, rose: Flags) -> Test:
    fifth = max(len(told) // 5, 1)
    best = np.lexsort((np.arange(len(told)), -told))[:fifth]
    return Test(len(told), float(rose.mean()), float(rose[best].mean()), float(told.mean()))


def _moves(before: Standing, after: Standing, categories: int) -> Whole:
    keys, later = before.key(categories), after.key(categories)
    to = np.full(len(keys), 3)
    if len(later):
        place = np.minimum(np.searchsorted(later, keys), len(later) - 1)
        to = np.where(later[place] == keys, after.rung[place], 3)
    moves = np.zeros((categories, 3, 4), dtype=np.int64)
    np.add.at(moves, (before.category, before.rung, to), 1)
    return moves


def _candidates(
    now: Standing, ladders: Ladders, chances: Chances, parameters: UpsellParameters
) -> tuple[pa.Table, int]:
    """The best ``top`` categories of each customer by expected extra money."""
    from patron.intelligence.mining.recommending.ladders import RUNGS, ready

    judged = np.flatnonzero(ready(now, min_purchases=parameters.min_purchases))
    chance = chances.of(now)[judged]
    unit = now.amount[judged] / np.maximum(now.quantity[judged], 1e-9)
    category, rung = now.category[judged], now.rung[judged]
    better = ladders.price[category, rung + 1] if len(judged) else np.zeros(0)
    yearly = now.quantity[judged] * _YEAR / parameters.period_days
    extra = chance * yearly * np.maximum(better - unit, 0.0)
    order = np.lexsort((category, -extra, now.customer[judged]))
    order = order[(extra[order] > 0) & (better[order] <= parameters.max_step * unit[order])]
    who = now.customer[judged][order]
    begins = np.searchsorted(who, who)
    order = order[np.arange(len(order)) - begins < parameters.top]
    rows, names = judged[order], np.array(RUNGS, dtype=object)
    best = _best_sellers(ladders)
    suggested = best[category[order], rung[order] + 1] if len(order) else np.zeros(0, dtype=np.int64)
    table = pa.table(
        {
            "customer": now.customers.take(pa.array(now.customer[rows])),
            "category": ladders.categories.take(pa.array(now.category[rows])),
            "rung": pa.array(names[rung[order]], pa.string()),
            "next_rung": pa.array(names[rung[order] + 1], pa.string()),
            "purchases": counts(now.times[rows]),
            "unit_price": pa.array(unit[order]),
            "next_unit_price": pa.array(better[order]),
            "suggestion": ladders.goods["product"].combine_chunks().take(pa.array(suggested)),
            "confidence": pa.array(chance[order]),
            "extra_per_year": pa.array(half_up(extra[order] * 100) / 100),
            "reason_code": pa.array(np.where(now.above[rows] > 0, "tasted", "like_others").astype(object), pa.string()),
        }
    )
    return table.append_column("reason", _reasons(table, now.above[rows])), len(judged)


def _best_sellers(ladders: Ladders) -> Whole:
    """Place (in ``goods``) of the product with the most sales, by category and rung."""
    category = pc.index_in(ladders.goods["category"], ladders.categories).to_numpy().astype(np.int64)
    rung, amount = ladders.goods["rung"].to_numpy(), ladders.goods["amount"].to_numpy()
    best = np.zeros((len(ladders.categories), 3), dtype=np.int64)
    order = np.argsort(amount, kind="stable")
    best[category[order], rung[order]] = order  # the last one written is the largest
    return best


def _reasons(table: pa.Table, above: Whole) -> pa.Array:
    def column(name: str, rows: Whole) -> pa.Array:
        return table[name].combine_chunks().take(pa.array(rows))

    def bought(rows: Whole) -> list[Piece]:
        said: list[Piece] = ["Bought ", column("category", rows), " ", column("purchases", rows), " times, mostly "]
        return [*said, column("rung", rows)]

    def chance(rows: Whole) -> pa.Array:
        return counts(half_up(column("confidence", rows).to_numpy() * 100))

    def tasted(rows: Whole) -> list[Piece]:
        return [*bought(rows), ", but also dearer ones; of such customers ", chance(rows), " % climb."]

    def like_others(rows: Whole) -> list[Piece]:
        return [*bought(rows), "; of customers like this one ", chance(rows), " % climb."]

    return sentences((above > 0).astype(np.int8), {0: like_others, 1: tasted})


def compute(rows: Rows, as_of: dt.date, parameters: UpsellParameters) -> Outcome:
    """Up to ``top`` rows per customer, by customer, the most to gain first."""
    missing = [name for name in _COLUMNS if not rows.has(name)]
    if missing:
        raise InputError(f"Up-selling needs the columns {', '.join(_COLUMNS)}; there is no {', '.join(missing)}.")
    found = climb(rows, as_of, parameters)
    metrics: dict[str, Metric] = {"ladders": len(found.ladders.categories), "candidates": found.candidates}
    if found.test is not None:
        metrics |= {
            "tested": found.test.candidates,
            "climb_rate": found.test.rate,
            "climb_rate_best_fifth": found.test.top_rate,
            "promised": found.test.promised,
        }
    notes = () if found.test else ("The history is too short to test who climbs: three periods are needed.",)
    return Outcome(table=found.table, metrics=metrics, notes=notes)


MODEL: Final = Model(
    card=ModelCard(
        name="upsell",
        title="Up-sell ladder",
        question="Who is ready for the next better product of a category, and what would it bring?",
        roles=(
            Role("customer", "who bought", required=True),
            Role("date", "the day of the purchase", required=True, kind="date"),
            Role("category", "within which products can stand in for each other", required=True, kind="text"),
            Role("product", "what was bought", required=True),
            Role("amount", "money paid for the line", required=True, kind="number"),
            Role("quantity", "units bought", required=True, kind="number"),
        ),
        method=(
            "Products of a category by price per unit, cut into three rungs with a third of the sales each. Chance to "
            "climb: share of customers like this one (rung, dearer products already tried, rungs elsewhere, category) "
            "who stood higher in the next period; learned on one pair of periods, tested on the next."
        ),
        source=(
            "Shares drawn towards those of the larger group: B. Efron and C. Morris, Stein's paradox in statistics, "
            "Scientific American 236 (1977)."
        ),
        limits=(
            "Price per unit stands for quality: a larger pack looks like a better product.",
            "Some climb by chance and step down again; the test shows how much more the best fifth climbs than all.",
            "Extra money takes the same number of units at the price of the next rung.",
        ),
        reads="table",
        key=("customer", "category"),
    ),
    parameters=UpsellParameters,
    compute=compute,
)
