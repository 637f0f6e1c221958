"""A few addresses for the tests of what surrounds every request."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from patron.kernel.errors import Conflict

handler500 = "patron.kernel.observability.failures.server_error"


def twice(request: HttpRequest, number: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [number])
        cursor.execute("SELECT %s", ["secret of Ms Wong"])
    return HttpResponse("ok")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the inner workings")


def refused(request: HttpRequest) -> HttpResponse:
    raise Conflict


urlpatterns = [
    path("", include("patron.kernel.observability.urls")),
    path("twice/<int:number>/", twice),
    path("broken/", broken),
    path("api/broken/", broken),
    path("refused/", refused),
]
