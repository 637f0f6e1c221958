"""`@page`: what a function view declares about who may open it, and the one place that refuses."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_cache_control, patch_vary_headers

from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused
from patron.kernel.ui.shell import actor_of

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """The request a page gets: `actor` from the accounts middleware, the rest from `@page`."""

    actor: Actor
    is_fragment: bool
    nav: str


@dataclass(frozen=True, slots=True)
class PageDeclaration:
    """What a page asks of who opens it. Not public and no permission: any signed-in member of staff."""

    permission: str | None
    public: bool
    nav: str


PageView = Callable[Concatenate[PageRequest, P], HttpResponseBase]
DjangoView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def page(
    *, permission: str | None = None, public: bool = False, nav: str = ""
) -> Callable[[PageView[P]], DjangoView[P]]:
    """Declare a page. `nav` names the navigation entry to mark as current when the address does not say so.

    Nobody signed in is sent to sign in. Raises PermissionRefused without the permission; that and every other
    `DomainError` is answered by `DomainErrorMiddleware`. Messages queued while a fragment is made go with it as toasts.
    """
    if public and permission:
        raise ValueError("a public page needs no permission")
    declaration = PageDeclaration(permission, public, nav)

    def decorate(view: PageView[P]) -> DjangoView[P]:
        @functools.wraps(view)
        def run(plain: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request = cast(PageRequest, plain)
            request.actor = actor_of(plain)
            request.is_fragment = wants_fragment(plain)
            request.nav = nav
            if not public and request.actor.kind == "anonymous":
                return _to_sign_in(request)
            if permission is not None and not request.actor.can(permission):
                raise PermissionRefused(details={"permission": permission})
            response = view(request, *args, **kwargs)
            if not public and not response.has_header("Cache-Control"):
                patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["HX-Request"])
            if request.is_fragment:
                _send_messages(request, response)
            return response

        run.page = declaration  # type: ignore[attr-defined]
        return run

    return decorate


def wants_fragment(request: HttpRequest) -> bool:
    """Whether HTMX asks for a part of the page (a boosted link or a restored history entry wants the whole page)."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def show(
    request: PageRequest, template: str, context: dict[str, Any] | None = None, *, fragment: str = "", status: int = 200
) -> HttpResponse:
    """Render the page, or only its partial called `fragment` when HTMX asked for a part."""
    name = f"{template}#{fragment}" if fragment and request.is_fragment else template
    return render(request, name, context, status=status)


def toast(response: HttpResponseBase, text: str, *, level: str = "success") -> HttpResponseBase:
    """Have the shell show `text` when the fragment arrives. Levels: success, info, warning, danger."""
    triggers = json.loads(response.headers.get("HX-Trigger") or "{}")
    triggers.setdefault("patron:toast", {"toasts": []})["toasts"].append({"text": text, "level": level})
    response.headers["HX-Trigger"] = json.dumps(triggers)
    return response


def _send_messages(request: HttpRequest, response: HttpResponseBase) -> None:
    if not response.has_header("HX-Redirect") and not response.has_header("HX-Refresh") and response.status_code < 300:
        for message in messages.get_messages(request):
            toast(response, str(message), level=message.level_tag or "info")


def _to_sign_in(request: PageRequest) -> HttpResponseBase:
    if not request.is_fragment:
        return redirect_to_login(request.get_full_path())
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
    return response
