"""Whether the data look as before, for pages."""

from dataclasses import dataclass
from datetime import date

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A fact before and now; means are empty for categories, `level` is stable, watch or shifted."""

    unit: str
    feature: str
    kind: str
    reference_n: int
    current_n: int
    reference_missing: float
    current_missing: float
    reference_mean: float | None
    current_mean: float | None
    psi: float
    level: str
    moved: str
    moved_before: float
    moved_after: float


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch that sends fewer receipts than luck explains."""

    branch_id: int
    name: str
    usual: float
    now: int
    last_on: date


@dataclass(frozen=True, slots=True)
class DayRow:
    """Receipts of a day; `known` is the share with an identified customer."""

    date: date
    receipts: int
    known: float | None
    whole: bool


def feature_rows(warehouse: Warehouse) -> list[FeatureRow]:
    """All facts, those that moved most first."""
    rows = warehouse.rows(
        "SELECT unit, feature, kind, reference_n, current_n, reference_missing, current_missing, reference_mean, "
        "current_mean, psi, level, moved, moved_before, moved_after FROM drift_features "
        "ORDER BY psi DESC, unit, feature"
    )
    return [FeatureRow(*row) for row in rows]


def low_branches(warehouse: Warehouse, scope: Scope) -> list[BranchRow]:
    """Branches that send too little, those that usually send most first."""
    rows = warehouse.rows(
        f"""
        SELECT d.branch_id, coalesce(b.name, ''), d.usual, d.now, d.last_on
        FROM drift_branches d LEFT JOIN branches b USING (branch_id)
        WHERE d.level = 'low' AND {scope.condition("d.branch_id")} ORDER BY d.usual DESC, d.branch_id
        """  # noqa: S608 (a branch's number)
    )
    return [BranchRow(*row) for row in rows]


def day_rows(warehouse: Warehouse) -> list[DayRow]:
    """The last 13 weeks, by day."""
    rows = warehouse.rows("SELECT date, receipts, known, whole FROM drift_days ORDER BY date")
    return [DayRow(*row) for row in rows]
