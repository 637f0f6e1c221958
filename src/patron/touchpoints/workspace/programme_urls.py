"""Addresses of the programme's set-up."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import programme, programme_builder

urlpatterns: list[URLPattern] = [
    path("loyalty/programme/", programme.programme, name="programme"),
    path("loyalty/programme/start/", programme.programme_start, name="programme-start"),
    path("loyalty/programme/find/", programme_builder.programme_find, name="programme-find"),
    path("loyalty/programme/<str:code>/edit/", programme_builder.programme_edit, name="programme-edit"),
    path("loyalty/programme/<str:code>/draft/", programme_builder.programme_draft, name="programme-draft"),
    path("loyalty/programme/<str:code>/simulate/", programme_builder.programme_simulate, name="programme-simulate"),
    path("loyalty/programme/<str:code>/publish/", programme.programme_publish, name="programme-publish"),
    path("loyalty/programme/<str:code>/settings/", programme.programme_settings, name="programme-settings"),
]
