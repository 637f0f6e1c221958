"""The addresses of version 1 of the API, for the project's URLconf to include below `api/v1/`."""

from django.urls import URLPattern, URLResolver, include, path

from patron.touchpoints.api import views
from patron.touchpoints.api.root import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", views.openapi, name="api-openapi"),
    path("docs", views.reference, name="api-reference"),
    path("passes/", include("patron.touchpoints.api.passes")),  # for phones: without a key
    path("", api.urls),
]
