"""One run of the extraction: decide what to read, read it, reconcile. Publishing is the caller's. No Django."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from patron.intelligence.warehouse.errors import ReconciliationFailed
from patron.intelligence.warehouse.manifest import Manifest, Table
from patron.intelligence.warehouse.retention import keep_months as retention_setting
from patron.intelligence.warehouse.retention import kept_from
from patron.intelligence.warehouse.source import Source, differences
from patron.intelligence.warehouse.store import Store
from patron.kernel.exports import Export

Mode = Literal["full", "incremental", "unchanged"]
Progress = Callable[[str, int, int], None]

#: Putting in changes costs more than reading anew when so much has changed.
CHANGES_AT_MOST = 500_000
CHANGES_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Update:
    """What a run found. `manifest` is the version to be published; for `unchanged` it is the one that is current.

    `reason` says why everything was read anew, empty otherwise. `differences` are those that made a full run of an
    incremental one. `seconds` are by step.
    """

    mode: Mode
    manifest: Manifest
    reason: str
    rows_read: int
    differences: Mapping[str, str]
    seconds: Mapping[str, float]


def update(
    store: Store,
    exports: Sequence[Export],
    conninfo: str,
    *,
    zone: str,
    now: datetime,
    today: date,
    work: Path,
    full: bool = False,
    keep_months: int | None = None,
    progress: Progress | None = None,
) -> Update:
    """Read what the database has committed into parts of `store`, and prove that nothing is missing.

    The caller holds the lock of `store`. Everything comes from one snapshot, which is kept with the version: next time
    all that it did not see is read, so that a transaction that commits late is found whatever its number. After
    reading, totals of database and warehouse are compared: when they differ everything is read anew, and
    ReconciliationFailed is raised when even that does not help. Safe to repeat after a crash at any point.

    Details older than `keep_months` (by default what the setting says, all when nothing is set) are let go once they
    are proven complete. How much of months that were over has changed is added to the table of corrections.
    """
    kept = kept_from(today, keep_months if keep_months is not None else retention_setting())
    seconds: dict[str, float] = {}
    clock = _Stopwatch(seconds)
    previous = store.current_or_none()
    with Source(conninfo, zone=zone) as source:
        fingerprint = source.fingerprint(exports)
        expected = {export.name: source.totals(export) for export in exports}
        clock.lap("look")
        reason = _reason_for_full(previous, source, exports, fingerprint, full=full, kept=kept)
        changed: list[Export] = []
        if not reason and previous is not None:
            changed = [each for each in exports if _is_changed(each, source, previous, expected[each.name])]
            if not changed and not _all_differences(expected, previous.tables):
                clock.lap("look")
                return Update("unchanged", previous, "", 0, {}, seconds)
            reason = _reason_by_amount(previous, source, changed)
        clock.lap("look")
        draft = Manifest(
            version=(store.current_version() or 0) + 1,
            taken_at=now.isoformat(),
            snapshot=source.position.snapshot,
            fingerprint=fingerprint,
        )
        if previous is not None:
            draft = replace(draft, marts=previous.marts, mining_key=previous.mining_key, facts=previous.facts)

        from patron.intelligence.warehouse.loading import Loader

        loader = Loader(source, store, work, progress=progress)
        try:
            found: dict[str, str] = {}
            tables: dict[str, Table] = {}
            mode: Mode = "full"
            if not reason and previous is not None:
                tables = loader.changes(changed, previous.tables, since=previous.snapshot)
                mode = "incremental"
                clock.lap("read")
                found = _all_differences(expected, tables)
                if found:
                    reason = "totals differed from the database's"
            if reason:
                mode = "full"
                tables = loader.everything(exports, expected)
                clock.lap("read")
                if wrong := _all_differences(expected, tables):
                    raise ReconciliationFailed(wrong)
            calendar = previous.tables.get("dates") if previous is not None else None
            tables["dates"] = loader.dates(tables, last_year=today.year, there=calendar)
            clock.lap("dates")
            tables = loader.let_go(exports, tables, kept=kept)
            tables["corrections"] = loader.corrections(
                tables,
                previous.tables if previous is not None else {},
                version=draft.version,
                noticed_on=today,
                known_on=_day(previous.taken_at, zone) if previous is not None else today,
            )
            clock.lap("corrections")
            return Update(mode, replace(draft, tables=tables), reason, loader.rows_read, found, seconds)
        finally:
            loader.close()


def _reason_for_full(
    previous: Manifest | None, source: Source, exports: Sequence[Export], fingerprint: str, *, full: bool, kept: str
) -> str:
    if full:
        return "asked for"
    if previous is None:
        return "the first version"
    if previous.fingerprint != fingerprint or any(export.name not in previous.tables for export in exports):
        return "the database or the contract is another one than last time"
    if any(table.kept_from > kept for table in previous.tables.values()):
        return "months that were let go are to be kept again"
    if int(previous.snapshot.split(":")[1]) > source.position.before:
        return "the database is older than the last version: it was restored"
    return ""


def _reason_by_amount(previous: Manifest, source: Source, changed: Sequence[Export]) -> str:
    for export in changed:
        if export.load == "replace":
            continue
        limit = max(CHANGES_AT_MOST, int(previous.tables[export.name].rows * CHANGES_SHARE))
        # A detail is counted by its parent; it has several rows for each.
        if source.count_changed(export, previous.snapshot, at_most=limit) >= limit:
            return f"most of {export.name} has changed"
    return ""


def _is_changed(export: Export, source: Source, previous: Manifest, expected: Mapping[str, str]) -> bool:
    """Whether something of it was written; of a table that is read whole, also whether rows were deleted."""
    if export.load == "replace" and differences(expected, previous.tables[export.name].totals):
        return True
    return source.has_changed(export, previous.snapshot)


def _all_differences(expected: Mapping[str, Mapping[str, str]], tables: Mapping[str, Table]) -> dict[str, str]:
    return {
        f"{name}.{total}": what
        for name, totals in expected.items()
        for total, what in differences(totals, tables[name].totals).items()
    }


def _day(instant: str, zone: str) -> date:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).date()


class _Stopwatch:
    """Adds the time since the last lap to a step."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        at = time.perf_counter()
        self._seconds[step] = self._seconds.get(step, 0.0) + at - self._last
        self._last = at
