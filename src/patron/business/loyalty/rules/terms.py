"""The terms of the programme: everything that can be decided about earning, expiry and tiers, as data. No Django.

A version of the programme holds one of these as JSON. Numbers are written as texts, so that they stay exact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any, Self

from patron.business.loyalty.baskets import GIFT_CARD, STORED_VALUE, ProductFacts
from patron.business.loyalty.filters import ProductFilter, RuleError, WhenFilter, WhoFilter
from patron.business.loyalty.rules.reading import choice, needed, number, only, part, parts, text, whole, written
from patron.business.loyalty.rules.spans import month_end, months_later
from patron.business.loyalty.rules.tiers import TierTerms

ONE = Decimal(1)
CENT = Decimal("0.01")

EXPIRY_KINDS = ("never", "days", "month_end", "year_end", "rolling")
EFFECTS = ("multiply", "per_amount", "per_item", "fixed")
ROUNDINGS = ("down", "half_up", "up")
EVENTS_ONCE = ("ever", "year", "day", "always")


@dataclass(frozen=True, slots=True)
class Base:
    """`points` for each `per_amount` paid (whole ones only, where `whole_units`), or for each item (None)."""

    points: Decimal = ONE
    per_amount: Decimal | None = ONE
    whole_units: bool = True

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"points", "per_amount", "per_item", "whole_units"})
        points = number(given, "points", place, most=Decimal("9999.9999"))
        per_amount = number(given, "per_amount", place, least=CENT, most=Decimal("99999999999999.99"), places=2)
        if given.get("per_item"):
            per_amount = None
        elif per_amount is None:
            per_amount = ONE
        return cls(
            points=ONE if points is None else points,
            per_amount=per_amount,
            whole_units=bool(given.get("whole_units", True)),
        )

    def as_json(self) -> dict[str, Any]:
        if self.per_amount is None:
            return {"points": written(self.points), "per_item": True}
        found: dict[str, Any] = {"points": written(self.points), "per_amount": written(self.per_amount)}
        return found if self.whole_units else found | {"whole_units": False}


@dataclass(frozen=True, slots=True)
class Cap:
    """The most points: of one purchase, of one day, and of any `days` days that end on the day of the purchase."""

    purchase: Decimal | None = None
    day: Decimal | None = None
    period: Decimal | None = None
    period_days: int = 30

    @property
    def looks_back(self) -> bool:
        """Whether it needs to know what the member earned before."""
        return self.day is not None or self.period is not None

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"purchase", "day", "period", "period_days"})
        return cls(
            purchase=number(given, "purchase", place),
            day=number(given, "day", place),
            period=number(given, "period", place),
            period_days=whole(given, "period_days", place, least=1, most=3660) or 30,
        )

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: written(value)
            for name, value in (("purchase", self.purchase), ("day", self.day), ("period", self.period))
            if value is not None
        }
        return found | ({"period_days": self.period_days} if self.period is not None else {})


@dataclass(frozen=True, slots=True)
class Bonus:
    """What is earned on top of the base, and for whom, on what, when.

    `effect`: `multiply` the base points of the matching lines by `factor` (2 = double), `per_amount` (`points` for each
    `amount` paid for them), `per_item` (`points` for each item), or `fixed` (`points` once). Of the bonuses of one
    `group` only the one that gives most counts; bonuses without a group stack. `unit` is points or stamps.
    """

    code: str
    name: str
    effect: str
    factor: Decimal = ONE
    points: Decimal = Decimal(0)
    amount: Decimal = ONE
    unit: str = "points"
    products: ProductFilter = field(default_factory=ProductFilter)
    when: WhenFilter = field(default_factory=WhenFilter)
    who: WhoFilter = field(default_factory=WhoFilter)
    branches: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    tenders: frozenset[str] = frozenset()
    birthday: str = ""
    first_purchase: bool = False
    every_nth_visit: int | None = None
    minimum: Decimal | None = None
    group: str = ""
    cap: Cap = field(default_factory=Cap)
    qualifies: bool = False

    @property
    def needs_lines(self) -> bool:
        return not self.products.is_open or self.effect == "per_item"

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, BONUS_SETTINGS)
        effect = choice(given, "effect", place, EFFECTS, "multiply")
        amount = number(given, "amount", place, least=CENT, places=2)
        bonus = cls(
            code=text(given, "code", place, most=40),
            name=text(given, "name", place),
            effect=effect,
            factor=number(given, "factor", place, least=ONE, most=Decimal(100)) or ONE,
            points=number(given, "points", place) or Decimal(0),
            amount=ONE if amount is None else amount,
            unit=choice(given, "unit", place, ("points", "stamps"), "points"),
            products=ProductFilter.read(given, place.rstrip(".")),
            when=WhenFilter.read(given, place.rstrip(".")),
            who=WhoFilter.read(given, place.rstrip(".")),
            branches=_names(given, "branches", place),
            channels=_names(given, "channels", place),
            tenders=_names(given, "tenders", place),
            birthday=choice(given, "birthday", place, ("", "day", "week", "month"), ""),
            first_purchase=bool(given.get("first_purchase", False)),
            every_nth_visit=whole(given, "every_nth_visit", place, least=2, most=1000),
            minimum=number(given, "minimum", place, places=2),
            group=text(given, "group", place, most=40),
            cap=Cap.read(part(given, "cap", place), f"{place}cap."),
            qualifies=bool(given.get("qualifies", False)),
        )
        if not bonus.code:
            raise RuleError(f"{place}code", "a bonus needs a code of its own")
        if effect == "multiply" and bonus.factor == ONE:
            raise RuleError(f"{place}factor", "multiplying by 1 gives nothing: choose more, for example 2 for double")
        if effect != "multiply" and bonus.points == 0:
            raise RuleError(f"{place}points", "say how many points this gives")
        if effect == "multiply" and bonus.unit != "points":
            raise RuleError(f"{place}unit", "only points can be multiplied: give stamps by item, amount or once")
        return bonus

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "name": self.name, "effect": self.effect}
        if self.effect == "multiply":
            found["factor"] = written(self.factor)
        else:
            found["points"] = written(self.points)
        if self.effect == "per_amount":
            found["amount"] = written(self.amount)
        found |= self.products.as_json() | self.when.as_json() | self.who.as_json()
        for name in ("branches", "channels", "tenders"):
            if values := getattr(self, name):
                found[name] = sorted(values)
        for name, blank in (
            ("unit", "points"), ("birthday", ""), ("first_purchase", False), ("every_nth_visit", None), ("group", ""),
            ("qualifies", False),
        ):  # fmt: skip
            if (value := getattr(self, name)) != blank:
                found[name] = value
        if self.minimum is not None:
            found["minimum"] = written(self.minimum)
        if cap := self.cap.as_json():
            found["cap"] = cap
        return found


BONUS_SETTINGS = {
    "code", "name", "effect", "factor", "points", "amount", "unit", "products", "brands", "categories", "from_on",
    "until_on", "weekdays", "from_time", "until_time", "tiers", "segments", "branches", "channels", "tenders",
    "birthday", "first_purchase", "every_nth_visit", "minimum", "group", "cap", "qualifies",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Points for something other than a purchase: a referral, a completed profile, a survey, a check-in."""

    code: str
    name: str
    points: Decimal
    once: str = "ever"

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"code", "name", "points", "once"})
        event = cls(
            code=text(given, "code", place, most=40),
            name=text(given, "name", place),
            points=needed(number(given, "points", place, least=ONE, places=2), f"{place}points"),
            once=choice(given, "once", place, EVENTS_ONCE, "ever"),
        )
        if not event.code:
            raise RuleError(f"{place}code", "an event needs a code of its own")
        return event

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "name": self.name, "points": written(self.points), "once": self.once}


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long points can be used. `n` counts days (`days`), months (`month_end`, `rolling`) or years (`year_end`).

    `days`: n days after the day of earning. `month_end`: to the end of the month n months later. `year_end`: to
    31 December n years later. `rolling`: n months after the member's last activity, whatever was earned when.
    """

    kind: str = "month_end"
    n: int = 12

    def last_day(self, earned_on: date) -> date | None:
        """The last day on which points earned (or, rolling, an activity) on `earned_on` can be used. None: for ever."""
        try:
            match self.kind:
                case "days":
                    return earned_on + timedelta(days=self.n)
                case "month_end":
                    return month_end(earned_on, self.n)
                case "year_end":
                    return date(earned_on.year + self.n, 12, 31)
                case "rolling":
                    return months_later(earned_on, self.n)
                case _:
                    return None
        except (OverflowError, ValueError):  # beyond the year 9999
            return None

    @property
    def rolls(self) -> bool:
        return self.kind == "rolling"

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"kind", "n"})
        kind = choice(given, "kind", place, EXPIRY_KINDS, "month_end")
        most = {"days": 36500, "year_end": 100}.get(kind, 1200)
        n = whole(given, "n", place, most=most, least=1 if kind in ("days", "rolling") else 0)
        return cls(kind=kind, n=0 if kind == "never" else 12 if n is None else n)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind} if self.kind == "never" else {"kind": self.kind, "n": self.n}


@dataclass(frozen=True, slots=True)
class Paying:
    """Points as a means of payment: `points` pay `amount` of money, from `least` points on, for at most `most_share`
    per cent of a purchase."""

    points: Decimal
    amount: Decimal
    least: Decimal = Decimal(0)
    most_share: Decimal = Decimal(100)

    def money_for(self, points: Decimal) -> Decimal:
        """What so many points pay, in whole cents."""
        return (points * self.amount / self.points).quantize(CENT, rounding=ROUND_DOWN)

    def points_for(self, money: Decimal) -> Decimal:
        """How many whole points it takes to pay so much."""
        return (money * self.points / self.amount).quantize(ONE, rounding=ROUND_UP)

    def most_for(self, net_amount: Decimal, available: Decimal) -> Decimal:
        """The most money that a member with so many points can pay of a purchase; zero with fewer than the least."""
        if available < self.least:
            return Decimal(0)
        share = (net_amount * self.most_share / 100).quantize(CENT, rounding=ROUND_DOWN)
        return min(self.money_for(available), share)

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"points", "amount", "least", "most_share"})
        return cls(
            points=needed(number(given, "points", place, least=Decimal("0.0001")), f"{place}points"),
            amount=needed(number(given, "amount", place, least=CENT, places=2), f"{place}amount"),
            least=number(given, "least", place) or Decimal(0),
            most_share=number(given, "most_share", place, least=ONE, most=Decimal(100)) or Decimal(100),
        )

    def as_json(self) -> dict[str, Any]:
        found = {"points": written(self.points), "amount": written(self.amount)}
        if self.least:
            found["least"] = written(self.least)
        if self.most_share != 100:
            found["most_share"] = written(self.most_share)
        return found


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms of a version. `combine`: several multipliers on one line are multiplied or their extras added.

    Excluded from earning: lines of `excluded` products and of `excluded_kinds` (gift cards, top-ups of stored value),
    and the part of a purchase paid by `excluded_tenders` (vouchers, points, stored-value bonus).
    """

    base: Base = field(default_factory=Base)
    bonuses: tuple[Bonus, ...] = ()
    events: tuple[Event, ...] = ()
    combine: str = "multiply"
    rounding: str = "down"
    cap: Cap = field(default_factory=Cap)
    excluded: ProductFilter | None = None
    excluded_kinds: frozenset[str] = frozenset({GIFT_CARD, STORED_VALUE})
    excluded_tenders: frozenset[str] = frozenset({"voucher", "points"})
    pending_days: int = 0
    expiry: Expiry = field(default_factory=Expiry)
    tiers: TierTerms = field(default_factory=TierTerms)
    paying: Paying | None = None

    @property
    def all_bonuses(self) -> tuple[Bonus, ...]:
        """The bonuses, and before them the multipliers of the tiers."""
        return (*_tier_bonuses(self.tiers), *self.bonuses)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Read terms from JSON. Raises RuleError, which names the place, for anything that does not make sense."""
        only(given, "", TERMS_SETTINGS)
        excluded = part(given, "excluded", "")
        terms = cls(
            base=Base.read(part(given, "base", ""), "base."),
            bonuses=tuple(Bonus.read(one, f"bonuses[{i}].") for i, one in enumerate(parts(given, "bonuses", ""))),
            events=tuple(Event.read(one, f"events[{i}].") for i, one in enumerate(parts(given, "events", ""))),
            combine=choice(given, "combine", "", ("multiply", "add"), "multiply"),
            rounding=choice(given, "rounding", "", ROUNDINGS, "down"),
            cap=Cap.read(part(given, "cap", ""), "cap."),
            excluded=ProductFilter.read(excluded, "excluded") if excluded else None,
            excluded_kinds=_names(given, "excluded_kinds", "", {GIFT_CARD, STORED_VALUE}),
            excluded_tenders=_names(given, "excluded_tenders", "", {"voucher", "points"}),
            pending_days=whole(given, "pending_days", "", most=365) or 0,
            expiry=Expiry.read(part(given, "expiry", ""), "expiry."),
            tiers=TierTerms.read(part(given, "tiers", ""), "tiers."),
            paying=Paying.read(part(given, "paying", ""), "paying.") if given.get("paying") else None,
        )
        _each_once((bonus.code for bonus in terms.bonuses), "bonuses")
        _each_once((event.code for event in terms.events), "events")
        known = {tier.code for tier in terms.tiers.ladder}
        for index, bonus in enumerate(terms.bonuses):
            if unknown := bonus.who.tiers - known:
                raise RuleError(f"bonuses[{index}].tiers", f"there is no tier called {sorted(unknown)[0]}")
            if bonus.code.startswith("tier:"):
                raise RuleError(f"bonuses[{index}].code", "codes that begin with tier: belong to the tiers")
        return terms

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"base": self.base.as_json(), "expiry": self.expiry.as_json()}
        if self.bonuses:
            found["bonuses"] = [bonus.as_json() for bonus in self.bonuses]
        if self.events:
            found["events"] = [event.as_json() for event in self.events]
        blank = Terms()
        for name in ("combine", "rounding", "pending_days"):
            if (value := getattr(self, name)) != getattr(blank, name):
                found[name] = value
        for name in ("excluded_kinds", "excluded_tenders"):
            if (value := getattr(self, name)) != getattr(blank, name):
                found[name] = sorted(value)
        if cap := self.cap.as_json():
            found["cap"] = cap
        if self.excluded is not None and not self.excluded.is_open:
            found["excluded"] = self.excluded.as_json()
        if self.tiers.ladder:
            found["tiers"] = self.tiers.as_json()
        if self.paying is not None:
            found["paying"] = self.paying.as_json()
        return found

    def excludes(self, product: ProductFacts) -> bool:
        """Whether a product earns nothing."""
        return product.kind in self.excluded_kinds or (
            self.excluded is not None and not self.excluded.is_open and self.excluded.matches(product)
        )


TERMS_SETTINGS = {
    "base", "bonuses", "events", "combine", "rounding", "cap", "excluded", "excluded_kinds", "excluded_tenders",
    "pending_days", "expiry", "tiers", "paying",
}  # fmt: skip


def _tier_bonuses(tiers: TierTerms) -> tuple[Bonus, ...]:
    return tuple(
        Bonus(
            code=f"tier:{tier.code}",
            name=tier.name,
            effect="multiply",
            factor=tier.multiplier,
            who=WhoFilter(tiers=frozenset({tier.code})),
        )
        for tier in tiers.ladder
        if tier.multiplier != 1
    )


def _names(given: Mapping[str, Any], name: str, place: str, default: Iterable[str] = ()) -> frozenset[str]:
    values = given.get(name)
    if values is None:
        return frozenset(default)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RuleError(f"{place}{name}", "this is a list of texts")
    return frozenset(value for value in values if value)


def _each_once(codes: Iterable[str], place: str) -> None:
    seen: set[str] = set()
    for index, code in enumerate(codes):
        if code in seen:
            raise RuleError(f"{place}[{index}].code", f"{code} is there twice: each needs a code of its own")
        seen.add(code)
