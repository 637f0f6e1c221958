"""One sale of one member: what it earns as things stand, and what that changes for the next one. No Django.

The till, imports and simulations all go through `decide_sale` and `advance`; they differ only in where a member's state
is read from and where the award is written to.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter

from patron.business.loyalty.baskets import MemberFacts
from patron.business.loyalty.rules.earning import (
    NO_LIMIT,
    PLAIN,
    Award,
    Conditions,
    Happening,
    Part,
    Room,
    Rulebook,
    decide_earning,
    open_bonuses,
    unpaid_part,
)
from patron.business.loyalty.rules.terms import Cap
from patron.business.loyalty.rules.tiers import Standing, Verdict, decide_upgrade, window_at

ZERO = Decimal(0)
_day = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Sale:
    """A completed sale. `day` is the organisation's calendar day of `at`, `local` the branch's clock then.

    `visits` is how many sales of the customer came before it.
    """

    purchase_id: int
    at: datetime
    day: date
    local: datetime
    parts: Sequence[Part]
    net_amount: Decimal
    branch: str = ""
    channel: str = ""
    tenders: Sequence[tuple[str, Decimal]] = ()
    visits: int = 0


@dataclass(slots=True)
class MemberState:
    """What is known of a member before a sale. `tiers` is their history, oldest first: since when, which.

    `counted` is what counts towards a tier, by day; `earned` the points of earlier awards by day, and how many of them
    came from which bonus. Both hold only as far back as the terms ask.
    """

    membership_id: int
    customer_id: int
    joined_on: date
    standing: Standing = field(default_factory=Standing)
    tiers: list[tuple[datetime, str]] = field(default_factory=list)
    birth_on: date | None = None
    segments: frozenset[str] = frozenset()
    counted: list[tuple[date, Decimal]] = field(default_factory=list)
    earned: list[tuple[date, Decimal, dict[str, Decimal]]] = field(default_factory=list)
    _sums: list[tuple[date, Decimal]] = field(default_factory=list, init=False, repr=False, compare=False)
    """Running sums of `counted`, in the order of days: a window is the difference of two."""

    def tier_at(self, at: datetime) -> str:
        """The code of the tier held at an instant."""
        return next((tier for since, tier in reversed(self.tiers) if since <= at), "")

    def measured(self, window: tuple[date, date]) -> Decimal:
        """What counts towards a tier in a window, first and last day included."""
        start, end = window
        known = len(self._sums)
        if known != len(self.counted):
            last, total = self._sums[-1] if known else (date.min, ZERO)
            if any(day < last for day, _ in self.counted[known:]) or not known:
                self.counted.sort(key=_day)
                self._sums, total = [], ZERO
            for day, value in self.counted[len(self._sums) :]:
                total += value
                self._sums.append((day, total))
        return self._up_to(bisect_right(self._sums, end, key=_day)) - self._up_to(
            bisect_left(self._sums, start, key=_day)
        )

    def _up_to(self, place: int) -> Decimal:
        return self._sums[place - 1][1] if place else ZERO


@dataclass(frozen=True, slots=True)
class Rise:
    """A tier reached by a sale: the decision, and since when it counts."""

    verdict: Verdict
    effective_at: datetime
    purchase_id: int


def decide_sale(rulebook: Rulebook, state: MemberState, sale: Sale) -> Award:
    """What a sale earns. Changes nothing; `advance` does."""
    unpaid = unpaid_part(rulebook, sale.tenders) if sale.tenders else ZERO
    if rulebook.plain:
        conditions = Conditions(unpaid=unpaid) if unpaid else PLAIN
        return decide_earning(rulebook, sale.parts, conditions, net_amount=sale.net_amount)
    member = MemberFacts(
        tier=state.tier_at(sale.at),
        segments=state.segments,
        birth_on=state.birth_on,
        joined_on=state.joined_on,
        visits=sale.visits,
    )
    opened = open_bonuses(rulebook, Happening(sale.local, sale.branch, sale.channel, sale.tenders), member)
    room = _room(rulebook, state, sale.day, opened) if rulebook.looks_back else NO_LIMIT
    conditions = Conditions(open=opened, unpaid=unpaid, room=room, tier=member.tier)
    return decide_earning(rulebook, sale.parts, conditions, net_amount=sale.net_amount)


def advance(rulebook: Rulebook, state: MemberState, sale: Sale, award: Award) -> Rise | None:
    """Let `state` know of the award, and return the tier that the member has reached by it, if any.

    A sale that is learnt of late counts for the day of the last change of tier.
    """
    if rulebook.looks_back:
        by_bonus: dict[str, Decimal] = {}
        for step in award.steps:
            by_bonus[step.code] = by_bonus.get(step.code, ZERO) + step.points
        state.earned.append((sale.day, award.points, by_bonus))
    ladder = rulebook.terms.tiers
    if not ladder.ladder:
        return None
    match ladder.measure:
        case "qualifying":
            state.counted.append((sale.day, award.qualifying))
        case "spend":
            state.counted.append((sale.day, sale.net_amount))
        case _:
            state.counted.append((sale.day, Decimal(1)))
    at, day = sale.at, sale.day
    if state.tiers and state.tiers[-1][0] > at:
        at = state.tiers[-1][0]
        day = max(day, at.astimezone(sale.local.tzinfo).date())
    if ladder.rank(state.standing.tier) == len(ladder.ladder):
        return None
    verdict = decide_upgrade(
        ladder,
        state.standing,
        value=state.measured(window_at(ladder, day, state.joined_on)),
        day=day,
        joined_on=state.joined_on,
    )
    if verdict is None:
        return None
    state.standing = Standing(tier=verdict.after, until=verdict.until)
    state.tiers.append((at, verdict.after))
    return Rise(verdict=verdict, effective_at=at, purchase_id=sale.purchase_id)


def _room(rulebook: Rulebook, state: MemberState, day: date, opened: Sequence[str]) -> Room:
    bonuses = {}
    for bonus in rulebook.bonuses:
        if bonus.code in opened and bonus.cap.looks_back:
            left = _left(bonus.cap, [(d, by.get(bonus.code, ZERO)) for d, _, by in state.earned], day)
            if left is not None:
                bonuses[bonus.code] = left
    total = _left(rulebook.terms.cap, [(d, points) for d, points, _ in state.earned], day)
    return Room(total=total, bonuses=bonuses)


def _left(cap: Cap, earned: Sequence[tuple[date, Decimal]], day: date) -> Decimal | None:
    limits = []
    if cap.day is not None:
        limits.append(cap.day - sum((points for d, points in earned if d == day), ZERO))
    if cap.period is not None:
        first = day - timedelta(days=cap.period_days - 1)
        limits.append(cap.period - sum((points for d, points in earned if first <= d <= day), ZERO))
    return max(min(limits), ZERO) if limits else None
