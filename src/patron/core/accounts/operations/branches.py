"""Branches and teams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.models import Branch, Staff, Team
from patron.core.accounts.rules import WEEKDAYS, Interval
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.operation import operation


@dataclass(frozen=True, slots=True)
class BranchDetails:
    """What is said of a branch. `opening_hours` maps mon … sun to intervals (see `rules`); coordinates in degrees."""

    name: str
    address: str = ""
    city: str = ""
    country: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    time_zone: str = "Asia/Hong_Kong"
    phone: str = ""
    is_active: bool = True
    opening_hours: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)


@operation(permission="accounts.manage")
def create_branch(code: str, details: BranchDetails, *, actor: Actor, now: datetime) -> Branch:
    """Open a branch. Raises InvalidInput naming the field, Conflict for a code that is taken."""
    code = code.strip()
    if not code:
        raise InvalidInput(_("This is needed."), details={"field": "code"})
    if Branch.objects.filter(code__iexact=code).exists():
        raise Conflict(_("Another branch already has this code."), details={"field": "code"})
    branch = Branch(code=code, created_at=now)
    _fill(branch, details)
    branch.save()
    return branch


@operation(permission="accounts.manage")
def update_branch(branch: Branch, details: BranchDetails, *, actor: Actor, now: datetime) -> Branch:
    """Change what is said of a branch; its code stays, because files and tills name it. Raises InvalidInput."""
    fresh = Branch.objects.select_for_update().filter(pk=branch.pk).first()
    if fresh is None:
        raise NotFound
    _fill(fresh, details)
    fresh.save()
    return fresh


@operation(permission="accounts.manage")
def save_team(
    team: Team | None,
    *,
    name: str,
    branch: Branch | None = None,
    members: list[Staff] | None = None,
    actor: Actor,
    now: datetime,
) -> Team:
    """Make a team, or change one. Raises InvalidInput naming the field, Conflict for a name that is taken."""
    name = name.strip()
    if not name:
        raise InvalidInput(_("This is needed."), details={"field": "name"})
    if Team.objects.filter(name__iexact=name).exclude(pk=team.pk if team else 0).exists():
        raise Conflict(_("Another team already has this name."), details={"field": "name"})
    saved = team or Team()
    saved.name, saved.branch = name, branch
    saved.save()
    if members is not None:
        saved.members.set(members)
    return saved


def _fill(branch: Branch, details: BranchDetails) -> None:
    if not details.name.strip():
        raise InvalidInput(_("This is needed."), details={"field": "name"})
    if (details.latitude is None) != (details.longitude is None):
        raise InvalidInput(_("Give both coordinates or none."), details={"field": "latitude"})
    for name, value, most in (("latitude", details.latitude, 90), ("longitude", details.longitude, 180)):
        if value is not None and not -most <= value <= most:
            raise InvalidInput(_("This is not a place on earth."), details={"field": name})
    try:
        ZoneInfo(details.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(_("There is no such time zone."), details={"field": "time_zone"}) from error
    if set(details.opening_hours) - set(WEEKDAYS):
        raise InvalidInput(details={"field": "opening_hours"})
    branch.name, branch.address, branch.city = details.name.strip(), details.address, details.city
    branch.country, branch.phone, branch.is_active = details.country.upper(), details.phone, details.is_active
    branch.latitude, branch.longitude, branch.time_zone = details.latitude, details.longitude, details.time_zone
    branch.opening_hours = {
        day: [list(interval) for interval in details.opening_hours[day]]
        for day in WEEKDAYS
        if details.opening_hours.get(day)
    }
