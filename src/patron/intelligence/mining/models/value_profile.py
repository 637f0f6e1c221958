"""Value profile: which kinds of customers are worth more, by how much, and is it more than chance?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, Point, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.profiles.comparison import Comparing, Comparison, GroupValue, compare_groups
from patron.intelligence.mining.profiles.concentration import fewest_for, gini, lorenz, top_share, whale_curve
from patron.intelligence.mining.profiles.serving import Tariff, cost_to_serve, estimated_profit
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

CUSTOMER: Final = Role("customer", "who the row tells of, each once")
VALUE: Final = Role("value", "what the customer is worth: money in a year, for example", required=True, kind="number")
PROFIT: Final = Role("profit", "gross profit; without it, or where it is missing, margin times value", kind="number")
EFFORTS: Final = tuple(
    Role(name, f"how many {name} the customer caused, for the cost to serve", kind="number")
    for name in ("purchases", "returns", "messages", "calls", "visits", "cases", "gifts")
)
GROUPS: Final = Role(
    "groups", "what customers are told apart by: age band, sex, district …", required=True, kind="text", many=True
)

_REAL: Final = (
    "customer_share", "value", "value_share", "share_low", "share_high", "leverage", "mean", "median", "typical",
    "rest_typical", "ratio", "ratio_low", "ratio_high", "p",
)  # fmt: skip


@dataclass(frozen=True)
class ValueProfileParameters(Parameters):
    """How groups are compared."""

    trim: float = parameter(
        0.1, "share of values left out at each end before means are compared", minimum=0, maximum=0.4
    )
    level: float = parameter(0.95, "level of the intervals", minimum=0.5, maximum=0.999)
    fewest: int = parameter(20, "customers a group must have to be compared", minimum=5)
    margin: float = parameter(0.25, "gross profit of sales whose cost is not known", minimum=-1, maximum=1)
    purchase_cost: float = parameter(1.0, "what serving one purchase costs", minimum=0)
    return_cost: float = parameter(5.0, "what taking back one purchase costs", minimum=0)
    message_cost: float = parameter(0.5, "what one message costs", minimum=0)
    call_cost: float = parameter(20.0, "what one call costs", minimum=0)
    visit_cost: float = parameter(80.0, "what one visit or appointment costs", minimum=0)
    case_cost: float = parameter(60.0, "what one complaint or case costs", minimum=0)
    gift_cost: float = parameter(10.0, "what handing over one gift costs", minimum=0)

    def comparing(self) -> Comparing:
        """The same in the words of the comparison."""
        return Comparing(trim=self.trim, level=self.level, fewest=self.fewest)

    def tariff(self) -> Tariff:
        """The prices of the cost to serve."""
        return Tariff(
            purchase=self.purchase_cost,
            return_=self.return_cost,
            message=self.message_cost,
            call=self.call_cost,
            visit=self.visit_cost,
            case=self.case_cost,
            gift=self.gift_cost,
            margin=self.margin,
        )


def compute(rows: Rows, _as_of: dt.date, parameters: ValueProfileParameters) -> Outcome:
    """One row per question and group, by question, then by share of value; see ``docs/algorithms/value_profile.md``."""
    questions = rows.columns_of("groups")
    if not questions:
        raise InputError(
            "There are no groups; name the columns that tell customers apart, such as --groups sex,district."
        )
    roles = [role.name for role in (CUSTOMER, PROFIT, *EFFORTS) if rows.has(role.name)]
    table = rows.arrow(VALUE.name, *roles, *questions).combine_chunks()
    notes = _check_customers(table)
    value = _number(table, VALUE.name)
    known = np.isfinite(value)
    if not known.all():
        notes.append(f"Rows left out because they have no value: {np.count_nonzero(~known)}.")
    found = {name: _compared(table, name, value, known, parameters.comparing()) for name in questions}
    worth = value[known]
    series: dict[str, tuple[Point, ...]] = {"lorenz": lorenz(worth)}
    metrics = _metrics(worth, found)
    if set(roles) - {CUSTOMER.name}:
        contribution = _contribution(table, value, parameters.tariff())[known]
        series["whale"] = whale_curve(contribution)
        metrics["contribution"] = round(float(contribution.sum()), 4)
        metrics["customers_at_a_loss"] = int(np.count_nonzero(contribution < 0))
    return Outcome(table=_table(found), metrics=metrics, series=series, notes=tuple(notes))


def describe(question: str, group: str, value: GroupValue) -> str:
    """What was found of a group, in a sentence."""
    if value.verdict == "too_few" or value.rest_typical is None:
        return f"{question} {group}: {value.customers} customers are too few to compare."
    between = ""
    if value.ratio is not None and value.ratio_low is not None and value.ratio_high is not None:
        between = f", {value.ratio:.2f} times the rest (between {value.ratio_low:.2f} and {value.ratio_high:.2f} times)"
    said = {
        "more": "is worth more than the rest",
        "less": "is worth less than the rest",
        "unproven": "is not shown to be worth more or less than the rest",
        "too_few": "",
    }[value.verdict]
    return (
        f"{question} {group} {said}: typically {value.typical:.2f} against {value.rest_typical:.2f}{between}; "
        f"{value.customers} customers, {value.value_share:.1%} of the value."
    )


def _check_customers(table: pa.Table) -> list[str]:
    if CUSTOMER.name not in table.column_names:
        return []
    column = table[CUSTOMER.name].drop_null()
    if pc.count_distinct(column).as_py() < len(column):
        raise InputError("A customer has more than one row; add up to one row for each customer first.")
    return []


def _number(table: pa.Table, name: str) -> Real:
    try:
        values: Real = table[name].cast(pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column {name} must be numbers; it is {table.schema.field(name).type}.") from error
    return values


def _contribution(table: pa.Table, value: Real, tariff: Tariff) -> Real:
    """Gross profit less the cost to serve; a missing number of events is none."""
    nothing = np.zeros(table.num_rows)
    profit = _number(table, PROFIT.name) if PROFIT.name in table.column_names else np.full(table.num_rows, np.nan)
    known = np.isfinite(profit)
    gross = estimated_profit(value, np.where(known, profit, 0.0), np.where(known, value, 0.0), tariff.margin)
    counted = {
        role.name: np.nan_to_num(_number(table, role.name)) for role in EFFORTS if role.name in table.column_names
    }
    left: Real = gross - cost_to_serve({"purchases": nothing, **counted}, tariff)
    return left


def _compared(table: pa.Table, name: str, value: Real, known: Flags, how: Comparing) -> tuple[list[str], Comparison]:
    encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    order = np.argsort(np.array(names, dtype=object)) if names else np.zeros(0, dtype=np.int64)
    place = np.empty(len(names) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(names)), -1
    group: Whole = place[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return [names[each] for each in order], compare_groups(value[known], group[known], len(names), how)


def _table(found: dict[str, tuple[list[str], Comparison]]) -> pa.Table:
    rows = [
        (question, names[value.group], value)
        for question, (names, comparison) in found.items()
        for value in sorted(comparison.groups, key=lambda each: (-each.value_share, each.group))
    ]
    columns: dict[str, pa.Array] = {
        "question": pa.array([question for question, _, _ in rows], pa.string()),
        "group": pa.array([name for _, name, _ in rows], pa.string()),
        "customers": counts(np.array([value.customers for _, _, value in rows], dtype=np.int64)),
    }
    for name in _REAL:
        columns[name] = pa.array([_rounded(getattr(value, name)) for _, _, value in rows], pa.float64())
    columns["reason_code"] = pa.array([value.verdict for _, _, value in rows], pa.string())
    columns["reason"] = pa.array([describe(*row) for row in rows], pa.string())
    return pa.table(columns)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _metrics(worth: Real, found: dict[str, tuple[list[str], Comparison]]) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {
        "customers": len(worth),
        "value": round(float(worth.sum()), 4),
        "mean": round(float(worth.mean()), 4) if len(worth) else None,
        "median": round(float(np.median(worth)), 4) if len(worth) else None,
        "gini": _rounded(gini(worth)),
        "top_fifth_share": _rounded(top_share(worth, 0.2)),
        "customers_for_80": fewest_for(worth, 0.8),
    }
    for name, (_, comparison) in found.items():
        metrics[f"{name}_p"] = _rounded(comparison.p)
        metrics[f"{name}_known"] = sum(each.customers for each in comparison.groups)
    return metrics


MODEL: Final = Model(
    card=ModelCard(
        name="value_profile",
        title="Value profile",
        question="Which kinds of customers are worth more than the others, by how much, and is it more than chance?",
        roles=(CUSTOMER, VALUE, PROFIT, *EFFORTS, GROUPS),
        method=(
            "Compares each group of a question with the rest by trimmed means with unequal variances, gives the ratio "
            "and each group's share of all value with intervals, and corrects for asking about several groups. With "
            "profit or numbers of purchases, calls … it takes the cost to serve off the profit."
        ),
        source=(
            "K. Yuen (1974); B. Welch (1951); E. Fieller (1954); S. Holm (1979); W. Cochran, Sampling Techniques, 3rd "
            "ed. (1977). Concentration: M. Lorenz (1905), C. Gini (1912). Profit: R. Kaplan and R. Cooper (1998)."
        ),
        limits=(
            "Groups that differ need not differ because of what they are grouped by: the young may live elsewhere.",
            "A trimmed mean speaks of the typical customer; the share speaks of all the money.",
            "Customers whose group is not known are left out of the question, and their number is given.",
            "Each question is corrected for its groups, not for how many questions are asked.",
        ),
        reads="table",
        key=("question", "group"),
    ),
    parameters=ValueProfileParameters,
    compute=compute,
)
