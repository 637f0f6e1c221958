from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "patron.intelligence.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"
