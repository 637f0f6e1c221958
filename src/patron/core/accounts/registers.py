"""Reads for the settings pages: staff, teams, branches, and the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q

from patron.core.accounts.models import Branch, Staff, Team
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone
from patron.kernel.errors import NotFound, PermissionRefused
from patron.kernel.models import AuditEntry

PAGE = 50


def _require(actor: Actor, permission: str) -> None:
    if not actor.can(permission):
        raise PermissionRefused(details={"permission": permission})


def list_staff(actor: Actor) -> list[Staff]:
    """Everybody who signs in or did, those who may first, with branches and teams. Three queries."""
    _require(actor, "accounts.manage")
    return list(Staff.objects.prefetch_related("branches", "teams").order_by("-is_active", "username"))


def get_staff(staff_id: int, actor: Actor) -> Staff:
    """One of them. Raises NotFound; one's own row needs no permission."""
    if not (actor.kind == "staff" and actor.id == staff_id):
        _require(actor, "accounts.manage")
    staff = Staff.objects.filter(pk=staff_id).first()
    if staff is None:
        raise NotFound
    return staff


def list_branches(actor: Actor) -> list[Branch]:
    """Every branch, open ones first, each with `staff_count`. One query."""
    _require(actor, "accounts.manage")
    return list(Branch.objects.annotate(staff_count=Count("staff")).order_by("-is_active", "code"))


def get_branch(code: str, actor: Actor) -> Branch:
    """The branch with this code. Raises NotFound."""
    _require(actor, "accounts.manage")
    branch = Branch.objects.filter(code=code).first()
    if branch is None:
        raise NotFound
    return branch


def list_teams(actor: Actor) -> list[Team]:
    """Every team with its branch and members. Two queries."""
    _require(actor, "accounts.manage")
    return list(Team.objects.select_related("branch").prefetch_related("members").order_by("name"))


def get_team(team_id: int, actor: Actor) -> Team:
    """One team. Raises NotFound."""
    _require(actor, "accounts.manage")
    team = Team.objects.filter(pk=team_id).first()
    if team is None:
        raise NotFound
    return team


def time_zone_of(staff: Staff) -> str:
    """The time zone that someone works in: their branch's, when they have just one; else empty. One query."""
    zones = list(staff.branches.values_list("time_zone", flat=True)[:2])
    return zones[0] if len(zones) == 1 else ""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for: part of an actor's name, the beginning of a subject or operation, days (inclusive)."""

    actor: str = ""
    subject: str = ""
    operation: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "AuditFilter":
        """Read from an address; what cannot be read is left out."""
        return cls(
            actor=query.get("actor", "").strip()[:100],
            subject=query.get("subject", "").strip()[:120],
            operation=query.get("operation", "").strip()[:120],
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first; `older` is the id to go on after, None at the end."""

    entries: tuple[AuditEntry, ...]
    older: int | None


def audit_trail(actor: Actor, wanted: AuditFilter, *, before_id: int | None = None, limit: int = PAGE) -> AuditPage:
    """A page of the audit trail, by keyset. One query. Raises PermissionRefused without `accounts.audit`."""
    _require(actor, "accounts.audit")
    entries = AuditEntry.objects.order_by("-id")
    if wanted.actor:
        entries = entries.filter(Q(actor_name__icontains=wanted.actor) | Q(actor=wanted.actor))
    if wanted.subject:
        entries = entries.filter(subject__startswith=wanted.subject)
    if wanted.operation:
        entries = entries.filter(operation__startswith=wanted.operation)
    if wanted.since:
        entries = entries.filter(at__gte=_midnight(wanted.since))
    if wanted.until:
        entries = entries.filter(at__lt=_midnight(wanted.until + timedelta(days=1)))
    if before_id is not None:
        entries = entries.filter(id__lt=before_id)
    rows = list(entries[: limit + 1])
    return AuditPage(tuple(rows[:limit]), older=rows[limit - 1].pk if len(rows) > limit else None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=house_zone())
