"""Who is asking, and where they are: puts an `Actor` on every request, and the time in their zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from patron.core.accounts.models import Staff
from patron.core.accounts.queries import actor_for
from patron.kernel.actor import ANONYMOUS, Actor

ZONE_KEY = "time_zone"
"""Where the session keeps the zone of someone who works at one branch; sign-in puts it there."""


class ActorMiddleware:
    """Sets `request.actor` lazily: pages that never ask who it is cost no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor_of(request))  # type: ignore[attr-defined]
        if zone := _zone_of(request):
            with timezone.override(zone):
                return self.get_response(request)
        return self.get_response(request)


def _actor_of(request: HttpRequest) -> Actor:
    user = request.user
    return actor_for(user) if isinstance(user, Staff) and user.is_active else ANONYMOUS


def _zone_of(request: HttpRequest) -> ZoneInfo | None:
    """The zone in the session of someone signed in, without asking the database for those who bring no session."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    try:
        return ZoneInfo(name) if (name := request.session.get(ZONE_KEY, "")) else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
