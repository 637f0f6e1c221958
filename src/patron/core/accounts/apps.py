from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "patron.core.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
