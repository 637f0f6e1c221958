"""What the tests of tiers share: a ladder, members who hold a tier, and reviews."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import review_tiers
from patron.business.loyalty.testing import make_member, make_programme
from patron.kernel.actor import SYSTEM

LADDER = [
    {"code": "silver", "name": "Silver", "threshold": "1000"},
    {"code": "gold", "name": "Gold", "threshold": "3000", "multiplier": "2"},
    {"code": "black", "name": "Black", "threshold": "9000", "multiplier": "3"},
]


def noon(day: date | str) -> datetime:
    """Noon in Hong Kong."""
    return datetime.combine(date.fromisoformat(str(day)), time(4), UTC)


def tiers(**settings: Any) -> dict[str, Any]:
    return {"tiers": {"measure": "spend", "window": "calendar_year", "ladder": LADDER, **settings}}


def member_with(terms: Mapping[str, Any], *, joined_on: date = date(2020, 1, 1)) -> Membership:
    return make_member(make_programme(terms=terms), joined_on=joined_on)


def hold(member: Membership, tier: str, until: date | None, *, invited: bool = False) -> None:
    Membership.objects.filter(pk=member.pk).update(
        tier=tier, tier_since=date(2025, 1, 1), tier_until=until, tier_invited=invited
    )


def review(as_of: date | str, **more: Any) -> tuple[int, int, int]:
    on = date.fromisoformat(str(as_of))
    done = review_tiers(as_of=on, actor=SYSTEM, now=noon(on), **more)
    return done.due, done.reviewed, done.changed


def standing(member: Membership) -> tuple[str, str]:
    member.refresh_from_db()
    return member.tier, str(member.tier_until)
