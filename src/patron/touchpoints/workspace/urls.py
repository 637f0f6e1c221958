"""Addresses of the workspace."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import home, inventory, vips

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("insight/vips/", vips.vips, name="vips"),
    path("insight/vips.<slug:file_format>", vips.vips_export, name="vips-export"),
    path("insight/inventory/", inventory.customer_inventory, name="inventory"),
]
