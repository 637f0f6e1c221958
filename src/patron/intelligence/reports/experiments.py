"""What the planner of experiments needs: base rates and spread by segment, the placebo, treatments that were no lot."""

from dataclasses import dataclass
from datetime import date

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

#: How customers can be told apart, by column of the mart.
KINDS = ("stage", "value_class", "tier")


@dataclass(frozen=True, slots=True)
class BaseRate:
    """A segment (`kind` all, stage, value_class or tier; `key` its code) in the window of 28 days.

    `spend_deviation` is the standard deviation, `explained` the share of variance that the 84 days before foretell.
    """

    kind: str
    key: str
    customers: int
    return_rate: float
    spend: float
    spend_deviation: float
    explained: float


@dataclass(frozen=True, slots=True)
class PlaceboRow:
    """A placebo: how often an effect was found where nothing was tried."""

    measure: str
    opened_on: date
    closed_on: date
    customers: int
    splits: int
    alarms: float
    error: float
    keeps_level: bool
    width: float
    explained: float


@dataclass(frozen=True, slots=True)
class Treatment:
    """A kind of voucher that some were given, and how unlike its holders were before."""

    definition: str
    occasion: str
    first_on: date
    holders: int
    others: int
    holders_before: float
    others_before: float
    apart: float | None


def base_rates(warehouse: Warehouse, scope: Scope) -> list[BaseRate]:
    """Everybody first, then every stage, value class and tier, each by its code; none where the scope has nobody."""
    rows = warehouse.rows(
        f"""
        SELECT CASE WHEN grouping(stage) = 0 THEN 'stage' WHEN grouping(value_class) = 0 THEN 'value_class'
                    WHEN grouping(tier) = 0 THEN 'tier' ELSE 'all' END AS kind,
               coalesce(stage, value_class, tier, '') AS key, count(*), avg(returned::INT), avg(spend),
               coalesce(stddev_samp(spend), 0), coalesce(corr(spend, spend_before), 0) ** 2
        FROM experiment_customers WHERE {scope.condition()}
        GROUP BY GROUPING SETS ((), (stage), (value_class), (tier)) ORDER BY kind, key
        """  # noqa: S608 (a branch's number)
    )
    return [
        BaseRate(kind, key, customers, rate, spend, deviation, 0.0 if explained != explained else explained)
        for kind, key, customers, rate, spend, deviation, explained in rows
        if customers and (kind == "all" or key)
    ]


def placebo_rows(warehouse: Warehouse) -> list[PlaceboRow]:
    """The three placebos, by measure: return, spend, spend_cuped."""
    rows = warehouse.rows(
        "SELECT measure, opened_on, closed_on, customers, splits, alarms, error, keeps_level, width, explained "
        "FROM experiment_placebo ORDER BY measure"
    )
    return [PlaceboRow(*row) for row in rows]


def placebo_p_values(warehouse: Warehouse, measure: str) -> list[tuple[int, float]]:
    """Twentieth → share of the splits with a p-value in it."""
    rows = warehouse.rows(
        "SELECT position, share FROM experiment_placebo_p WHERE measure = ? ORDER BY position", [measure]
    )
    return [(position, share) for position, share in rows]


def treatments(warehouse: Warehouse) -> list[Treatment]:
    """Kinds of vouchers with holders and others, most holders first."""
    rows = warehouse.rows(
        "SELECT definition, occasion, first_on, holders, others, holders_before, others_before, apart "
        "FROM experiment_treatments ORDER BY holders DESC, definition"
    )
    return [Treatment(*row) for row in rows]
