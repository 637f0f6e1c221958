"""The only place that reads the wall clock. Rules, queries and operations are given `now`."""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(tz=UTC)


def house_zone() -> ZoneInfo:
    """The organisation's time zone: days, weeks and months are counted in it."""
    return ZoneInfo(settings.TIME_ZONE)


def today(at: datetime, zone: tzinfo | None = None) -> date:
    """The calendar day of instant `at` in `zone` (the organisation's by default)."""
    return at.astimezone(zone or house_zone()).date()


def require_aware(at: datetime) -> datetime:
    """Return `at` if it carries a zone, else raise ValueError: naive instants are a bug of the caller."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("an instant must be timezone-aware")
    return at
