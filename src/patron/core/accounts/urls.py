"""Addresses of sign-in and of the settings of staff and branches."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/keys/", include("patron.core.accounts.key_urls")),
]
