"""The tables of a new version: all of them read anew, or what changed put in. No Django.

Imported only when there is something to read: DuckDB and Arrow take longer to load than finding out that nothing did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.corrections import CORRECTIONS_COLUMNS, corrections_sql
from patron.intelligence.warehouse.dates import DATES_COLUMNS, dates_sql
from patron.intelligence.warehouse.extraction import Extractor, Progress, Slice, describe, slices_of
from patron.intelligence.warehouse.manifest import Table, columns_sql
from patron.intelligence.warehouse.merging import compacted, merge
from patron.intelligence.warehouse.retention import added
from patron.intelligence.warehouse.source import Source, plain
from patron.intelligence.warehouse.store import Store
from patron.kernel.exports import Export, columns_of

MEMORY_MB = 1500
CORRECTIONS = "corrections"

Totals = Mapping[str, Mapping[str, str]]


class Loader:
    """Fills tables from one snapshot. `work` is where DuckDB may overflow to."""

    def __init__(self, source: Source, store: Store, work: Path, *, progress: Progress | None = None) -> None:
        self._source = source
        self._store = store
        self._duck = engine.connect(memory_mb=MEMORY_MB, overflow=work / "overflow")
        self._extractor = Extractor(source, store, self._duck, progress=progress)

    @property
    def rows_read(self) -> int:
        """Rows that came out of the database so far."""
        return self._extractor.rows_read

    def close(self) -> None:
        self._duck.close()

    def everything(self, exports: Sequence[Export], totals: Totals) -> dict[str, Table]:
        """Every table read anew. Details come after all others: they look up their parents' parts."""
        expected = sum(int(totals[export.name]["count"]) for export in exports)
        tables: dict[str, Table] = {}
        for stage in _stages(exports):
            slices = [
                each
                for export in stage
                for each in slices_of(
                    export, rows=int(totals[export.name]["count"]), bounds=self._source.bounds(export)
                )
            ]
            parents = {name: table.parts for name, table in tables.items()}
            found = self._extractor.extract(slices, parents=parents, expected=expected)
            for export in stage:
                # Rows that were not written in the order of their days leave a small part for each slice and month.
                parts = compacted(self._store, self._duck, export.key, found.get(export.name, ()))
                tables[export.name] = Table(columns_sql(columns_of(export)), tuple(parts))
        return self._with_totals(exports, tables)

    def changes(self, exports: Sequence[Export], there: Mapping[str, Table], *, since: str) -> dict[str, Table]:
        """The tables of `there` with everything put in that snapshot `since` did not see; some are read whole."""
        tables = dict(there)
        arrived: dict[str, Any] = {}
        for stage in _stages(exports):
            slices = [Slice(export, self._rows_of_changes(export, since)) for export in stage]
            found = self._extractor.extract(slices, parents=arrived, expected=0)
            for export in stage:
                arrived[export.name] = found[export.name]
                if export.load == "replace":
                    tables[export.name] = replace(there[export.name], parts=tuple(found[export.name]))
                    continue
                parts = merge(
                    self._store, self._duck, export.key, there=there[export.name].parts, arrived=found[export.name]
                )
                tables[export.name] = replace(there[export.name], parts=tuple(parts))
        return self._with_totals(exports, tables)

    def _rows_of_changes(self, export: Export, since: str) -> str:
        if export.load == "replace":
            return "true"
        return export.changed_since(since, before=self._source.position.before)

    def dates(self, tables: Mapping[str, Table], *, last_year: int, there: Table | None) -> Table:
        """The calendar over all purchases; the one of the version before when it covers the same years."""
        first_year = last_year
        if parts := tables["purchases"].parts if "purchases" in tables else ():
            files = engine.files_sql(self._store.path(part.file) for part in parts)
            asked = f"SELECT year(min(occurred_on)), year(max(occurred_on)) FROM {files}"  # noqa: S608
            low, high = self._duck.cursor().execute(asked).fetchone()
            first_year, last_year = min(low, last_year), max(high, last_year)
        years = {"first_year": str(first_year), "last_year": str(last_year)}
        if there is not None and dict(there.totals) == years:
            return there
        file = self._store.new_part("dates")
        engine.write_parquet(self._duck.cursor(), dates_sql(first_year, last_year), self._store.path(file))
        return Table(columns_sql(DATES_COLUMNS), (describe(self._store, self._duck, "year", file),), years)

    def corrections(
        self,
        tables: Mapping[str, Table],
        before: Mapping[str, Table],
        *,
        version: int,
        noticed_on: date,
        known_on: date,
    ) -> Table:
        """The table of corrections, with what changed since `before` was made on `known_on`."""
        there = before.get(CORRECTIONS, Table(columns_sql(CORRECTIONS_COLUMNS)))
        if "purchases" not in before or "purchases" not in tables:
            return there
        old, new = ({part.file for part in group["purchases"].parts} for group in (before, tables))
        if old == new:
            return there
        query = corrections_sql(
            [self._store.path(file) for file in sorted(old - new)],
            [self._store.path(file) for file in sorted(new - old)],
            version=version,
            noticed_on=noticed_on,
            known_on=known_on,
        )
        file = self._store.new_part(CORRECTIONS)
        chosen = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in CORRECTIONS_COLUMNS)
        ordered = f"SELECT {chosen} FROM ({query}) ORDER BY month, currency"  # noqa: S608 (our own SQL)
        if not engine.write_parquet(self._duck.cursor(), ordered, self._store.path(file)):
            self._store.path(file).unlink()
            return there
        parts = [*there.parts, describe(self._store, self._duck, "version", file)]
        return replace(there, parts=tuple(compacted(self._store, self._duck, ("version", "month"), parts)))

    def let_go(self, exports: Sequence[Export], tables: Mapping[str, Table], *, kept: str) -> dict[str, Table]:
        """The tables without the months of details before `kept`, whose totals are remembered."""
        left = dict(tables)
        for export in exports:
            table = tables[export.name]
            old = [part for part in table.parts if export.detail and "" < part.month < kept]
            if old:
                totals = self._totals(export, [self._store.path(part.file) for part in old])
                parts = tuple(part for part in table.parts if part not in old)
                left[export.name] = replace(table, parts=parts, let_go=added(table.let_go, totals), kept_from=kept)
        return left

    def _with_totals(self, exports: Sequence[Export], tables: Mapping[str, Table]) -> dict[str, Table]:
        counted = dict(tables)
        for export in exports:
            paths = [self._store.path(part.file) for part in tables[export.name].parts]
            totals = added(self._totals(export, paths), tables[export.name].let_go)
            counted[export.name] = replace(tables[export.name], totals=totals)
        return counted

    def _totals(self, export: Export, paths: Sequence[Path]) -> dict[str, str]:
        if not paths:
            return {total.name: "0" for total in export.totals}
        asked = ", ".join(f"({total.warehouse})" for total in export.totals)
        row = self._duck.cursor().execute(f"SELECT {asked} FROM {engine.files_sql(paths)}").fetchone()  # noqa: S608
        return {total.name: plain(value) for total, value in zip(export.totals, row, strict=True)}


def _stages(exports: Sequence[Export]) -> list[list[Export]]:
    """Exports that stand alone, then those that carry columns of a parent."""
    stages = [[e for e in exports if e.carried is None], [e for e in exports if e.carried is not None]]
    return [stage for stage in stages if stage]
