"""Which products, when, and who: the conditions that earning rules and vouchers share. No Django.

An empty filter lets everything pass; within one field any value passes, between fields all must. Each reads itself
from JSON and writes itself back, so that rules are data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from patron.business.loyalty.baskets import MemberFacts, ProductFacts


class RuleError(ValueError):
    """A rule that contradicts itself or cannot be read. `place` names the field, for example `bonuses[2].factor`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Products by code, brand or category (a path, which holds all below it); none at all means every product."""

    products: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return not (self.products or self.brands or self.categories)

    def matches(self, product: ProductFacts) -> bool:
        """Whether the product is named by code, by brand or by category: any of them suffices."""
        return (
            self.is_open
            or product.code in self.products
            or product.brand in self.brands
            or not self.categories.isdisjoint(product.categories)
        )

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        return cls(*(_texts(given, name, place) for name in ("products", "brands", "categories")))

    def as_json(self) -> dict[str, Any]:
        return {
            name: sorted(values)
            for name, values in (("products", self.products), ("brands", self.brands), ("categories", self.categories))
            if values
        }


@dataclass(frozen=True, slots=True)
class WhenFilter:
    """Days from `from_on` to `until_on` (both included), ISO weekdays (1 Monday … 7 Sunday), and hours of the day from
    `from_time` up to, not including, `until_time`; a span over midnight is allowed."""

    from_on: date | None = None
    until_on: date | None = None
    weekdays: frozenset[int] = frozenset()
    from_time: time | None = None
    until_time: time | None = None

    def matches(self, local: datetime) -> bool:
        day, clock = local.date(), local.time()
        if self.from_on is not None and day < self.from_on:
            return False
        if self.until_on is not None and day > self.until_on:
            return False
        start, end = self.from_time or time.min, self.until_time
        if end is not None and start >= end:  # over midnight: the hours after it belong to the day before
            if end > clock:
                return self._on(day - timedelta(days=1))
            return clock >= start and self._on(day)
        return clock >= start and (end is None or clock < end) and self._on(day)

    def _on(self, day: date) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        weekdays = given.get("weekdays") or []
        if not isinstance(weekdays, list) or not all(type(day) is int and 1 <= day <= 7 for day in weekdays):
            raise RuleError(f"{place}.weekdays", "weekdays are numbers from 1 (Monday) to 7 (Sunday)")
        read = cls(
            from_on=_iso(given, "from_on", place, date.fromisoformat),
            until_on=_iso(given, "until_on", place, date.fromisoformat),
            weekdays=frozenset(weekdays),
            from_time=_iso(given, "from_time", place, time.fromisoformat),
            until_time=_iso(given, "until_time", place, time.fromisoformat),
        )
        if read.from_on and read.until_on and read.until_on < read.from_on:
            raise RuleError(f"{place}.until_on", "the last day comes before the first")
        return read

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"weekdays": sorted(self.weekdays)} if self.weekdays else {}
        for name in ("from_on", "until_on"):
            if (day := getattr(self, name)) is not None:
                found[name] = day.isoformat()
        for name in ("from_time", "until_time"):
            if (clock := getattr(self, name)) is not None:
                found[name] = clock.isoformat("minutes")
        return found


@dataclass(frozen=True, slots=True)
class WhoFilter:
    """Members by tier and by segment (`value:A`, `lifecycle:mature`): any of the tiers and any of the segments."""

    tiers: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return not (self.tiers or self.segments)

    def matches(self, member: MemberFacts | None) -> bool:
        """Nobody in particular (None) passes an open filter only."""
        if self.is_open:
            return True
        if member is None or (self.tiers and member.tier not in self.tiers):
            return False
        return not self.segments or not self.segments.isdisjoint(member.segments)

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        return cls(tiers=_texts(given, "tiers", place), segments=_texts(given, "segments", place))

    def as_json(self) -> dict[str, Any]:
        return {name: sorted(getattr(self, name)) for name in ("tiers", "segments") if getattr(self, name)}


def _texts(given: Mapping[str, Any], name: str, place: str) -> frozenset[str]:
    values = given.get(name) or []
    if not isinstance(values, Iterable) or isinstance(values, str) or not all(isinstance(v, str) for v in values):
        raise RuleError(f"{place}.{name}", "this is a list of texts")
    return frozenset(value for value in values if value)


def _iso(given: Mapping[str, Any], name: str, place: str, read: Any) -> Any:
    value = given.get(name)
    if value in (None, ""):
        return None
    try:
        return read(value)
    except (TypeError, ValueError):
        raise RuleError(f"{place}.{name}", "write a day as 2026-01-31 and an hour as 18:30") from None
