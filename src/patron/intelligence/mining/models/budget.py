"""Budget: how to divide marketing money over segments and actions when each next dollar brings less."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, decimals, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.sentences import sentences
from patron.intelligence.mining.transactions import Role

REASON_CODES: Final = ("balanced", "at_most", "at_least", "nothing")
#: Beyond these the slopes of the curves leave the range in which they are computed and told in cents.
MOST_MONEY: Final = 1_000_000_000_000
LEAST_DOSE: Final = 0.01


@dataclass(frozen=True)
class BudgetParameters(Parameters):
    """How much there is, and how gain grows with it."""

    budget: float = parameter(10_000.0, "money to divide", minimum=0)
    curve: str = parameter("exponential", "how gain grows", choices=("exponential", "logarithmic"))
    least_return: float = parameter(
        1.0, "money that would bring back less than this per unit stays unspent; 0: spend it all", minimum=0
    )


def compute(rows: Rows, _as_of: dt.date, parameters: BudgetParameters) -> Outcome:
    """One row per segment and action, by both; the mathematics: ``docs/algorithms/optimising.md``."""
    from patron.intelligence.mining.optimising.budgets import Cells, divide, even, gain

    table = _sorted(rows)
    top, dose = _numbers(table, "top"), _numbers(table, "dose")
    least = _numbers(table, "least", otherwise=0.0)
    most = np.minimum(_numbers(table, "most", otherwise=np.inf), parameters.budget)
    if len(table) and (min(top.min(), dose.min(), least.min()) < 0 or (dose == 0).any()):
        raise InputError("top and least must not be negative, and dose must be above 0, in every row.")
    if len(table) and (max(top.max(), dose.max()) > MOST_MONEY or dose.min() < LEAST_DOSE):
        raise InputError(f"top and dose must be money: neither above {MOST_MONEY:,}, and dose at least {LEAST_DOSE}.")
    if (least > most).any():
        raise InputError("A row has a least that exceeds its most, or the budget.")
    if least.sum() > parameters.budget + 1e-9:
        raise ParameterError(
            f"The least amounts add up to {least.sum():,.2f}, more than the budget of {parameters.budget:,.2f}: raise "
            "the budget or lower them."
        )
    cells = Cells(top=top, dose=dose, least=least, most=most)
    shape = cast('Literal["exponential", "logarithmic"]', parameters.curve)
    best = divide(cells, parameters.budget, shape=shape, least_return=parameters.least_return)
    usual = even(cells, parameters.budget)
    metrics: dict[str, Metric] = {
        "cells": len(table),
        "spent": float(best.spend.sum()),
        "unspent": parameters.budget - float(best.spend.sum()),
        "gain": float(best.gain.sum()),
        "gain_of_equal_parts": float(gain(cells, usual, shape).sum()),
        "gain_of_the_last_unit": best.price,
    }
    return Outcome(_table(table, best.spend, best.gain, best.marginal, least, most), metrics)


def _sorted(rows: Rows) -> pa.Table:
    wanted = [name for name in ("segment", "action", "top", "dose", "least", "most") if rows.has(name)]
    table = rows.arrow(*wanted)
    table = table.sort_by([("segment", "ascending"), ("action", "ascending")]).combine_chunks()
    pairs = pa.table({"segment": table["segment"], "action": table["action"]}).group_by(["segment", "action"])
    if pairs.aggregate([]).num_rows < len(table):
        raise InputError("A segment has two rows for the same action; give one row for each segment and action.")
    return table


def _numbers(table: pa.Table, name: str, *, otherwise: float | None = None) -> Real:
    if name not in table.column_names:
        if otherwise is None:
            raise InputError(f"The table lacks {name}.")
        return np.full(len(table), otherwise)
    column = table[name].cast(pa.float64())
    if otherwise is None and column.null_count:
        raise InputError(f"The column {name} has empty cells; every row needs a number.")
    values: Real = (column if otherwise is None else pc.fill_null(column, otherwise)).to_numpy()
    return values


def _table(table: pa.Table, spend: Real, gain: Real, marginal: Real, least: Real, most: Real) -> pa.Table:
    code = np.where(spend >= most - 1e-9, 1, np.where(spend > least + 1e-9, 0, np.where(spend > 0, 2, 3)))
    code = np.where((most <= 0) | (spend <= 0), 3, code).astype(np.int8)

    def cents(values: Real) -> pa.Array:
        return decimals(half_up(values * 100), scale=2)

    return pa.table(
        {
            "segment": table["segment"],
            "action": table["action"],
            "spend": spend,
            "gain": gain,
            "marginal": marginal,
            "reason_code": labels(code, REASON_CODES),
            "reason": sentences(
                code,
                {
                    0: lambda at: [
                        "Spend ", cents(spend[at]), ": it brings ", cents(gain[at]),
                        "; the next unit of money would bring ", cents(marginal[at]), ".",
                    ],
                    1: lambda at: [
                        "Spend the most allowed, ", cents(spend[at]), ": it brings ", cents(gain[at]),
                        "; another unit of money would bring ", cents(marginal[at]), ".",
                    ],
                    2: lambda at: ["Only the least required, ", cents(spend[at]), ": more brings more elsewhere."],
                    3: lambda at: ["Nothing: the first unit of money would bring ", cents(marginal[at]), " here."],
                },
            ),
        }
    )  # fmt: skip


MODEL: Final = Model(
    card=ModelCard(
        name="budget",
        title="Budget",
        question="How do we divide the marketing budget over segments and actions?",
        reads="table",
        key=("segment", "action"),
        roles=(
            Role("segment", "whom the money is for", required=True, kind="text"),
            Role("action", "what is done with it", required=True, kind="text"),
            Role("top", "what the action could bring there at most, in money", required=True, kind="number"),
            Role("dose", "spending that brings 63 % of it (exponential curve)", required=True, kind="number"),
            Role("least", "what must be spent there", kind="number"),
            Role("most", "what may be spent there", kind="number"),
        ),
        method=(
            "Divides the money so that the next unit of it would bring the same everywhere, within the bounds of each "
            "cell: the exact optimum for gains that grow ever less. Money that would not bring back least_return per "
            "unit stays unspent. The equal division is given for comparison."
        ),
        source="B. O. Koopman, The optimum distribution of effort, Operations Research 1(2), 1953; KKT conditions.",
        limits=(
            "The curves decide: estimate them from campaigns with control groups before you trust the division.",
            "Cells are taken to be independent: a customer reached by two actions is counted twice.",
        ),
    ),
    parameters=BudgetParameters,
    compute=compute,
)
