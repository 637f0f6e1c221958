"""Refusals become answers: the same words on a page, in a toast, and in the API."""

import json

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme

from patron.kernel.errors import DomainError
from patron.kernel.ui.pages import wants_fragment


class DomainErrorMiddleware(MiddlewareMixin):
    """Answer a view that raised a `DomainError` with the error's own status and words."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return refusal(request, exception) if isinstance(exception, DomainError) else None


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to what `error` refused: an error page, or problem+json, which the shell shows as a toast."""
    message = str(error.message)
    if wants_fragment(request):
        problem = {
            "type": f"urn:patron:problem:{error.code}",
            "title": message,
            "status": error.status,
            "detail": message,
            "code": error.code,
        }
        return HttpResponse(json.dumps(problem), content_type="application/problem+json", status=error.status)
    context = {"message": message, "status": error.status, "back_url": _came_from(request)}
    return render(request, "ui/refused.html", context, status=error.status)


def _came_from(request: HttpRequest) -> str:
    """The page of ours that the user was on, to offer as the way back."""
    address = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if ours and address != request.build_absolute_uri() else ""
