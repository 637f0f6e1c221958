"""Addresses for those who watch over the installation."""

from django.urls import path

from patron.kernel.observability import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.show_metrics, name="metrics"),
]
