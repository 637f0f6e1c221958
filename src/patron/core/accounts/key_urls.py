"""Addresses of the settings of integration keys, for the room's own URLconf to include."""

from django.urls import path

from patron.core.accounts.views import keys

urlpatterns = [
    path("", keys.integration_keys, name="integration-keys"),
    path("<int:key_id>/revoke/", keys.revoke, name="revoke-integration-key"),
]
