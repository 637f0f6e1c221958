"""What is odd about terms, before any purchase is looked at. No Django.

Nothing here is refused: a shop may want to be generous. It is said before the terms are published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product

from patron.business.loyalty.filters import ProductFilter, WhenFilter
from patron.business.loyalty.rules.terms import Bonus, Terms

GENEROUS = Decimal("0.20")
"""Points worth more than this share of what is paid are more than a margin bears."""

LEAP_YEAR = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something to think about. `place` is a place among the terms, as RuleError names them.

    Codes: `generous` (`share` of what is paid, of a base rate or with a bonus), `above_basket` (`worth` of a bonus that
    a basket of `minimum` earns), `multiply_together` (`other` bonus, `factor` of both), `ended` (`day`),
    `expires_first` (`days` until points become available).
    """

    code: str
    place: str
    name: str = ""
    other: str = ""
    share: Decimal = Decimal(0)
    worth: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    factor: Decimal = Decimal(1)
    day: date | None = None
    days: int = 0


def oddities(terms: Terms, *, point_value: Decimal, today: date) -> list[Oddity]:
    """What is odd about `terms`, a point being worth `point_value` in money."""
    return [
        *_generous(terms, point_value),
        *_above_basket(terms, point_value),
        *_multiply_together(terms),
        *_ended(terms, today),
        *_expires_first(terms),
    ]


def _generous(terms: Terms, point_value: Decimal) -> Iterator[Oddity]:
    base = Decimal(0)
    if terms.base.per_amount is not None:
        base = terms.base.points * point_value / terms.base.per_amount
        if base > GENEROUS:
            yield Oddity("generous", "base.points", share=base)
    for place, bonus in enumerate(terms.bonuses):
        if bonus.unit != "points" or bonus.effect not in ("multiply", "per_amount"):
            continue
        capped = bonus.cap.purchase is not None or terms.cap.purchase is not None
        share = base * bonus.factor if bonus.effect == "multiply" else base + bonus.points * point_value / bonus.amount
        if share > GENEROUS >= base and not capped:
            yield Oddity("generous", f"bonuses[{place}].{_gives(bonus)}", name=_called(bonus), share=share)


def _above_basket(terms: Terms, point_value: Decimal) -> Iterator[Oddity]:
    """Points given once are worth more than the smallest basket that gets them (with no minimum: than 1.00)."""
    for place, bonus in enumerate(terms.bonuses):
        if bonus.unit == "points" and bonus.effect == "fixed":
            most = min(limit for limit in (bonus.cap.purchase, terms.cap.purchase, bonus.points) if limit is not None)
            worth, minimum = most * point_value, bonus.minimum or Decimal(0)
            if worth > max(minimum, Decimal(1)):
                found = f"bonuses[{place}].minimum"
                yield Oddity("above_basket", found, name=_called(bonus), worth=worth, minimum=minimum)


def _multiply_together(terms: Terms) -> Iterator[Oddity]:
    if terms.combine != "multiply":
        return
    multipliers = [(place, bonus) for place, bonus in enumerate(terms.bonuses) if bonus.effect == "multiply"]
    for (_, one), (place, other) in combinations(multipliers, 2):
        if not _exclude(one, other):
            yield Oddity(
                "multiply_together",
                f"bonuses[{place}].group",
                name=_called(one),
                other=_called(other),
                factor=one.factor * other.factor,
            )


def _exclude(one: Bonus, other: Bonus) -> bool:
    """Whether the two can never count for the same goods, as far as their conditions tell."""
    return (
        bool(one.group and one.group == other.group)
        or any(
            mine and theirs and not mine & theirs
            for mine, theirs in (
                (one.who.tiers, other.who.tiers),
                (one.branches, other.branches),
                (one.channels, other.channels),
            )
        )
        or _different_days(one.when, other.when)
        or _different_goods(one.products, other.products)
    )


def _different_days(one: WhenFilter, other: WhenFilter) -> bool:
    return (
        bool(one.weekdays and other.weekdays and not one.weekdays & other.weekdays)
        or bool(one.until_on and other.from_on and one.until_on < other.from_on)
        or bool(other.until_on and one.from_on and other.until_on < one.from_on)
    )


def _different_goods(one: ProductFilter, other: ProductFilter) -> bool:
    """Both name goods of one sort only, none of them the same. A product may be of any brand and category."""
    if one.is_open or other.is_open:
        return False
    sorts = [(bool(f.products), bool(f.brands), bool(f.categories)) for f in (one, other)]
    if sorts[0] != sorts[1] or sum(sorts[0]) != 1:
        return False
    return (
        not one.products & other.products
        and not one.brands & other.brands
        and not any(_within(mine, theirs) for mine, theirs in product(one.categories, other.categories))
    )


def _within(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other} > ") or other.startswith(f"{one} > ")


def _ended(terms: Terms, today: date) -> Iterator[Oddity]:
    for place, bonus in enumerate(terms.bonuses):
        if bonus.when.until_on is not None and bonus.when.until_on < today:
            yield Oddity("ended", f"bonuses[{place}].until_on", name=_called(bonus), day=bonus.when.until_on)


def _expires_first(terms: Terms) -> Iterator[Oddity]:
    """Points of some day of the year expire before they become available."""
    if not terms.pending_days:
        return
    for shift in range(366):
        earned = LEAP_YEAR + timedelta(days=shift)
        last = terms.expiry.last_day(earned)
        if last is not None and last < earned + timedelta(days=terms.pending_days):
            yield Oddity("expires_first", "expiry.n", days=terms.pending_days)
            return


def _gives(bonus: Bonus) -> str:
    return "factor" if bonus.effect == "multiply" else "points"


def _called(bonus: Bonus) -> str:
    return bonus.name or bonus.code
