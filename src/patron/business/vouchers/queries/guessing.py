"""Terminals at which many codes were typed that nobody has been given: mistyped, or guessed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Sum

from patron.business.vouchers.models import WrongCodes
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused


@dataclass(frozen=True, slots=True)
class Guessing:
    """Wrong codes typed at one terminal, in how many hours, from the first hour to the last; `worst` in one hour."""

    terminal: str
    attempts: int
    hours: int
    worst: int
    first_at: datetime
    last_at: datetime


def guessing(actor: Actor, *, since: datetime, until: datetime, least: int) -> list[Guessing]:
    """Terminals with at least `least` wrong codes from `since` to before `until`, most first. One query.

    Raises PermissionRefused without `vouchers.view`.
    """
    if not actor.can("vouchers.view"):
        raise PermissionRefused(details={"permission": "vouchers.view"})
    rows = (
        WrongCodes.objects.filter(hour__gte=since, hour__lt=until)
        .values("terminal")
        .annotate(total=Sum("attempts"), hours=Count("pk"), worst=Max("attempts"), first=Min("hour"), last=Max("hour"))
        .filter(total__gte=least)
        .order_by("-total", "terminal")
    )
    return [
        Guessing(row["terminal"], row["total"], row["hours"], row["worst"], row["first"], row["last"]) for row in rows
    ]
