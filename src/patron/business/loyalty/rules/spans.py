"""Calendar arithmetic in months and years. No Django."""

from calendar import monthrange
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=4096)
def month_end(day: date, months: int) -> date:
    """The last day of the month `months` months after that of `day` (before it, if negative)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


@lru_cache(maxsize=4096)
def months_later(day: date, months: int) -> date:
    """The same day `months` months later, or the last of that month where it has no such day."""
    last = month_end(day, months)
    return last.replace(day=min(day.day, last.day))
