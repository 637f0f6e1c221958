from django.apps import AppConfig


class WarehouseConfig(AppConfig):
    name = "patron.intelligence.warehouse"
    label = "warehouse"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from patron.intelligence.warehouse import checks  # noqa: F401 (registers them)
