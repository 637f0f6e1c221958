"""What can go wrong with the warehouse; each message says what to do."""

from collections.abc import Mapping


class WarehouseError(RuntimeError):
    """The warehouse cannot do what was asked."""


class WarehouseMissing(WarehouseError):
    """Nothing has been published yet."""

    def __init__(self) -> None:
        super().__init__("There is no warehouse yet. Run `patron refresh` once data has been imported.")


class RefreshRunning(WarehouseError):
    """Another process is refreshing."""

    def __init__(self) -> None:
        super().__init__("A refresh is already running. Wait until it has finished.")


class ReconciliationFailed(WarehouseError):
    """Database and warehouse disagree even after everything was read anew; nothing was published."""

    def __init__(self, differences: Mapping[str, str]) -> None:
        self.differences = dict(differences)
        lines = "; ".join(f"{name}: {what}" for name, what in differences.items())
        super().__init__(
            f"Database and warehouse do not agree after a full refresh ({lines}). The last good version stays in use. "
            "Check the export's SELECT against its totals."
        )
