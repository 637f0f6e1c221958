"""Who is worth more: by age, sex, occupation, place, time with us and branch; and what serving customers costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.insights.customer_features import MONTH_DAYS, YEAR
from patron.intelligence.insights.customer_profiles import efforts, people
from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.intelligence.insights.marts.profiles import CURVES, CUSTOMERS, GROUPS, SUMMARY
from patron.intelligence.mining.arrays import Real, Whole, decimals, half_up
from patron.intelligence.mining.contract import Metric
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.lrfmc import REASON_WORDS, classes, fifths
from patron.intelligence.mining.models.value_profile import ValueProfileParameters
from patron.intelligence.mining.profiles.comparison import Comparing, Comparison, compare_groups
from patron.intelligence.mining.profiles.concentration import fewest_for, gini, lorenz, top_share, whale_curve
from patron.intelligence.mining.profiles.serving import cost_to_serve, estimated_profit
from patron.kernel.exports import ExportColumn

LEAST_CUSTOMERS: Final = 50
#: Who registered last week is not drawn out to a year by more than this.
LEAST_PRESENCE_DAYS: Final = 30

AGES: Final = ("under_25", "25_34", "35_44", "45_54", "55_64", "65_and_over")
TENURES: Final = ("under_1", "1_2", "2_4", "4_and_over")
#: Questions whose groups are in this order; those of the others are by their share of value.
ORDERED: Final[Mapping[str, tuple[str, ...]]] = {
    "young": ("under_35", "35_and_over"),
    "age": AGES,
    "newcomer": ("new", "existing"),
    "tenure": TENURES,
}
QUESTIONS: Final = ("young", "age", "sex", "occupation", "district", "newcomer", "tenure")
#: Questions about time with us: who came in autumn has had no year to spend in.
BY_PACE: Final = frozenset({"newcomer", "tenure"})


@dataclass(frozen=True, slots=True)
class _House:
    """The customers of the year: a table by customer, and its columns that are computed with."""

    table: pa.Table
    branch: Whole
    value: Real
    pace: Real
    gross: Real
    serving: Real
    covered: Real
    discount: Real
    class_a: Real

    def of(self, rows: Whole) -> _House:
        """Some of the customers."""
        branch = self.branch[rows]
        real = (self.value, self.pace, self.gross, self.serving, self.covered, self.discount, self.class_a)
        return _House(self.table.take(pa.array(rows)), branch, *(each[rows] for each in real))

    @property
    def contribution(self) -> Real:
        """What is left after the cost to serve."""
        left: Real = self.gross - self.serving
        return left


def find(context: Context) -> Findings:
    """The four marts. Refuses a house with fewer than 50 customers who bought in the last year."""
    parameters = context.parameters(ValueProfileParameters)
    house, notes = _house(context, parameters)
    if house.table.num_rows < LEAST_CUSTOMERS:
        raise InputError(
            f"A value profile needs {LEAST_CUSTOMERS} customers with a purchase in the last year; there are "
            f"{house.table.num_rows}."
        )
    how = parameters.comparing()
    names = _branch_names(context)
    groups: list[dict[str, object]] = []
    curves: list[dict[str, object]] = []
    summaries: list[dict[str, object]] = []
    for scope, part in _scopes(house):
        for question in QUESTIONS:
            groups += _groups(scope, question, part.table[question], part, how)
        if scope == ALL_BRANCHES:
            groups += _groups(scope, "branch", _named(part.branch, names), part, how)
        curves += _curves(scope, part)
        summaries.append(_summary(scope, part))
    whole = summaries[0]
    metrics: dict[str, Metric] = {
        "customers": house.table.num_rows,
        "window_days": YEAR,
        "known_age": house.table.num_rows - house.table["age"].null_count,
        "gini": _number(whole["gini"]),
        "top_fifth_share": _number(whole["top_fifth_share"]),
        **_backtest(context, house),
        "at_a_loss": int(np.count_nonzero(house.contribution < 0)),
    }
    return Findings(
        tables={
            CUSTOMERS.name: _customers(house),
            GROUPS.name: _from_rows(groups, GROUPS.columns),
            CURVES.name: pa.Table.from_pylist(curves),
            SUMMARY.name: _from_rows(summaries, SUMMARY.columns),
        },
        parameters=parameters.as_dict(),
        metrics=metrics,
        insights=_insights(house),
        notes=notes,
    )


def _house(context: Context, parameters: ValueProfileParameters) -> tuple[_House, tuple[str, ...]]:
    table = people(context.warehouse, as_of=context.as_of, currency=context.currency)
    table = table.append_column("length_score", pa.array(fifths(_real(table, "length_days"))))
    scored = {"recency": -_real(table, "recency_days"), "frequency": _real(table, "purchases")}
    scored |= {"monetary": _real(table, "spend"), "discount": -_real(table, "discount_share")}
    for name, values in scored.items():
        table = table.append_column(f"{name}_score", pa.array(fifths(values)))
    value, covered, known = _real(table, "spend"), _real(table, "covered"), _real(table, "profit")
    counted = {"purchases": _real(table, "purchases"), "returns": _real(table, "returns")}
    counted |= efforts(context.warehouse, table["customer"], as_of=context.as_of)
    tariff = parameters.tariff()
    share = float(covered.sum() / value.sum()) if value.sum() > 0 else 0.0
    # Where enough is known, what is not known earns what the rest does; else the margin that people set.
    margin = float(known.sum() / covered.sum()) if share >= 0.05 and covered.sum() > 0 else tariff.margin
    present = np.clip(_real(table, "tenure_months") * MONTH_DAYS, LEAST_PRESENCE_DAYS, YEAR)
    notes = (
        f"Cost is known for {share:.0%} of the money; the rest is taken to earn {margin:.0%}.",
        "The cost to serve counts what the log holds, at the prices of the settings: "
        + ", ".join(f"{name} {int(values.sum())}" for name, values in counted.items())
        + ".",
    )
    house = _House(
        table=table,
        branch=table["branch"].fill_null(-1).to_numpy(),
        value=value,
        pace=value * YEAR / present,
        gross=estimated_profit(value, known, covered, margin),
        serving=cost_to_serve(counted, tariff),
        covered=covered,
        discount=_real(table, "discount"),
        class_a=_class_a(value),
    )
    return house, notes


def _class_a(value: Real) -> Real:
    """1 for the fewest customers with 80 % of the money."""
    flags = np.zeros(len(value))
    flags[np.argsort(-value, kind="stable")[: fewest_for(value, 0.8)]] = 1
    return flags


def _scopes(house: _House) -> Iterator[tuple[int, _House]]:
    yield ALL_BRANCHES, house
    for one in np.unique(house.branch[house.branch >= 0]):
        yield int(one), house.of(np.flatnonzero(house.branch == one))


def _branch_names(context: Context) -> dict[int, str]:
    return dict(context.warehouse.rows("SELECT branch_id, name FROM branches"))


def _named(branch: Whole, names: Mapping[int, str]) -> pa.Array:
    place = pc.index_in(pa.array(branch), value_set=pa.array(list(names), pa.int64()))
    return pa.array(list(names.values()), pa.string()).take(place)


def _groups(
    scope: int, question: str, column: pa.ChunkedArray | pa.Array, part: _House, how: Comparing
) -> list[dict[str, object]]:
    """The groups of one question: shares of the money, and the comparison (by the yearly pace, where time counts)."""
    names, group = _encoded(column, ORDERED.get(question))
    if not names:
        return []
    compared = compare_groups(part.value, group, len(names), how)
    if question in BY_PACE:
        compared = _compared_by_pace(compared, compare_groups(part.pace, group, len(names), how))
    inside = group >= 0
    left = np.bincount(group[inside], part.contribution[inside], len(names))
    best = np.bincount(group[inside], part.class_a[inside], len(names))
    rows = []
    for value in compared.groups:
        row = asdict(value)
        row |= {"branch_id": scope, "question": question, "group_key": names[value.group]}
        row |= {"contribution": float(left[value.group]), "class_a": int(best[value.group])}
        rows.append(row)
    if question not in ORDERED:
        rows.sort(key=lambda row: (-row["value_share"], row["group_key"]))
    return [{**row, "position": place} for place, row in enumerate(rows, start=1)]


def _compared_by_pace(money: Comparison, pace: Comparison) -> Comparison:
    """Shares as they were, verdicts as if everybody had been here for a year."""
    kept = ("value", "value_share", "share_low", "share_high", "leverage")
    by_group = {each.group: each for each in money.groups}
    merged = [replace(each, **{name: getattr(by_group[each.group], name) for name in kept}) for each in pace.groups]
    return Comparison(tuple(merged), pace.p)


def _encoded(column: pa.ChunkedArray | pa.Array, order: Sequence[str] | None) -> tuple[list[str], Whole]:
    """The groups there are, and the number of each customer's; −1 where it is not known."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    names = sorted(set(whole.drop_null().unique().to_pylist())) if order is None else list(order)
    place: Whole = pc.index_in(whole, value_set=pa.array(names, pa.string())).fill_null(-1).to_numpy().astype(np.int64)
    return names, place


def _curves(scope: int, part: _House) -> list[dict[str, object]]:
    curves = {"lorenz": lorenz(part.value), "whale": whale_curve(part.contribution)}
    return [
        {"branch_id": scope, "curve": name, "position": place, "customer_share": x, "value_share": y}
        for name, points in curves.items()
        for place, (x, y) in enumerate(points)
    ]


def _summary(scope: int, part: _House) -> dict[str, object]:
    value, contribution = part.value, part.contribution
    whale = whale_curve(contribution)
    total = float(value.sum())
    return {
        "branch_id": scope,
        "customers": len(value),
        "value": total,
        "mean": float(value.mean()),
        "median": float(np.median(value)),
        "gini": gini(value),
        "top_fifth_share": top_share(value, 0.2),
        "customers_for_80": fewest_for(value, 0.8),
        "gross_profit": float(part.gross.sum()),
        "known_profit_share": float(part.covered.sum()) / total if total > 0 else None,
        "cost_to_serve": float(part.serving.sum()),
        "contribution": float(contribution.sum()),
        "at_a_loss": int(np.count_nonzero(contribution < 0)),
        "peak": max((y for _, y in whale), default=None),
        "discount": float(part.discount.sum()),
    }


def _customers(house: _House) -> pa.Table:
    table = house.table
    renamed = {
        "customer_id": "customer", "branch_id": "branch", "frequency": "purchases", "monetary": "spend",
        "discount_rate": "discount_share",
    }  # fmt: skip
    columns = {
        "gross_profit": pa.array(house.gross),
        "cost_to_serve": pa.array(house.serving),
        "contribution": pa.array(house.contribution),
        "yearly_pace": pa.array(house.pace),
        "lrfmc": _lrfmc(table),
    }
    for column in CUSTOMERS.columns:
        if column.name not in columns:
            columns[column.name] = table[renamed.get(column.name, column.name)]
    return pa.table(columns)


def _insights(house: _House) -> pa.Table:
    """What each customer leaves after the cost to serve, and the kind of customer by LRFMC."""
    cents = [decimals(half_up(each * 100), scale=2) for each in (house.contribution, house.gross, house.serving)]
    kind = _lrfmc(house.table)
    rank = np.empty(len(house.value), dtype=np.int64)
    rank[np.argsort(-house.contribution, kind="stable")] = np.arange(1, len(rank) + 1)
    words = pa.array(list(REASON_WORDS.values())).take(pc.index_in(kind, value_set=pa.array(list(REASON_WORDS))))
    left, gross, serving = (each.cast(pa.string()) for each in cents)
    return pa.table(
        {
            "customer_id": house.table["customer"],
            "label": words,
            "score": house.contribution,
            "rank": rank,
            "reason_code": kind,
            "reason": pc.binary_join_element_wise(
                words, ": gross profit ", gross, " less cost to serve ", serving, " leaves ", left, " in a year.", ""
            ),
            "facts": pc.binary_join_element_wise(
                '{"contribution": ', left, ', "gross_profit": ', gross, ', "cost_to_serve": ', serving, "}", ""
            ),
        }
    )


def _lrfmc(table: pa.Table) -> pa.Array:
    return classes({name: table[f"{name}_score"].to_numpy() for name in ("length", "recency", "frequency", "monetary")})


def _backtest(context: Context, house: _House) -> dict[str, Metric]:
    """What part of the latest half-year's money the shares of the half-year before put in the wrong group.

    Beside it what giving every customer the same would put there. It is told and not a condition: that groups differ
    by nothing is a finding too, and the sums of the year are what they are.
    """
    halves = context.warehouse.arrow(
        """
        SELECT customer_id AS customer, coalesce(sum(net_amount) FILTER (occurred_on <= ?), 0)::DOUBLE AS earlier,
               coalesce(sum(net_amount) FILTER (occurred_on > ?), 0)::DOUBLE AS later
        FROM purchases WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = ?
          AND occurred_on > ? AND occurred_on <= ? GROUP BY customer_id
        """,
        [
            context.as_of - timedelta(182),
            context.as_of - timedelta(182),
            context.currency,
            context.as_of - timedelta(YEAR),
            context.as_of,
        ],
    )
    place = pc.index_in(house.table["customer"].combine_chunks(), value_set=halves["customer"].combine_chunks())
    earlier, later = (
        halves[name].combine_chunks().take(place).fill_null(0.0).to_numpy() for name in ("earlier", "later")
    )
    if earlier.sum() <= 0 or later.sum() <= 0:
        return {}
    told = guessed = 0.0
    asked = 0
    for question in ("age", "sex", "occupation", "tenure"):
        names, group = _encoded(house.table[question], ORDERED.get(question))
        inside = group >= 0
        if not inside.any() or earlier[inside].sum() <= 0 or later[inside].sum() <= 0:
            continue
        counted = np.bincount(group[inside], minlength=len(names)) / inside.sum()
        before, after = (
            np.bincount(group[inside], each[inside], len(names)) / each[inside].sum() for each in (earlier, later)
        )
        told += float(np.abs(after - before).sum()) / 2
        guessed += float(np.abs(after - counted).sum()) / 2
        asked += 1
    if not asked:
        return {}
    return {"proof_error": round(told / asked, 6), "proof_baseline": round(guessed / asked, 6)}


def _from_rows(rows: list[dict[str, object]], columns: Sequence[ExportColumn]) -> pa.Table:
    """Rows as a table with every column, also where all its values are missing."""
    names = [column.name for column in columns]
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})


def _real(table: pa.Table, name: str) -> Real:
    values: Real = table[name].cast(pa.float64()).fill_null(0.0).to_numpy()
    return values


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


ANALYSIS: Final = Analysis(
    name="value_profile",
    title="Value profile",
    marts=(CUSTOMERS, GROUPS, CURVES, SUMMARY),
    find=find,
)
