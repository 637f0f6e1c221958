"""The outermost middleware: gives each request an id, and tells afterwards what it cost."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject, empty

from patron.kernel.actor import Actor
from patron.kernel.observability import failures, metrics
from patron.kernel.observability.queries import tallied

log = structlog.get_logger("patron.access")

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), "
    "microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
"""Security headers that neither Django nor django-csp sets."""


class RequestMiddleware:
    """Must stand first in MIDDLEWARE, so that it sees every answer, those of other middleware among them.

    Accepts the caller's `X-Request-Id` when it is 8 to 64 letters, digits, dots, dashes or underscores; makes one
    otherwise. The id is `request.request_id`, stands on every log line of the request, and goes back in the answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _request_id(request)
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, path=request.path)
        started = time.perf_counter()
        with tallied() as tally:
            response = self.get_response(request)
        seconds = time.perf_counter() - started

        response.headers["X-Request-Id"] = request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        route, method = _route(request), request.method if request.method in _METHODS else "other"
        metrics.REQUESTS.labels(route, method, str(response.status_code)).observe(seconds)
        metrics.QUERIES.inc(tally.count)
        metrics.QUERY_SECONDS.inc(tally.seconds)
        level = "debug" if request.path in _QUIET_PATHS and response.status_code < 400 else "info"
        getattr(log, level)(
            "request",
            method=method,
            route=route,
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
            queries=tally.count,
            query_ms=round(tally.seconds * 1000, 1),
            actor=_actor(request),
        )
        structlog.contextvars.clear_contextvars()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A view that the database let down is answered 503; whatever else, Django answers 500."""
        return failures.unavailable(request, exception) if failures.is_database_failure(exception) else None


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _SANE_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _route(request: HttpRequest) -> str:
    """The pattern of the address, so that the number of different values stays small."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "(none)"


def _actor(request: HttpRequest) -> str:
    """Who acted, if anybody asked: a page that never looked must not pay a query for the log."""
    actor = getattr(request, "actor", None)
    if isinstance(actor, LazyObject):
        actor = None if actor._wrapped is empty else actor._wrapped
    return actor.reference if isinstance(actor, Actor) else ""
