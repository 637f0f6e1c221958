from django.apps import AppConfig


class StoredValueConfig(AppConfig):
    name = "patron.business.storedvalue"
    label = "storedvalue"
    default_auto_field = "django.db.models.BigAutoField"
