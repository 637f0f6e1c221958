"""What the warehouse says to those who watch over the installation: whether it can be read, and how old it is."""

import os
from datetime import datetime
from pathlib import Path

from django.conf import settings

from patron.intelligence.warehouse.store import Store
from patron.kernel import clock
from patron.kernel.observability.health import ReadinessCheck, readiness
from patron.kernel.observability.metrics import Gauge, gauges


def _root() -> Path:
    return Path(settings.WAREHOUSE_DIRECTORY)


def directory_fault() -> str:
    """Before the first refresh there is no directory yet; then it must be possible to make it."""
    root = _root()
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return "the warehouse directory cannot be read and written: see PATRON_WAREHOUSE"
    store = Store(root)
    if store.current_version() is not None and store.current_or_none() is None:
        return "files of the warehouse are missing: run patron refresh"
    return ""


def age_seconds() -> dict[str, float]:
    """Seconds since the warehouse was last known to hold everything; nothing before the first refresh."""
    store = Store(_root())
    manifest = store.current_or_none()
    if manifest is None:
        return {}
    known_at = max(datetime.fromisoformat(at) for at in (manifest.taken_at, store.checked_at()) if at)
    return {"": (clock.now() - known_at).total_seconds()}


readiness.register(ReadinessCheck("warehouse", directory_fault))
gauges.register(
    Gauge("patron_warehouse_age_seconds", "Seconds since the warehouse last agreed with the database.", age_seconds)
)
