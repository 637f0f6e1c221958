"""How long the warehouse keeps details. The database keeps everything; nothing here deletes a row of it. No Django."""

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from patron.intelligence.warehouse.errors import WarehouseError
from patron.intelligence.warehouse.source import plain

SETTING = "PATRON_WAREHOUSE_KEEP_MONTHS"
#: Two years and the running month: figures are compared with those of last year.
LEAST_MONTHS = 25


def keep_months() -> int | None:
    """For how many months details are kept, the running one among them; None keeps everything.

    Raises WarehouseError for less than LEAST_MONTHS, and for what is no number.
    """
    given = os.environ.get(SETTING, "").strip()
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or int(given) < LEAST_MONTHS:
        raise WarehouseError(
            f"{SETTING} is {given!r}. Give a number of months, {LEAST_MONTHS} or more, or leave it empty to keep all."
        )
    return int(given)


def kept_from(today: date, months: int | None) -> str:
    """The first month (`2024-01`) that is kept; empty when all are."""
    if months is None:
        return ""
    whole = today.year * 12 + today.month - months
    return f"{whole // 12:04}-{whole % 12 + 1:02}"


def added(totals: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Totals of two groups of rows together: counts and sums add up."""
    names = totals.keys() | more.keys()
    return {name: plain(Decimal(totals.get(name, "0")) + Decimal(more.get(name, "0"))) for name in names}
