"""Start-up of the kernel: find what the rooms declare."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from patron.kernel.registries import DECLARING_MODULES


class KernelConfig(AppConfig):
    name = "patron.kernel"
    label = "kernel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from patron.kernel.observability import logs, queries

        logs.configure()
        queries.watch_connections()
        for config in apps.get_app_configs():
            if not config.name.startswith("patron.") or config.module is None:
                continue
            for name in DECLARING_MODULES:
                if module_has_submodule(config.module, name) and find_spec(f"{config.name}.{name}"):
                    import_module(f"{config.name}.{name}")
        import_module("patron.kernel.intake.job")
        import_module("patron.kernel.intake.exports")
        from patron.kernel import checks  # noqa: F401 (registers the system checks once everything is declared)
