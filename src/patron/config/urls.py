"""Every address of the installation."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from patron.kernel.ui.pages import page

urlpatterns: list[URLPattern | URLResolver] = [
    path("language/", page(public=True)(set_language), name="set_language"),
    path("", include("patron.kernel.ui.urls")),
    path("", include("patron.core.accounts.urls")),
    path("", include("patron.touchpoints.workspace.urls")),
    path("api/v1/", include("patron.touchpoints.api.urls")),
    path("", include("patron.kernel.observability.urls")),
]
