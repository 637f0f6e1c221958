"""What every request to the API passes before its endpoint runs: key, rate, body, and answers given once."""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from patron.core.accounts.keys import actor_for_key, identify_key
from patron.core.accounts.operations.keys import note_key_use
from patron.kernel import clock
from patron.kernel.actor import Actor, system
from patron.kernel.api.answers import answer_exception
from patron.kernel.api.idempotency import answer_once
from patron.kernel.api.problems import MEDIA_TYPE, MethodNotAllowed, TooManyRequests, Unauthorised, problem_of
from patron.kernel.api.rates import Allowance, count_request
from patron.kernel.api.reading import is_printable, read_body, require_printable
from patron.kernel.errors import NotFound, PermissionRefused

FAILED_ATTEMPTS_PER_MINUTE = 30
"""Requests without a valid key that one address may make in a minute."""

View = Callable[..., HttpResponseBase]


class ApiRequest(HttpRequest):
    """The request an endpoint gets."""

    actor: Actor
    now: datetime
    allowance: Allowance
    json_body: Any


class MissingScope(PermissionRefused):
    """The key is valid but was not given this."""

    code = "missing_scope"
    message = _("This key may not do that: it lacks the scope named in the details. Use a key that has it.")


class Key(HttpBearer):
    """An integration key with the scope that the endpoint needs."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor:
        """The gate has found out who asks; here is what they may do. Raises MissingScope."""
        actor: Actor = request.actor  # type: ignore[attr-defined]
        if not actor.can(self.scope):
            raise MissingScope(details={"scope": self.scope})
        return actor

    def authenticate(self, request: HttpRequest, token: str) -> None:
        """Never called: the gate reads the header."""


def guarded(view: View) -> View:
    """`view` behind the gate; whatever it raises becomes a problem."""

    @functools.wraps(view)
    def run(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = _pass(request, lambda: view(request, *args, **kwargs))
        except Exception as error:  # noqa: BLE001 (the one place where everything becomes an answer)
            response = answer_exception(request, error)
        return _finish(request, response)

    run.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens this door
    return run


def no_such_address(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The answer to every address below the API that is none."""
    raise NotFound


def _pass(request: ApiRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    if not is_printable(request.path):
        raise NotFound
    request.now = clock.now()
    rate_per_minute = _identify(request)
    owner = request.actor.reference
    request.allowance = count_request(owner, limit=rate_per_minute, now=request.now)
    if request.allowance.exceeded:
        raise TooManyRequests(retry_after=request.allowance.resets_in_seconds)
    for name, values in request.GET.lists():
        require_printable({name: values}, place="query")
    request.json_body = read_body(request)
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return view()
    return answer_once(request, view, owner=owner, key=key)


def _identify(request: ApiRequest) -> int:
    """Put the actor on the request; returns how many requests a minute the key may make. Raises Unauthorised."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    key = identify_key(token.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        attempts = count_request(
            f"address:{request.META.get('REMOTE_ADDR', '')}", limit=FAILED_ATTEMPTS_PER_MINUTE, now=request.now
        )
        if attempts.exceeded:
            raise TooManyRequests(retry_after=attempts.resets_in_seconds)
        raise Unauthorised
    request.actor = actor_for_key(key)
    structlog.contextvars.bind_contextvars(actor=request.actor.reference)
    today = clock.today(request.now)
    if key.last_used_on is None or key.last_used_on < today:
        note_key_use(key_id=key.pk, used_on=today, actor=system("api"), now=request.now)
    return key.rate_per_minute


def _finish(request: ApiRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code == 405 and response.headers.get("Content-Type") != MEDIA_TYPE:
        allowed = response.headers["Allow"]
        response = problem_of(request, MethodNotAllowed(details={"allowed": allowed}))
        response.headers["Allow"] = allowed
    # Personal data must not stay in caches on the way.
    response.headers.setdefault("Cache-Control", "no-store")
    allowance = getattr(request, "allowance", None)
    if allowance is not None:
        for name, value in allowance.headers().items():
            response.headers[name] = value
    return response
