"""The tables of a new version: all of them read anew, or what changed put in. No Django.

Imported only when there is something to read: DuckDB and Arrow take longer to load than finding out that nothing did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.dates import DATES_COLUMNS, dates_sql
from patron.intelligence.warehouse.extraction import Extractor, Progress, Slice, describe, slices_of
from patron.intelligence.warehouse.manifest import Table, columns_sql
from patron.intelligence.warehouse.merging import merge
from patron.intelligence.warehouse.source import Source, plain
from patron.intelligence.warehouse.store import Store
from patron.kernel.exports import Export, columns_of

MEMORY_MB = 1500

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
            tables.update({e.name: Table(columns_sql(columns_of(e)), tuple(found.get(e.name, ()))) for e in stage})
        return self._with_totals(exports, tables)

    def changes(self, exports: Sequence[Export], there: Mapping[str, Table], *, since: str) -> dict[str, Table]:
        """The tables of `there` with everything put in that snapshot `since` did not see."""
        tables = dict(there)
        arrived: dict[str, Any] = {}
        for stage in _stages(exports):
            slices = [
                Slice(export, export.changed_since(since, before=self._source.position.before)) for export in stage
            ]
            found = self._extractor.extract(slices, parents=arrived, expected=0)
            for export in stage:
                arrived[export.name] = found[export.name]
                parts = merge(
                    self._store, self._duck, export.key, there=there[export.name].parts, arrived=found[export.name]
                )
                tables[export.name] = replace(there[export.name], parts=tuple(parts))
        return self._with_totals(exports, tables)

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

    def _with_totals(self, exports: Sequence[Export], tables: Mapping[str, Table]) -> dict[str, Table]:
        counted = dict(tables)
        for export in exports:
            paths = [self._store.path(part.file) for part in tables[export.name].parts]
            counted[export.name] = replace(tables[export.name], totals=self._totals(export, paths))
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
