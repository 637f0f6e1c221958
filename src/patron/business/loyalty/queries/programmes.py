"""How a programme is set up: its versions, which of them is in force, and the draft of the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from patron.business.loyalty.models import Programme, ProgrammeVersion
from patron.business.loyalty.requests import read_terms
from patron.business.loyalty.rules.terms import Terms
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused
from patron.kernel.models import AuditEntry


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version, who published it, and its place in time: `past`, `current` or `coming`."""

    version: ProgrammeVersion
    terms: Terms
    who: str
    state: str


def get_programmes(actor: Actor) -> list[Programme]:
    """The programmes, those in use first. Raises PermissionRefused without `loyalty.view`."""
    if not actor.can("loyalty.view"):
        raise PermissionRefused(details={"permission": "loyalty.view"})
    return list(Programme.objects.order_by("-is_active", "pk"))


def get_programme(code: str, actor: Actor) -> Programme:
    """The programme with this code. Raises NotFound; PermissionRefused without `loyalty.view`."""
    found = next((programme for programme in get_programmes(actor) if programme.code == code), None)
    if found is None:
        raise NotFound(details={"programme": code})
    return found


def list_versions(programme: Programme, now: datetime) -> Sequence[VersionLine]:
    """Every version, the latest first. Three queries."""
    versions = list(programme.versions.order_by("-valid_from", "-version"))
    subjects = [f"loyalty.programmeversion:{version.pk}" for version in versions]
    who = dict(AuditEntry.objects.filter(subject__in=subjects).values_list("subject", "actor_name"))
    created = AuditEntry.objects.filter(
        subject=f"loyalty.programme:{programme.pk}", operation__endswith=".create_programme"
    )
    creator = created.values_list("actor_name", flat=True).first() or ""
    first = min((version.pk for version in versions), default=0)
    current = next((version.pk for version in versions if version.valid_from <= now), None)
    return [
        VersionLine(
            version=version,
            terms=read_terms(version.terms),
            who=who.get(subject, creator if version.pk == first else ""),
            state="coming" if version.valid_from > now else "current" if version.pk == current else "past",
        )
        for version, subject in zip(versions, subjects, strict=True)
    ]


def terms_in_force(programme: Programme, now: datetime) -> Terms:
    """The terms of the version in force; before the first one, the usual terms."""
    version = programme.versions.filter(valid_from__lte=now).order_by("-valid_from", "-version").first()
    return Terms() if version is None else read_terms(version.terms)
