"""Who is asking: puts an `Actor` on every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from patron.core.accounts.models import Staff
from patron.core.accounts.queries import actor_for
from patron.kernel.actor import ANONYMOUS, Actor


class ActorMiddleware:
    """Sets `request.actor` lazily: pages that never ask who it is cost no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def _actor_of(request: HttpRequest) -> Actor:
    user = request.user
    return actor_for(user) if isinstance(user, Staff) and user.is_active else ANONYMOUS
