"""The refresh: extract, mine, publish. What the hourly job and `patron refresh` do.

Light to import: what takes seconds to load is loaded only when there is work for it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from patron.intelligence.insights.queries import changed_parameters, latest_runs, warehouse_directory
from patron.intelligence.warehouse.manifest import Manifest
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.update import Update, update
from patron.kernel import clock
from patron.kernel.actor import system
from patron.kernel.exports import exports

#: Changes with the meaning of marts and insights: all are made anew then.
MARTS_VERSION = 3
PUBLISHED_MODELS = ("value", "lifecycle")

Progress = Callable[[str, int, int], None]
"""Called with the step, how much of it is done, and of how much (0: not known)."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One published model: its figures, and what became of its insights."""

    model: str
    metrics: Mapping[str, Any]
    added: int
    changed: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh did.

    `mode` is `full`, `incremental` or `unchanged`; `reason` says why everything was read anew. `totals` are the
    figures found equal in database and warehouse, by table; `differences` those that made a full run necessary.
    `models` is empty when nothing had to be published. `seconds` are by step.
    """

    mode: str
    reason: str
    version: int
    as_of: date
    rows_read: int
    totals: Mapping[str, Mapping[str, str]]
    differences: Mapping[str, str]
    mined: bool
    models: tuple[ModelSummary, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0


def refresh(*, now: datetime, full: bool = False, progress: Progress | None = None) -> RefreshReport:
    """Bring warehouse, marts and published insights up to date with what the database has committed.

    Figures are as of today in the house's calendar, today's purchases so far included. With nothing new in data,
    parameters or day it ends after a look. `full` reads everything anew. One refresh runs at a time: raises
    RefreshRunning otherwise; ReconciliationFailed when the data cannot be proven complete, and nothing is published
    then. Safe to repeat after a crash at any point.
    """
    begun = time.perf_counter()
    store = Store(warehouse_directory())
    as_of = clock.today(now)
    tell = progress or _silent
    with store.locked():
        store.clear()
        with store.workplace() as work:
            tell("look", 0, 0)
            found = update(
                store,
                tuple(exports),
                conninfo(),
                zone=settings.TIME_ZONE,
                now=now,
                today=as_of,
                work=work,
                full=full,
                progress=tell,
            )
            seconds = dict(found.seconds)
            parameters = changed_parameters()
            key = _mining_key(found.manifest, as_of, parameters)
            manifest, mined = _version(store, found, key, as_of, parameters, work, tell, seconds)
            models = _publish(store, manifest, now, tell, seconds)
        if found.mode == "unchanged" and not mined:
            store.note_checked(manifest.version, now.isoformat())
        if manifest.version != found.manifest.version or found.mode != "unchanged":
            store.clear()
    return RefreshReport(
        mode=found.mode,
        reason=found.reason,
        version=manifest.version,
        as_of=as_of,
        rows_read=found.rows_read,
        totals={name: table.totals for name, table in manifest.tables.items() if "count" in table.totals},
        differences=found.differences,
        mined=mined,
        models=models,
        seconds=seconds,
        total_seconds=time.perf_counter() - begun,
    )


def conninfo() -> str:
    """How to reach the database of Django's settings, for connections that are not Django's."""
    set_up = connection.settings_dict
    options = {name: value for name, value in set_up["OPTIONS"].items() if isinstance(value, str)}
    given = {
        "host": set_up["HOST"],
        "port": set_up["PORT"],
        "dbname": set_up["NAME"],
        "user": set_up["USER"],
        "password": set_up["PASSWORD"],
    }
    return make_conninfo("", **{**options, **{name: value for name, value in given.items() if value}})


def _version(
    store: Store,
    found: Update,
    key: str,
    as_of: date,
    parameters: Mapping[str, Mapping[str, Any]],
    work: Path,
    tell: Progress,
    seconds: dict[str, float],
) -> tuple[Manifest, bool]:
    """The version to be read from now on, and whether its marts are new."""
    manifest = found.manifest
    if manifest.mining_key == key:
        if found.mode != "unchanged":
            store.publish(manifest)
        return manifest, False

    from patron.intelligence.insights.mine import mine

    tell("mine", 0, 0)
    done = mine(store, manifest, as_of=as_of, currency=settings.CURRENCY, parameters=parameters, work=work)
    seconds.update({f"mine {step}": spent for step, spent in done.seconds.items()})
    facts = {
        "as_of": as_of.isoformat(),
        "models": {
            name: {"parameters": dict(run.parameters), "metrics": dict(run.metrics)} for name, run in done.runs.items()
        },
    }
    version = manifest.version + 1 if found.mode == "unchanged" else manifest.version
    manifest = replace(manifest, version=version, marts=done.marts, mining_key=key, facts=facts)
    store.publish(manifest)
    return manifest, True


def _publish(
    store: Store, manifest: Manifest, now: datetime, tell: Progress, seconds: dict[str, float]
) -> tuple[ModelSummary, ...]:
    """Publish the insights of every model whose last run was of other marts: also of a run that was killed before."""
    runs = latest_runs()
    wanted = f"{manifest.mining_key}"
    stale = [model for model in PUBLISHED_MODELS if model not in runs or not runs[model].data_version.endswith(wanted)]
    if not stale:
        return ()

    from patron.core.customers.operations.insights import publish_insights
    from patron.intelligence.insights.publishing import PUBLICATIONS, insights_of
    from patron.intelligence.warehouse.reader import open_warehouse

    warehouse = open_warehouse(store.root)
    summaries = []
    told: Any = manifest.facts["models"]
    for publication in PUBLICATIONS:
        if publication.model not in stale:
            continue
        begun = time.perf_counter()
        tell(f"publish {publication.model}", 0, 0)
        model = told[publication.model]
        done = publish_insights(
            actor=system("refresh"),
            now=now,
            model=publication.model,
            as_of=date.fromisoformat(str(manifest.facts["as_of"])),
            table=insights_of(warehouse, publication),
            parameters=model["parameters"],
            metrics=model["metrics"],
            data_version=f"{manifest.version}-{wanted}",
        )
        summaries.append(
            ModelSummary(publication.model, model["metrics"], done.added, done.changed, done.removed, done.unchanged)
        )
        seconds[f"publish {publication.model}"] = time.perf_counter() - begun
    return tuple(summaries)


def _mining_key(manifest: Manifest, as_of: date, parameters: Mapping[str, Mapping[str, Any]]) -> str:
    """Names everything that marts and insights depend on."""
    basis = [MARTS_VERSION, manifest.data_digest, as_of.isoformat(), settings.CURRENCY, parameters]
    return sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]


def _silent(_step: str, _done: int, _total: int) -> None:
    """No progress is shown."""
