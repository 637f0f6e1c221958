"""People who sign in: their roles, branches, passwords and preferences."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from patron.core.accounts.models import Branch, Staff, Team
from patron.core.accounts.rules import ALL_ROLES, BRANCH_BOUND_ROLES, Role
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput, NotFound, PermissionRefused
from patron.kernel.operation import operation

THEMES = ("", "light", "dark")


@operation(permission="accounts.manage", private=("password", "email", "phone"))
def create_staff(
    *,
    username: str,
    name: str,
    role: str,
    password: str,
    email: str = "",
    phone: str = "",
    branches: Iterable[Branch] = (),
    teams: Iterable[Team] = (),
    language: str = "",
    actor: Actor,
    now: datetime,
) -> Staff:
    """Let someone sign in. Roles bound to branches need at least one.

    Raises InvalidInput naming the field, Conflict for a username that is taken (letter case does not tell two apart).
    """
    branches = list(branches)
    username = username.strip()
    if not username or not name.strip():
        raise InvalidInput(_("This is needed."), details={"field": "name" if username else "username"})
    if Staff.objects.filter(username__iexact=username).exists():
        raise Conflict(_("Somebody already has this username."), details={"field": "username"})
    _check_role(role, branches)
    staff = Staff(
        username=username, name=name.strip(), role=role, email=email, phone=phone, language=_language(language),
        created_at=now,
    )  # fmt: skip
    _set_password(staff, password)
    staff.save()
    staff.branches.set(branches)
    staff.teams.set(teams)
    return staff


@operation(permission="accounts.manage", private=("email", "phone"))
def update_staff(
    staff: Staff,
    *,
    name: str,
    email: str = "",
    phone: str = "",
    branches: Iterable[Branch] = (),
    teams: Iterable[Team] = (),
    actor: Actor,
    now: datetime,
) -> Staff:
    """Change who someone is and where they work. Raises InvalidInput naming the field."""
    branches = list(branches)
    fresh = _locked(staff)
    if not name.strip():
        raise InvalidInput(_("This is needed."), details={"field": "name"})
    _check_role(fresh.role, branches)
    fresh.name, fresh.email, fresh.phone = name.strip(), email, phone
    fresh.save(update_fields=["name", "email", "phone"])
    fresh.branches.set(branches)
    fresh.teams.set(teams)
    return fresh


@operation(permission="accounts.manage")
def change_role(
    staff: Staff,
    role: str,
    *,
    branches: Iterable[Branch] | None = None,
    actor: Actor,
    now: datetime,
) -> Staff:
    """Give someone another role, and other branches where told. Raises Conflict for the last administrator."""
    fresh = _locked(staff)
    stays = list(fresh.branches.all()) if branches is None else list(branches)
    _check_role(role, stays)
    if fresh.role == Role.ADMINISTRATOR and role != Role.ADMINISTRATOR:
        _keep_one_administrator(fresh)
    fresh.role = role
    fresh.save(update_fields=["role"])
    fresh.branches.set(stays)
    return fresh


@operation(permission="accounts.manage")
def deactivate_staff(staff: Staff, *, actor: Actor, now: datetime) -> Staff:
    """Let someone no longer sign in; who is signed in is signed out with the next click.

    Raises Conflict for oneself and for the last administrator.
    """
    fresh = _locked(staff)
    if actor.kind == "staff" and actor.id == fresh.pk:
        raise Conflict(_("You cannot shut yourself out. Ask another administrator."))
    _keep_one_administrator(fresh)
    fresh.is_active = False
    fresh.save(update_fields=["is_active"])
    return fresh


@operation(permission="accounts.manage")
def reactivate_staff(staff: Staff, *, actor: Actor, now: datetime) -> Staff:
    """Let someone sign in again."""
    fresh = _locked(staff)
    fresh.is_active = True
    fresh.save(update_fields=["is_active"])
    return fresh


@operation(permission="accounts.manage", private=("password",))
def set_password(staff: Staff, password: str, *, actor: Actor, now: datetime) -> Staff:
    """Give someone a new password, which ends their other sessions. Raises InvalidInput that says what it lacks."""
    fresh = _locked(staff)
    _set_password(fresh, password)
    fresh.save(update_fields=["password"])
    return fresh


@operation(permission="accounts.own", private=("old", "new"))
def change_own_password(staff: Staff, *, old: str, new: str, actor: Actor, now: datetime) -> Staff:
    """Change one's own password. Raises InvalidInput for a wrong old one or a weak new one, PermissionRefused for
    somebody else's."""
    fresh = _own(staff, actor)
    if not fresh.check_password(old):
        raise InvalidInput(_("This is not your present password."), details={"field": "old"})
    _set_password(fresh, new, field="new")
    fresh.save(update_fields=["password"])
    return fresh


@operation(permission="accounts.own")
def set_preferences(
    staff: Staff,
    *,
    language: str,
    theme: str = "",
    actor: Actor,
    now: datetime,
) -> Staff:
    """Choose one's own language (empty: as the browser asks) and theme (empty: as the device prefers)."""
    fresh = _own(staff, actor)
    if theme not in THEMES:
        raise InvalidInput(details={"field": "theme"})
    fresh.language, fresh.theme = _language(language), theme
    fresh.save(update_fields=["language", "theme"])
    return fresh


def _locked(staff: Staff) -> Staff:
    fresh = Staff.objects.select_for_update().filter(pk=staff.pk).first()
    if fresh is None:
        raise NotFound
    return fresh


def _own(staff: Staff, actor: Actor) -> Staff:
    if actor.kind == "staff" and actor.id != staff.pk:
        raise PermissionRefused
    return _locked(staff)


def _language(language: str) -> str:
    if language and language not in dict(settings.LANGUAGES):
        raise InvalidInput(details={"field": "language"})
    return language


def _check_role(role: str, branches: list[Branch]) -> None:
    if role not in ALL_ROLES:
        raise InvalidInput(details={"field": "role"})
    if role in BRANCH_BOUND_ROLES and not branches:
        raise InvalidInput(
            _("This role sees the customers of its branches only: choose at least one branch."),
            details={"field": "branches"},
        )


def _keep_one_administrator(staff: Staff) -> None:
    """Refuse to take away the last one. Locks the administrators, so that two cannot go at once."""
    if staff.role != Role.ADMINISTRATOR or not staff.is_active:
        return
    others = Staff.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=staff.pk)
    if not list(others.values_list("pk", flat=True)):
        raise Conflict(_("This is the last administrator. Make somebody else one first."), details={"field": "role"})


def _set_password(staff: Staff, password: str, *, field: str = "password") -> None:
    try:
        validate_password(password, user=staff)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), details={"field": field}) from error
    staff.set_password(password)
