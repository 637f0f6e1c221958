from django.apps import AppConfig


class PurchasesConfig(AppConfig):
    name = "patron.business.purchases"
    label = "purchases"
    default_auto_field = "django.db.models.BigAutoField"
