"""Answers to what went wrong beyond the user's doing: the database down (503), a fault of ours (500).

They need neither database nor session, so they work when nothing else does.
"""

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.kernel.api.problems import problem
from patron.kernel.observability import metrics

RETRY_AFTER_SECONDS = 5
UNAVAILABLE = _(
    "The database is not answering just now. No change is ever half kept: try again in a moment, and look whether "
    "your last change is there."
)
FAULT = _("Something went wrong on our side. Try again; if it comes back, give an administrator the number below.")

log = structlog.get_logger("patron.failures")


def is_database_failure(error: BaseException | None) -> bool:
    """Whether the database could not do its part: gone, starting, out of connections or space, a broken lock wait."""
    return isinstance(error, OperationalError | InterfaceError)


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """503 for a request during which the database failed."""
    metrics.DATABASE_FAILURES.inc()
    first_line = next(iter(str(error).splitlines()), "")
    log.error("database failure", error=type(error).__name__, cause=type(error.__cause__).__name__, message=first_line)
    response = _answer(request, status=503, code="unavailable", message=UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: 503 when the database failed, else 500 with the request's id and nothing internal."""
    error = sys.exc_info()[1]
    if error is not None and is_database_failure(error):
        return unavailable(request, error)
    return _answer(request, status=500, code="internal_error", message=FAULT)


def wants_problem(request: HttpRequest) -> bool:
    """Whether a program asks (the API, or HTMX, whose shell shows problems as toasts) and not a person's browser."""
    return (
        request.path.startswith("/api/")
        or request.headers.get("HX-Request") == "true"
        or "text/html" not in request.headers.get("Accept", "text/html")
    )


def _answer(request: HttpRequest, *, status: int, code: str, message: str | Promise) -> HttpResponse:
    request_id = str(getattr(request, "request_id", ""))
    if wants_problem(request):
        return problem(request, status=status, code=code, title=message)
    # Rendered without the request: the shell around other pages would ask the database who is signed in.
    page = render_to_string(
        "observability/failed.html", {"message": message, "status": status, "request_id": request_id}
    )
    return HttpResponse(page, status=status)
