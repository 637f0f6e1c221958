"""Signing in and out."""

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from patron.core.accounts.forms import SignInForm
from patron.core.accounts.middleware import ZONE_KEY
from patron.core.accounts.registers import time_zone_of
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import THEME_COOKIE

_YEAR_SECONDS = 365 * 24 * 60 * 60


@never_cache
@sensitive_post_parameters("password")
@page(public=True)
def sign_in(request: PageRequest) -> HttpResponseBase:
    """The door. Five misses for one name from one address close it for a quarter of an hour (`throttling.py`)."""
    target = _target(request)
    if request.method != "POST":
        if request.actor.kind == "staff":
            return redirect(target)
        return show(request, "accounts/pages/sign_in.html", {"form": SignInForm(), "next": target})
    form = SignInForm(request.POST)
    if form.is_valid():
        staff = authenticate(request, **form.cleaned_data)
        if staff is not None:
            login(request, staff)
            return _welcomed(request, target)
        form.add_error(None, _("Username and password do not match."))
    return show(request, "accounts/pages/sign_in.html", {"form": form, "next": target}, status=422)


@require_POST
@page(public=True)
def sign_out(request: PageRequest) -> HttpResponseBase:
    """Leave; the next one at this device signs in anew."""
    logout(request)
    return redirect("sign-in")


def _welcomed(request: PageRequest, target: str) -> HttpResponseBase:
    """On to where they wanted, in their own language, colours and time zone."""
    staff = request.user
    response = HttpResponseRedirect(target)
    language, theme = getattr(staff, "language", ""), getattr(staff, "theme", "")
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, language), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(
                name, value, max_age=_YEAR_SECONDS, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
            )
    zone = time_zone_of(staff)  # type: ignore[arg-type]
    if zone:
        request.session[ZONE_KEY] = zone
    return response


def _target(request: PageRequest) -> str:
    """Where to go after: a page of ours that was asked for, else the start."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url(settings.LOGIN_REDIRECT_URL)
