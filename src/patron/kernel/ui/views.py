"""The frame's own pages: the choices of the top bar, and the style guide."""

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from patron.kernel.clock import now
from patron.kernel.errors import NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import BRANCH_COOKIE, THEME_COOKIE, THEMES, branches_for
from patron.kernel.ui.styleguide import PermitForm, samples

_YEAR_SECONDS = 365 * 24 * 60 * 60


def _back(request: PageRequest) -> HttpResponseRedirect:
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target if ours else "/")


def _remember(response: HttpResponse, name: str, value: str) -> None:
    """Keep a choice of the frame on the device; it says nothing about a person."""
    if value:
        response.set_cookie(
            name, value, max_age=_YEAR_SECONDS, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
        )
    else:
        response.delete_cookie(name, samesite="Lax")


@require_POST
@page(public=True)
def choose_theme(request: PageRequest) -> HttpResponseBase:
    """Light, dark, or (anything else) what the device prefers."""
    response = _back(request)
    chosen = request.POST.get("theme", "")
    _remember(response, THEME_COOKIE, chosen if chosen in THEMES else "")
    return response


@require_POST
@page()
def choose_branch(request: PageRequest) -> HttpResponseBase:
    """One of the branches that the actor may see, or (empty) all of them."""
    response = _back(request)
    chosen = request.POST.get("branch", "")
    if chosen and chosen not in {str(branch.id) for branch in branches_for(request.actor)}:
        raise NotFound
    _remember(response, BRANCH_COOKIE, chosen)
    return response


@page(public=True)
def style_guide(request: PageRequest) -> HttpResponseBase:
    """Every shared part and chart with sample data: for those who build pages, and for administrators."""
    if not settings.DEBUG and not request.actor.can("accounts.manage"):
        raise NotFound
    form = PermitForm(request.POST) if request.method == "POST" else PermitForm()
    return show(request, "ui/styleguide.html", {"form": form, **samples(now())})
