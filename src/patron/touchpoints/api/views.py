"""The API's description: for machines as OpenAPI 3.1, for people as a page."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import reverse

from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.api.description import DESCRIPTION
from patron.touchpoints.api.reference import chapters
from patron.touchpoints.api.root import api


def openapi_document() -> Any:
    """The OpenAPI document, with the addresses under which the API stands here."""
    return api.get_openapi_schema(path_prefix=reverse("api:api-root"))


@page(public=True)
def openapi(request: PageRequest) -> HttpResponse:  # noqa: ARG001
    """The OpenAPI document."""
    return JsonResponse(openapi_document(), json_dumps_params={"ensure_ascii": False})


@page(public=True)
def reference(request: PageRequest) -> HttpResponse:
    """The reference, written by the server: it needs neither scripts nor anybody else's server."""
    host = f"{request.scheme}://{request.get_host()}"
    context = {"chapters": chapters(openapi_document(), host=host), "paragraphs": DESCRIPTION.strip().split("\n\n")}
    return show(request, "api/pages/reference.html", context)
