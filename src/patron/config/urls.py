"""Every address of the installation."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("patron.kernel.ui.urls")),
    path("", include("patron.core.accounts.urls")),
    path("", include("patron.touchpoints.workspace.urls")),
    path("api/v1/", include("patron.touchpoints.api.urls")),
    path("", include("patron.kernel.observability.urls")),
]

handler500 = "patron.kernel.observability.failures.server_error"
