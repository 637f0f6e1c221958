"""Tiers: what qualifies for one, how long it is kept, what a review decides, how far the next one is. No Django.

A tier is qualified for by a measure (qualifying points, money spent, visits) over a window of time. It is given as soon
as its threshold is reached, and kept to the end of the period after the one in which it was earned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from patron.business.loyalty.filters import RuleError
from patron.business.loyalty.rules.reading import choice, needed, number, only, parts, text, whole, written
from patron.business.loyalty.rules.spans import months_later

MEASURES = ("qualifying", "spend", "visits")
WINDOWS = ("rolling", "calendar_year", "membership_year")
BENEFITS = ("service", "waived_fee", "voucher", "gift")
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Benefit:
    """What a tier brings besides its multiplier: a service, a waived fee, or a voucher or gift named by `refers_to`."""

    kind: str
    name: str
    refers_to: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"kind", "name", "refers_to"})
        return cls(
            kind=choice(given, "kind", place, BENEFITS, "service"),
            name=text(given, "name", place, most=200),
            refers_to=text(given, "refers_to", place, most=60),
        )

    def as_json(self) -> dict[str, Any]:
        found = {"kind": self.kind, "name": self.name}
        return found | ({"refers_to": self.refers_to} if self.refers_to else {})


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier from `threshold` on. An invitation tier is never reached by the measure: somebody grants it."""

    code: str
    name: str
    threshold: Decimal
    multiplier: Decimal = ONE
    invitation_only: bool = False
    colour: str = ""
    benefits: tuple[Benefit, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"code", "name", "threshold", "multiplier", "invitation_only", "colour", "benefits"})
        invitation_only = bool(given.get("invitation_only", False))
        threshold = number(given, "threshold", place, places=2)
        tier = cls(
            code=text(given, "code", place, most=40),
            name=text(given, "name", place),
            threshold=Decimal(0) if invitation_only else needed(threshold, f"{place}threshold"),
            multiplier=number(given, "multiplier", place, least=ONE, most=Decimal(100)) or ONE,
            invitation_only=invitation_only,
            colour=text(given, "colour", place, most=20),
            benefits=tuple(
                Benefit.read(one, f"{place}benefits[{i}].") for i, one in enumerate(parts(given, "benefits", place))
            ),
        )
        if not tier.code or not tier.name:
            raise RuleError(f"{place}code", "a tier needs a code and a name")
        return tier

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "name": self.name}
        found |= {"invitation_only": True} if self.invitation_only else {"threshold": written(self.threshold)}
        if self.multiplier != ONE:
            found["multiplier"] = written(self.multiplier)
        if self.colour:
            found["colour"] = self.colour
        if self.benefits:
            found["benefits"] = [benefit.as_json() for benefit in self.benefits]
        return found


@dataclass(frozen=True, slots=True)
class TierTerms:
    """The ladder, lowest tier first, and how one climbs it. An empty ladder is a programme without tiers.

    `window`: the last `months` months (rolling), the calendar year, or the member's own year since joining. A review
    waits for `grace_days`, which count as well; `soft_landing` lets a member fall one tier at a time.
    """

    measure: str = "qualifying"
    window: str = "rolling"
    months: int = 12
    grace_days: int = 0
    soft_landing: bool = False
    ladder: tuple[Tier, ...] = ()

    def tier(self, code: str) -> Tier | None:
        return next((tier for tier in self.ladder if tier.code == code), None)

    def rank(self, code: str) -> int:
        """The place on the ladder, from 1; 0 for no tier, and for one that is on the ladder no more."""
        return next((place for place, tier in enumerate(self.ladder, start=1) if tier.code == code), 0)

    def reached(self, value: Decimal) -> str:
        """The highest tier that the measure qualifies for; empty for none."""
        found = ""
        for tier in self.ladder:
            if not tier.invitation_only and value >= tier.threshold:
                found = tier.code
        return found

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str) -> Self:
        only(given, place, {"measure", "window", "months", "grace_days", "soft_landing", "ladder"})
        ladder = tuple(Tier.read(one, f"{place}ladder[{i}].") for i, one in enumerate(parts(given, "ladder", place)))
        codes: set[str] = set()
        highest = Decimal(-1)
        for index, tier in enumerate(ladder):
            if tier.code in codes:
                raise RuleError(f"{place}ladder[{index}].code", f"the tier {tier.code} is there twice")
            codes.add(tier.code)
            if not tier.invitation_only:
                if tier.threshold <= highest:
                    raise RuleError(
                        f"{place}ladder[{index}].threshold", "each tier asks for more than the one before it"
                    )
                highest = tier.threshold
        return cls(
            measure=choice(given, "measure", place, MEASURES, "qualifying"),
            window=choice(given, "window", place, WINDOWS, "rolling"),
            months=whole(given, "months", place, least=1, most=120) or 12,
            grace_days=whole(given, "grace_days", place, most=366) or 0,
            soft_landing=bool(given.get("soft_landing", False)),
            ladder=ladder,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "window": self.window,
            "months": self.months,
            "grace_days": self.grace_days,
            "soft_landing": self.soft_landing,
            "ladder": [tier.as_json() for tier in self.ladder],
        }


# --- windows -----------------------------------------------------------------------------------------------------


def member_year(joined_on: date, day: date) -> tuple[date, date]:
    """The member's own year that holds `day`: from one anniversary of joining to the eve of the next."""
    years = day.year - joined_on.year
    start = months_later(joined_on, 12 * years)
    if start > day:
        years -= 1
        start = months_later(joined_on, 12 * years)
    return start, months_later(joined_on, 12 * (years + 1)) - timedelta(days=1)


def window_at(terms: TierTerms, day: date, joined_on: date) -> tuple[date, date]:
    """First and last day of what counts towards a tier on `day`; never before the day of joining."""
    match terms.window:
        case "calendar_year":
            start, end = date(day.year, 1, 1), day
        case "membership_year":
            start, end = member_year(joined_on, day)[0], day
        case _:
            start, end = months_later(day, -terms.months) + timedelta(days=1), day
    return max(start, joined_on), end


def kept_until(terms: TierTerms, day: date, joined_on: date) -> date:
    """The last day of a tier reached (or kept) on `day`: the end of the period after that of `day`."""
    match terms.window:
        case "calendar_year":
            return date(day.year + 1, 12, 31)
        case "membership_year":
            return member_year(joined_on, member_year(joined_on, day)[1] + timedelta(days=1))[1]
        case _:
            return months_later(day, terms.months)


def review_window(terms: TierTerms, until: date, joined_on: date) -> tuple[date, date]:
    """What counts at the review of a tier kept until `until`: its last period, and the days of grace."""
    start, _ = window_at(terms, until, joined_on)
    return start, until + timedelta(days=terms.grace_days)


def review_due_on(terms: TierTerms, until: date) -> date:
    """The first day on which a tier kept until `until` is reviewed."""
    return until + timedelta(days=terms.grace_days + 1)


# --- decisions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier held (empty for none), until when, and whether it was granted by invitation."""

    tier: str = ""
    until: date | None = None
    invited: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision makes of a standing, and why: upgrade, kept, down, soft_landing or invitation_over."""

    before: str
    after: str
    reason: str
    until: date | None
    value: Decimal
    threshold: Decimal | None
    window: tuple[date, date]


def decide_upgrade(
    terms: TierTerms, standing: Standing, *, value: Decimal, day: date, joined_on: date
) -> Verdict | None:
    """The higher tier that `value` has reached by `day`, or None. A tier is never lost here."""
    reached = terms.reached(value)
    if terms.rank(reached) <= terms.rank(standing.tier):
        return None
    tier = terms.tier(reached)
    return Verdict(
        before=standing.tier,
        after=reached,
        reason="upgrade",
        until=kept_until(terms, day, joined_on),
        value=value,
        threshold=tier.threshold if tier else None,
        window=window_at(terms, day, joined_on),
    )


def decide_review(terms: TierTerms, standing: Standing, *, value: Decimal, joined_on: date) -> Verdict:
    """What becomes of a tier whose time is up, `value` being measured over `review_window`.

    Kept for another period where the measure still reaches it; otherwise the tier that it does reach, or with a soft
    landing one tier less than before, whichever is higher.
    """
    assert standing.until is not None, "only a tier that ends is reviewed"  # noqa: S101
    reached = terms.reached(value)
    held = terms.rank(standing.tier)
    window = review_window(terms, standing.until, joined_on)
    if standing.invited:
        after, reason = reached, "invitation_over"
    elif terms.rank(reached) >= held and held:
        after, reason = reached, "kept" if terms.rank(reached) == held else "upgrade"
    else:
        after, reason = reached, "down"
        below = [tier.code for tier in terms.ladder[: max(held - 1, 0)] if not tier.invitation_only]
        if terms.soft_landing and below and terms.rank(below[-1]) > terms.rank(reached):
            after, reason = below[-1], "soft_landing"
    tier = terms.tier(after)
    return Verdict(
        before=standing.tier,
        after=after,
        reason=reason,
        until=_next_until(terms, standing.until, joined_on) if after else None,
        value=value,
        threshold=tier.threshold if tier else None,
        window=window,
    )


def _next_until(terms: TierTerms, until: date, joined_on: date) -> date:
    """The end of the period that follows the one ended on `until`."""
    match terms.window:
        case "calendar_year":
            return date(until.year + 1, 12, 31)
        case "membership_year":
            return member_year(joined_on, until + timedelta(days=1))[1]
        case _:
            return months_later(until, terms.months)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the next tier is: `missing` of the measure (None at the top of the ladder), counted from `window`.

    `to_keep` is what is missing to keep the tier held beyond `until`, zero once that is done.
    """

    value: Decimal
    window: tuple[date, date]
    following: Tier | None = None
    missing: Decimal | None = None
    to_keep: Decimal = Decimal(0)
    until: date | None = None


def progress(terms: TierTerms, standing: Standing, *, value: Decimal, day: date, joined_on: date) -> Progress:
    """Where a member stands on the ladder on `day`, `value` being measured over `window_at`."""
    held = terms.rank(standing.tier)
    following = next((tier for tier in terms.ladder[held:] if not tier.invitation_only), None)
    tier = terms.tier(standing.tier)
    to_keep = Decimal(0)
    if tier is not None and not tier.invitation_only:
        to_keep = max(Decimal(0), tier.threshold - value)
    return Progress(
        value=value,
        window=window_at(terms, day, joined_on),
        following=following,
        missing=None if following is None else max(Decimal(0), following.threshold - value),
        to_keep=to_keep,
        until=standing.until,
    )
