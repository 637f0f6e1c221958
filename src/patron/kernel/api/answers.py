"""Every exception as a problem: refusals in their own words, faults of ours without a word of the inside."""

from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja.errors import HttpError, ValidationError

from patron.kernel.api.faults import faults_of
from patron.kernel.api.problems import UnreadableBody, problem, problem_of
from patron.kernel.errors import Conflict, DomainError, InvalidInput, NotFound
from patron.kernel.observability import failures

log = structlog.get_logger("patron.api")

TRY_AGAIN = _(
    "Something went wrong on our side. Nothing was changed. Try again, and give us request_id if it comes back."
)


def answer_exception(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The problem that `error` is."""
    if isinstance(error, type):
        error = error()
    if isinstance(error, DomainError):
        return problem_of(request, error)
    if isinstance(error, ValidationError):
        return problem(
            request,
            status=InvalidInput.status,
            code=InvalidInput.code,
            title=InvalidInput.message,
            errors=faults_of(_within_body(fault) for fault in error.errors),
        )
    if isinstance(error, Http404):
        return problem_of(request, NotFound())
    if isinstance(error, HttpError | SuspiciousOperation):
        return problem_of(request, UnreadableBody())
    if failures.is_database_failure(error):
        return failures.unavailable(request, error)
    if isinstance(error, DataError):
        # A value that the rules let through and the database cannot keep.
        log.warning("value refused by the database", exc_info=True)
        return problem_of(request, InvalidInput())
    if isinstance(error, IntegrityError):
        log.warning("row refused by the database", exc_info=True)
        return problem_of(request, Conflict())
    log.error("fault", exc_info=error)
    return problem(request, status=500, code="internal_error", title=TRY_AGAIN)


def _within_body(fault: dict[str, Any]) -> dict[str, Any]:
    """A fault of the body without the name of the endpoint's argument, which means nothing to the caller."""
    place, *path = fault["loc"]
    return {**fault, "loc": (place, *path[1:])} if place == "body" else fault
