"""The sales forecast: what the weeks ahead will bring, by branch and department, and how good such forecasts were."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

Dimension = Literal["total", "branch", "department"]


@dataclass(frozen=True, slots=True)
class ForecastWeek:
    """One week of one series: what is expected, and between what (80 and 95 of 100)."""

    starts_on: date
    ends_on: date
    forecast: Decimal
    low: Decimal
    high: Decimal
    low_95: Decimal
    high_95: Decimal
    last_year: Decimal | None
    recent: Decimal


@dataclass(frozen=True, slots=True)
class ForecastSeries:
    """One series with its next week and the sum of the weeks ahead. Errors are None without a back-test."""

    series: str
    name: str
    kind: str
    method: str
    recent: Decimal
    next_week: Decimal
    low: Decimal
    high: Decimal
    last_year: Decimal | None
    ahead: Decimal
    error_share: float | None
    naive_error_share: float | None

    @property
    def change(self) -> float | None:
        """Next week against the mean of the last four, as a share; None where nothing was sold."""
        return float(self.next_week / self.recent - 1) if self.recent > 0 else None


@dataclass(frozen=True, slots=True)
class ForecastMethod:
    """How far a method was off in the past."""

    method: str
    chosen: bool
    error_share: float | None
    tests: int


@dataclass(frozen=True, slots=True)
class ComingHoliday:
    """A public holiday in the weeks ahead; `used` says whether the forecast counts on it."""

    date: date
    name: str
    used: bool


def forecast_of(warehouse: Warehouse, dimension: Dimension, series: str) -> list[ForecastWeek]:
    """The weeks ahead of one series; none where there is no such series."""
    rows = warehouse.rows(
        """
        SELECT starts_on, ends_on, forecast, low, high, low_95, high_95, last_year, recent
        FROM forecast_lines WHERE dimension = ? AND series = ? ORDER BY week
        """,
        [dimension, series],
    )
    return [ForecastWeek(*row) for row in rows]


def sold_before(
    warehouse: Warehouse, dimension: Dimension, series: str, *, weeks: int = 60
) -> list[tuple[date, Decimal]]:
    """What one series sold in the last weeks before the forecast, the oldest first."""
    rows = warehouse.rows(
        """
        SELECT starts_on, sold FROM forecast_history WHERE dimension = ? AND series = ?
        ORDER BY starts_on DESC LIMIT ?
        """,
        [dimension, series, weeks],
    )
    return [(starts_on, sold) for starts_on, sold in reversed(rows)]


def all_series(warehouse: Warehouse, scope: Scope, dimension: Dimension) -> list[ForecastSeries]:
    """Every series of a dimension, the largest first; for a branch's reader only the own branch."""
    own = scope.condition() if dimension == "branch" else "true"
    rows = warehouse.rows(
        f"""
        SELECT series, any_value(name), any_value(kind), any_value(method), any_value(recent),
               any_value(forecast) FILTER (week = 1), any_value(low) FILTER (week = 1),
               any_value(high) FILTER (week = 1), any_value(last_year) FILTER (week = 1), sum(forecast),
               any_value(error_share), any_value(naive_error_share)
        FROM forecast_lines WHERE dimension = ? AND {own} GROUP BY series ORDER BY any_value(place)
        """,  # noqa: S608 (a branch's number)
        [dimension],
    )
    return [ForecastSeries(*row) for row in rows]


def methods_of(warehouse: Warehouse, dimension: Dimension, series: str) -> list[ForecastMethod]:
    """The methods that were compared for a series, the best first; none without a back-test."""
    rows = warehouse.rows(
        """
        SELECT method, chosen, error_share, tests FROM forecast_backtest
        WHERE dimension = ? AND series = ? ORDER BY mean_error, method
        """,
        [dimension, series],
    )
    return [ForecastMethod(*row) for row in rows]


def coming_holidays(warehouse: Warehouse) -> list[ComingHoliday]:
    """Public holidays of the weeks ahead, by day."""
    return [ComingHoliday(*row) for row in warehouse.rows("SELECT date, name, used FROM forecast_events ORDER BY date")]
