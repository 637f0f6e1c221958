from django.apps import AppConfig


class TillsConfig(AppConfig):
    name = "patron.business.tills"
    label = "tills"
    default_auto_field = "django.db.models.BigAutoField"
