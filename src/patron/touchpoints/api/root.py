"""Version 1 of the API: its endpoints, its description, and the gate before all of them."""

from typing import Any

from django.http import Http404
from django.urls import URLPattern, URLResolver, re_path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from patron.kernel.api.answers import answer_exception
from patron.kernel.api.reading import StrictParser
from patron.touchpoints.api.description import DESCRIPTION, described
from patron.touchpoints.api.endpoints import (
    branches,
    cards,
    customers,
    gifts,
    insights,
    loyalty_events,
    points,
    pos,
    products,
    purchases,
    wallet,
)
from patron.touchpoints.api.gate import guarded, no_such_address


class PatronAPI(NinjaAPI):
    """Every address goes through the gate; addresses that do not exist are answered there as well."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        behind_the_gate = [
            URLPattern(pattern.pattern, guarded(pattern.callback), pattern.default_args, pattern.name)
            for pattern in patterns
            if isinstance(pattern, URLPattern)
        ]
        return [*behind_the_gate, re_path(r"", guarded(no_such_address))], app_name, namespace

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)

    def get_openapi_schema(self, **options: Any) -> Any:
        return described(super().get_openapi_schema(**options))


api = PatronAPI(
    title="Patron",
    version="1.0.0",
    description=DESCRIPTION,
    openapi_url=None,  # served by urls.py, without a key
    docs_url=None,
    urls_namespace="api",
    parser=StrictParser(),
)
for kind in (Exception, Http404, HttpError, ValidationError):
    api.add_exception_handler(kind, answer_exception)
for room in (customers, products, branches, purchases, points, pos, loyalty_events, cards, gifts, insights, wallet):
    api.add_router("", room.router)
