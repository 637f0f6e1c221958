"""What someone sees who has tried too many passwords."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def lockout(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """The sign-in page again, saying how long to wait; status 429."""
    return render(request, "accounts/pages/locked_out.html", status=429)
