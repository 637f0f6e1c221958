"""Periods of whole days, as they stand in an address: `?from=2026-01-01&to=2026-03-31`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.http import QueryDict
from django.utils.translation import gettext as _

from patron.kernel.clock import house_zone
from patron.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included, in the organisation's time zone."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The instant at which the first day begins."""
        return beginning_of(self.first)

    @property
    def until(self) -> datetime:
        """The instant at which the last day is over."""
        return beginning_of(self.last + timedelta(days=1))

    @property
    def query(self) -> str:
        return f"from={self.first.isoformat()}&to={self.last.isoformat()}"


def beginning_of(day: date) -> datetime:
    """The first instant of a day in the organisation's time zone, as UTC."""
    return datetime.combine(day, time(), house_zone()).astimezone(UTC)


def parse_period(query: QueryDict, *, first: date, last: date) -> Period:
    """The period of the address; `first` and `last` where it names none. Raises InvalidInput naming the field."""
    period = Period(parse_day(query, "from", first), parse_day(query, "to", last))
    if period.last < period.first:
        raise InvalidInput(_("This period ends before it begins."), details={"field": "to"})
    return period


def parse_day(query: QueryDict, name: str, otherwise: date) -> date:
    """The day of the address under `name`. Raises InvalidInput for what is not a day."""
    text = query.get(name, "").strip()
    if not text:
        return otherwise
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not date(1990, 1, 1) <= found <= date(2200, 1, 1):
        raise InvalidInput(_("Write the day as year-month-day, such as 2026-03-31."), details={"field": name})
    return found
