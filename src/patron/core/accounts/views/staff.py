"""Settings: staff and teams; and one's own account."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from patron.core.accounts import operations
from patron.core.accounts.forms import (
    NewStaffForm,
    OwnPasswordForm,
    PasswordForm,
    PreferencesForm,
    StaffForm,
    TeamForm,
    add_refusal,
)
from patron.core.accounts.registers import get_staff, get_team, list_staff, list_teams
from patron.kernel import clock
from patron.kernel.errors import DomainError
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import THEME_COOKIE


@page(permission="accounts.manage", nav="staff-list")
def staff_list(request: PageRequest) -> HttpResponseBase:
    """Who signs in, in which role, at which branches."""
    staff = list_staff(request.actor)
    active = sum(1 for one in staff if one.is_active)
    return show(request, "accounts/pages/staff_list.html", {"staff": staff, "active": active})


@sensitive_post_parameters("password")
@page(permission="accounts.manage", nav="staff-list")
def staff_new(request: PageRequest) -> HttpResponseBase:
    """Let someone sign in."""
    form = NewStaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            staff = operations.create_staff(**form.cleaned_data, actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("%(name)s can sign in now.") % {"name": staff.name})
            return redirect("staff-list")
    return show(request, "accounts/pages/staff_new.html", {"form": form}, status=_status(request))


@page(permission="accounts.manage", nav="staff-list")
def staff(request: PageRequest, staff_id: int) -> HttpResponseBase:
    """One member of staff: details, role, branches, teams."""
    person = get_staff(staff_id, request.actor)
    initial = {
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "role": person.role,
        "branches": list(person.branches.all()),
        "teams": list(person.teams.all()),
    }
    form = StaffForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        role, now = given.pop("role"), clock.now()
        try:
            if role != person.role:
                operations.change_role(person, role, branches=given["branches"], actor=request.actor, now=now)
            operations.update_staff(person, **given, actor=request.actor, now=now)
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("staff-list")
    context = {"form": form, "person": person, "password_form": PasswordForm()}
    return show(request, "accounts/pages/staff.html", context, status=_status(request))


@require_POST
@sensitive_post_parameters("password")
@page(permission="accounts.manage", nav="staff-list")
def staff_password(request: PageRequest, staff_id: int) -> HttpResponseBase:
    """Give someone a new password."""
    person = get_staff(staff_id, request.actor)
    form = PasswordForm(request.POST)
    if form.is_valid():
        operations.set_password(person, form.cleaned_data["password"], actor=request.actor, now=clock.now())
        messages.success(request, _("%(name)s has a new password.") % {"name": person.name})
    return redirect("staff", staff_id=staff_id)


@require_POST
@page(permission="accounts.manage", nav="staff-list")
def staff_activity(request: PageRequest, staff_id: int) -> HttpResponseBase:
    """Let someone in again, or no longer."""
    person = get_staff(staff_id, request.actor)
    if person.is_active:
        operations.deactivate_staff(person, actor=request.actor, now=clock.now())
        messages.success(request, _("%(name)s can no longer sign in.") % {"name": person.name})
    else:
        operations.reactivate_staff(person, actor=request.actor, now=clock.now())
        messages.success(request, _("%(name)s can sign in now.") % {"name": person.name})
    return redirect("staff-list")


@page(permission="accounts.manage", nav="team-list")
def team_list(request: PageRequest) -> HttpResponseBase:
    """Teams, and a form for a new one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.save_team(None, **_team_input(form), actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("team-list")
    context = {"teams": list_teams(request.actor), "form": form}
    return show(request, "accounts/pages/team_list.html", context, status=_status(request))


@page(permission="accounts.manage", nav="team-list")
def team(request: PageRequest, team_id: int) -> HttpResponseBase:
    """One team."""
    one = get_team(team_id, request.actor)
    form = TeamForm(
        request.POST or None,
        initial={"name": one.name, "branch": one.branch_id, "members": list(one.members.all())},
    )
    if request.method == "POST" and form.is_valid():
        try:
            operations.save_team(one, **_team_input(form), actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("team-list")
    return show(request, "accounts/pages/team.html", {"team": one, "form": form}, status=_status(request))


@sensitive_post_parameters("old", "new")
@page(permission="accounts.own", nav="own-account")
def own_account(request: PageRequest) -> HttpResponseBase:
    """One's own language, theme and password."""
    me = get_staff(request.actor.id or 0, request.actor)
    which = request.POST.get("form", "")
    preferences = PreferencesForm(
        request.POST if which == "preferences" else None, initial={"language": me.language, "theme": me.theme}
    )
    password = OwnPasswordForm(request.POST if which == "password" else None)
    if which == "preferences" and preferences.is_valid():
        operations.set_preferences(me, **preferences.cleaned_data, actor=request.actor, now=clock.now())
        response = redirect("own-account")
        for name, value in (
            (settings.LANGUAGE_COOKIE_NAME, preferences.cleaned_data["language"]),
            (THEME_COOKIE, preferences.cleaned_data["theme"]),
        ):
            if value:
                response.set_cookie(name, value, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE)
            else:
                response.delete_cookie(name, samesite="Lax")
        messages.success(request, _("Saved."))
        return response
    if which == "password" and password.is_valid():
        try:
            changed = operations.change_own_password(me, **password.cleaned_data, actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(password, error)
        else:
            update_session_auth_hash(request, changed)
            messages.success(request, _("Your password is changed. Other devices are signed out."))
            return redirect("own-account")
    context = {"me": me, "preferences": preferences, "password": password}
    return show(request, "accounts/pages/own_account.html", context, status=_status(request))


def _team_input(form: TeamForm) -> dict[str, Any]:
    return {**form.cleaned_data, "members": list(form.cleaned_data["members"])}


def _status(request: PageRequest) -> int:
    """A form that comes back was not right."""
    return 422 if request.method == "POST" else 200
