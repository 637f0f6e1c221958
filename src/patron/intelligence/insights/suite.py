"""Running the analyses: each on its own, its results published whole or not at all. What `patron analyse` does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings

from patron.intelligence.insights.models import AnalysisRun
from patron.intelligence.insights.operations import record_analysis_run
from patron.intelligence.insights.queries import changed_parameters, warehouse_directory
from patron.intelligence.mining.errors import MiningError
from patron.intelligence.warehouse.engines.contract import DUCKDB, Engine, engine_name, open_engine
from patron.intelligence.warehouse.engines.duck import DuckEngine
from patron.intelligence.warehouse.manifest import Manifest, Table
from patron.intelligence.warehouse.reader import ANALYSES, Warehouse
from patron.intelligence.warehouse.store import Store
from patron.kernel import clock
from patron.kernel.actor import system

if TYPE_CHECKING:
    from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings

MEMORY_MB = 2500

Progress = Callable[[str, int, int], None]
"""Called with the analysis about to run, how many are done, and of how many."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one analysis: `status` as of `AnalysisRun`, `seconds`, and why where it was not promoted."""

    name: str
    status: str
    seconds: float
    why: str
    metrics: Mapping[str, Any]


def run_analyses(
    *,
    now: datetime,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
    among: Mapping[str, Analysis] | None = None,
) -> tuple[Outcome, ...]:
    """Run `names` (all, without any) on the published warehouse as of its day, one after the other.

    Each that succeeds, and is not worse than its baseline, is published at once: its marts atomically in a version of
    the results' own store, its insights in one transaction. One that fails or is worse leaves what was there, is
    recorded with the reason, and does not stop the others. `among` stands in for the registered analyses. Safe to
    repeat. Raises WarehouseMissing before the first refresh, RefreshRunning when analyses run already, KeyError for a
    name that there is not.
    """
    from patron.intelligence.insights.analyses.contract import Context
    from patron.intelligence.insights.analyses.registry import analyses, with_needs

    source = Store(warehouse_directory())
    manifest = source.current()
    known = analyses() if among is None else among
    chosen = list(known) if names is None else with_needs(names, known)
    results = Store(warehouse_directory() / ANALYSES)
    with results.locked():
        results.clear()
        with results.workplace() as work:
            engine = DuckEngine(memory_mb=MEMORY_MB, overflow=work / "overflow")
            engine.view(source.root, manifest.tables)
            engine.view(source.root, manifest.marts)
            if (former := results.current_or_none()) is not None:
                engine.view(results.root, former.marts)
            opened = _Spark(source, manifest, work / "overflow")
            context = Context(
                Warehouse(source.root, manifest, engine.connection),
                as_of=datetime.fromisoformat(str(manifest.facts["as_of"])).date(),
                currency=settings.CURRENCY,
                changed=changed_parameters(),
                engine=opened.engine,
            )
            suite = _Suite(results, manifest, engine, context)
            outcomes = []
            try:
                for place, name in enumerate(chosen):
                    if progress is not None:
                        progress(name, place, len(chosen))
                    outcomes.append(suite.run(known[name], now=now))
            finally:
                opened.close()
                engine.close()
        results.clear()
    return tuple(outcomes)


class _Spark:
    """The engine that the installation chose, where it is not the one in this process; opened when first asked for."""

    def __init__(self, source: Store, manifest: Manifest, overflow: Path) -> None:
        self._source = source
        self._manifest = manifest
        self._overflow = overflow
        self._opened: Engine | None = None

    def engine(self) -> Engine | None:
        if self._opened is None and engine_name() != DUCKDB:
            self._opened = open_engine(memory_mb=MEMORY_MB, overflow=self._overflow)
            self._opened.view(self._source.root, self._manifest.tables)
            self._opened.view(self._source.root, self._manifest.marts)
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


class _Suite:
    def __init__(self, results: Store, source: Manifest, engine: DuckEngine, context: Context) -> None:
        self._results = results
        self._source = source
        self._engine = engine
        self._context = context
        self._data_version = f"{source.version}-{source.mining_key}"

    def run(self, analysis: Analysis, *, now: datetime) -> Outcome:
        """Find, judge, publish, record."""
        begun = time.perf_counter()
        self._context.running = analysis.name
        if waiting := self._lacking(analysis):
            why = f"It waits for results of: {', '.join(waiting)}."
            return self._recorded(analysis, now, begun, status=AnalysisRun.REFUSED, why=why)
        try:
            findings = analysis.find(self._context)
            tables = self._written(analysis, findings)
        except MiningError as error:
            return self._recorded(analysis, now, begun, status=AnalysisRun.REFUSED, why=str(error))
        except Exception as error:
            # One broken analysis must not stop the others: it is logged and shown.
            log.exception("analysis_failed", analysis=analysis.name)
            self._engine.abandon()
            return self._recorded(
                analysis, now, begun, status=AnalysisRun.FAILED, why=f"{type(error).__name__}: {error}"
            )
        holds = findings.proof is None or findings.proof.holds
        if holds:
            self._publish(analysis, findings, tables, now)
        for name in findings.large.values():
            self._engine.unregister(name)
        status = AnalysisRun.PROMOTED if holds else AnalysisRun.KEPT_BACK
        why = findings.proof.sentence() if findings.proof is not None else ""
        return self._recorded(analysis, now, begun, status=status, why=why, findings=findings)

    def _lacking(self, analysis: Analysis) -> list[str]:
        """The analyses it needs that have no results: kept back or refused, with nothing from an earlier night."""
        published = self._results.current_or_none()
        there = published.facts if published is not None else {}
        return [need for need in analysis.needs if need not in there]

    def _written(self, analysis: Analysis, findings: Findings) -> dict[str, Table]:
        from patron.intelligence.insights.analyses.contract import INSIGHTS
        from patron.intelligence.insights.marts.writing import write_mart

        missing = {mart.name for mart in analysis.marts} ^ ({*findings.tables, *findings.large} - {INSIGHTS})
        if missing:
            raise TypeError(f"{analysis.name} declares and gives different marts: {', '.join(sorted(missing))}")
        tables = {}
        for mart in analysis.marts:
            if large := findings.large.get(mart.name):
                query = f'SELECT * FROM "{large}"'  # noqa: S608 (a table of the analysis's own)
                tables[mart.name] = write_mart(self._results, self._engine, mart, [query])
                continue
            self._engine.register("found", findings.tables[mart.name])
            tables[mart.name] = write_mart(self._results, self._engine, mart, ["SELECT * FROM found"])
            self._engine.unregister("found")
        return tables

    def _publish(self, analysis: Analysis, findings: Findings, tables: Mapping[str, Table], now: datetime) -> None:
        from patron.core.customers.operations.insights import publish_insights
        from patron.intelligence.insights.analyses.contract import INSIGHTS

        insights = findings.insights
        if large := findings.large.get(INSIGHTS):
            insights = self._engine.batches(f'SELECT * FROM "{large}"')  # noqa: S608 (as above)
        if insights is not None:
            publish_insights(
                actor=system("analyses"),
                now=now,
                model=analysis.name,
                as_of=self._context.as_of,
                table=insights,
                parameters=_plain(findings.parameters),
                metrics=_plain(findings.metrics),
                data_version=self._data_version,
            )
        before = self._results.current_or_none()
        told = {
            "as_of": self._context.as_of.isoformat(),
            "until": self._context.until.isoformat(),
            "computed_at": clock.now().isoformat(),
            "data_version": self._data_version,
            "parameters": _plain(findings.parameters),
            "metrics": _plain(findings.metrics),
            "notes": list(findings.notes),
        }
        if before is None:
            self._results.publish(
                Manifest(
                    version=1,
                    taken_at=self._source.taken_at,
                    snapshot=self._source.snapshot,
                    fingerprint=self._source.fingerprint,
                    marts=tables,
                    facts={analysis.name: told},
                )
            )
        else:
            self._results.publish(
                replace(
                    before,
                    version=before.version + 1,
                    taken_at=self._source.taken_at,
                    snapshot=self._source.snapshot,
                    marts={**before.marts, **tables},
                    facts={**before.facts, analysis.name: told},
                )
            )
        self._engine.view(self._results.root, tables)

    def _recorded(
        self,
        analysis: Analysis,
        now: datetime,
        begun: float,
        *,
        status: str,
        why: str,
        findings: Findings | None = None,
    ) -> Outcome:
        seconds = time.perf_counter() - begun
        proof = findings.proof if findings is not None else None
        metrics = _plain(findings.metrics) if findings is not None else {}
        record_analysis_run(
            actor=system("analyses"),
            now=now,
            model=analysis.name,
            as_of=self._context.as_of,
            data_version=self._data_version,
            status=status,
            why=why,
            seconds=seconds,
            parameters=_plain(findings.parameters) if findings is not None else {},
            metrics=metrics,
            notes=list(findings.notes) if findings is not None else [],
            metric=proof.metric if proof is not None else "",
            value=_finite(proof.value) if proof is not None else None,
            baseline=_finite(proof.baseline) if proof is not None else None,
            higher_is_better=proof.higher_is_better if proof is not None else True,
        )
        return Outcome(analysis.name, status, seconds, why, metrics)


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds them: numbers of numpy as Python's, what is no number as nothing."""
    plain = {}
    for name, value in figures.items():
        own = value.item() if hasattr(value, "item") else value
        plain[name] = _finite(own) if isinstance(own, float) else own
    return plain


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
