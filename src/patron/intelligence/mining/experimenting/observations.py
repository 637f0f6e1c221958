"""What was seen in an experiment: one row per customer, in one order whatever the order of the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from patron.intelligence.mining.rows import Rows

GROUP: Final = Role("group", "which treatment the customer was given by lot", required=True, kind="text")
OUTCOME: Final = Role(
    "outcome", "what came of it: 1 or 0 (came back or not), or money; rows without one are left out",
    required=True, kind="number",
)  # fmt: skip
UNIT: Final = Role(
    "unit", "who was drawn (customer, household): several rows of one are added up; without it a row is a customer",
    kind="text",
)  # fmt: skip
BEFORE: Final = Role(
    "before", "the same measure from before the experiment: takes out what was known and narrows the interval",
    kind="number",
)  # fmt: skip
MARGIN: Final = Role("margin", "gross profit, before the cost of the offer", kind="number")
COST: Final = Role("cost", "what the offer cost for this row; empty is nothing", kind="number")
FEATURES: Final = Role(
    "features", "numbers known before, to see whom the treatment moves most", kind="number", many=True
)
ROLES: Final = (GROUP, OUTCOME, UNIT, BEFORE, MARGIN, COST, FEATURES)


@dataclass(frozen=True, slots=True)
class Observations:
    """One place per customer: ``group`` is the position in ``names``; missing numbers are "not a number"."""

    names: tuple[str, ...]
    group: Whole
    outcome: Real
    before: Real | None = None
    margin: Real | None = None
    cost: Real | None = None
    features: dict[str, Real] = field(default_factory=dict)
    rows: int = 0
    without_outcome: int = 0

    @classmethod
    def of(
        cls,
        group: list[str],
        outcome: Real,
        *,
        before: Real | None = None,
        margin: Real | None = None,
        cost: Real | None = None,
        features: dict[str, Real] | None = None,
    ) -> Observations:
        """From one value per customer, in any order. Raises :class:`InputError` where there is nobody."""
        table = {"group": pa.array(group, pa.string()), "outcome": pa.array(outcome, pa.float64())}
        for name, values in (("before", before), ("margin", margin), ("cost", cost), *(features or {}).items()):
            if values is not None:
                table[name] = pa.array(values, pa.float64())
        return _ordered(pa.table(table), tuple(features or {}), rows=len(group))

    @property
    def sizes(self) -> dict[str, int]:
        """Customers by group."""
        counted = np.bincount(self.group, minlength=len(self.names))
        return dict(zip(self.names, (int(each) for each in counted), strict=True))


def observe(rows: Rows) -> Observations:
    """One row per customer. Raises :class:`InputError` where nobody is left, or somebody is in two groups."""
    table = rows.table
    count = int(table.count().to_pyarrow().as_py())
    features = rows.columns_of(FEATURES.name)
    columns: dict[str, ir.Value] = {
        "group": table.group.cast("string").strip(),
        "outcome": table.outcome.cast("float64"),
    }
    for name in (BEFORE.name, MARGIN.name, COST.name, *features):
        if name in table.columns:
            columns[name] = table[name].cast("float64")
    if rows.has(UNIT.name):
        columns["unit"] = table[UNIT.name]
    chosen = table.select(**columns)
    usable = chosen.filter(
        chosen.group.notnull(), chosen.group != "", chosen.outcome.notnull(), ~chosen.outcome.isnan()
    )
    if rows.has(UNIT.name):
        usable = _per_unit(usable.filter(usable.unit.notnull()), features)
    return _ordered(usable.to_pyarrow(), features, rows=count)


def _per_unit(rows: ir.Table, features: tuple[str, ...]) -> ir.Table:
    sums = {name: rows[name].sum() for name in (MARGIN.name, COST.name) if name in rows.columns}
    means = {name: rows[name].mean() for name in (BEFORE.name, *features) if name in rows.columns}
    # Ones and zeros stay ones and zeros: somebody who came back twice has come back.
    binary = bool(rows.outcome.isin([0.0, 1.0]).all().to_pyarrow().as_py())
    outcome = rows.outcome.max() if binary else rows.outcome.sum()
    units = rows.group_by("unit").agg(group=rows.group.min(), other=rows.group.max(), outcome=outcome, **sums, **means)
    strays = int(units.filter(units.group != units.other).count().to_pyarrow().as_py())
    if strays:
        raise InputError(
            f"Customers who are in more than one group: {strays}. Who was given both treatments tells nothing of "
            "either; leave them out, or correct the group."
        )
    return units.drop("unit", "other")


def _ordered(table: pa.Table, features: tuple[str, ...], *, rows: int) -> Observations:
    known = [name for name in table.column_names if name != "group"]
    table = table.sort_by([(name, "ascending") for name in ("group", *known)]).combine_chunks()
    if not table.num_rows:
        raise InputError("There is nobody to compare: no row has both a group and an outcome.")
    encoded = table["group"].combine_chunks().dictionary_encode()
    numbers = {name: table[name].to_numpy().astype(np.float64) for name in known}
    infinite = [name for name, values in numbers.items() if np.isinf(values).any()]
    if infinite:
        raise InputError(f"The column {infinite[0]} holds numbers without end; correct or remove them.")
    return Observations(
        names=tuple(encoded.dictionary.to_pylist()),
        group=encoded.indices.to_numpy().astype(np.int64),
        outcome=numbers["outcome"],
        before=numbers.get(BEFORE.name),
        margin=numbers.get(MARGIN.name),
        cost=numbers.get(COST.name),
        features={name: numbers[name] for name in features},
        rows=rows,
        without_outcome=max(rows - table.num_rows, 0),
    )
