"""From `raw` to typed, judged and ordered rows: everything that can be decided without the database.

The result stays in the run's own DuckDB file, so that a run that was killed goes on without reading the file again.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import duckdb

from patron.kernel.intake import values
from patron.kernel.intake.contract import Importer, ImportField, Treatment, fields_of, treatments_of
from patron.kernel.intake.dates import DatePlan, plan_dates
from patron.kernel.intake.readers import Source
from patron.kernel.intake.sql import identifier, literal

FIRST_ERRORS = 20
SAMPLE_ROWS = 5000


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that does not go in. `field` is the field it is about ("" for the whole row), `value` what stood there."""

    row: int
    code: str
    field: str = ""
    value: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(slots=True)
class Findings:
    """What preparing found. `treated` counts rows by treatment code, built-in codes of bad values included."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    treated: dict[str, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    dates: dict[str, dict[str, object]] = field(default_factory=dict)


def prepare(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    importer: Importer,
    columns: Mapping[str, str],
    options: Mapping[str, str],
    *,
    step: Callable[[str], None] = lambda _name: None,
) -> Findings:
    """Build table `judged` (row_no, typed fields, marks, verdict) from `raw` and say what was found.

    `verdict` is NULL for rows that go in, else `code:field`. `marks` has a bit for each fix and note that holds.
    """
    for name, value in options.items():
        connection.execute(f"SET VARIABLE {identifier(name)} = {literal(value)}")
    typing = _Typing(connection, source, columns, options)
    fields = fields_of(importer)
    treatments = [t for t in treatments_of(importer) if all(need in columns for need in t.needs)]
    step("typing")
    typed = typing.select(fields)
    marked = [t for t in treatments if t.condition and t.action in ("fix", "note") and not t.aggregate]
    connection.execute(f"CREATE OR REPLACE TABLE judged AS {_judged(typed, importer, treatments, marked)}")
    step("checking")
    for treatment in treatments:
        if treatment.condition and treatment.aggregate:
            _judge_late(connection, treatment)
    if importer.unique and all(name in columns for name in importer.unique):
        _refuse_repeated(connection, importer.unique)
    found = _count(connection, treatments, marked)
    found.dates = {
        name: {"order": plan.order, "ambiguous": plan.ambiguous, "mixed": plan.mixed, "republic": plan.republic}
        for name, plan in typing.plans.items()
        if plan.order or plan.republic
    }
    found.errors = _first_errors(connection, source, columns, treatments)
    return found


class _Typing:
    """Typed expressions for the fields of one file."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
        columns: Mapping[str, str],
        options: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._source = source
        self._columns = columns
        self._options = options
        self.plans: dict[str, DatePlan] = {}

    def select(self, fields: tuple[ImportField, ...]) -> str:
        """SELECT row_no, the typed fields, and `fault`: the first value that is not what it should be."""
        parts, faults = [], []
        for wanted in fields:
            kind = values.DUCKDB_TYPES[wanted.kind]
            header = self._columns.get(wanted.name)
            if header is None:
                parts.append(f"NULL::{kind} AS {identifier(wanted.name)}")
                continue
            column = f"c{self._source.headers.index(header)}"
            present, expression = self._expressions(wanted, column)
            parts.append(f"({expression})::{kind} AS {identifier(wanted.name)}")
            faults += _faults(wanted, present, expression)
        fault = f"CASE {' '.join(faults)} END" if faults else "NULL::VARCHAR"
        return f"SELECT row_no, {', '.join(parts)}, {fault} AS fault FROM raw"

    def _expressions(self, wanted: ImportField, column: str) -> tuple[str, str]:
        """The condition under which there is a value at all, and the typed value."""
        source_type = self._source.types[self._source.headers.index(self._columns[wanted.name])]
        if source_type != "VARCHAR":
            direct = values.from_typed(column, source_type, wanted.kind)
            if direct is not None:
                return f"{column} IS NOT NULL", direct
            column = f"{column}::VARCHAR"
        if self._source.is_mended:
            column = f"regexp_replace({column}, '^''([=+@\t\r-])', '\\1')"
        present = f"{values.text(column)} IS NOT NULL"
        if wanted.kind == "text":
            return present, values.text(column, whole=self._is_whole(column))
        if wanted.kind in ("date", "instant"):
            plan = plan_dates(
                self._connection,
                column,
                order=self._options["date_order"],
                republic=self._options["republic_years"],
            )
            self.plans[wanted.name] = plan
            return present, plan.expression
        if wanted.kind == "decimal":
            return present, values.decimal(column, comma=self._options["decimal_mark"] == ",")
        return present, values.integer(column) if wanted.kind == "integer" else values.flag(column)

    def _is_whole(self, column: str) -> bool:
        """Whether all values of a text column look like 17850.0: numbers that passed through another program."""
        row = self._connection.execute(f"""
            SELECT count(*) FILTER (v IS NOT NULL) > 0 AND count(*) FILTER (NOT regexp_full_match(v, '-?\\d+\\.0')) = 0
            FROM (SELECT {values.text(column)} AS v FROM raw LIMIT {SAMPLE_ROWS})
        """).fetchone()
        return bool(row and row[0])


def _faults(wanted: ImportField, present: str, expression: str) -> list[str]:
    found = []
    if wanted.required and wanted.filled:
        found.append(f"WHEN NOT ({present}) THEN {literal(f'missing:{wanted.name}')}")
    if wanted.kind != "text":
        found.append(f"WHEN {present} AND ({expression}) IS NULL THEN {literal(f'not_{wanted.kind}:{wanted.name}')}")
    elif wanted.max_length is not None:
        found.append(f"WHEN length({expression}) > {wanted.max_length} THEN {literal(f'too_long:{wanted.name}')}")
    return found


def _judged(typed: str, importer: Importer, treatments: list[Treatment], marked: list[Treatment]) -> str:
    verdicts = ["WHEN fault IS NOT NULL THEN fault"] + [
        f"WHEN {t.condition} THEN {literal(f'{t.code}:{t.column}')}"
        for t in treatments
        if t.condition and t.action in ("reject", "skip") and not t.aggregate
    ]
    marks = " + ".join(f"(CASE WHEN {t.condition} THEN {1 << i} ELSE 0 END)" for i, t in enumerate(marked)) or "0"
    verdict = f"CASE {' '.join(verdicts)} END AS verdict"
    sql = f"SELECT * EXCLUDE (fault), ({marks})::INTEGER AS marks, {verdict} FROM ({typed})"
    for i, treatment in enumerate(marked):
        if treatment.fixes:
            replaced = ", ".join(
                f"CASE WHEN marks & {1 << i} <> 0 THEN {expression} ELSE {identifier(name)} END AS {identifier(name)}"
                for name, expression in treatment.fixes.items()
            )
            sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
    if importer.completed:
        types = {f.name: values.DUCKDB_TYPES[f.kind] for f in fields_of(importer)}
        replaced = ", ".join(
            f"({expression})::{types[name]} AS {identifier(name)}" for name, expression in importer.completed.items()
        )
        sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
    return sql


def _judge_late(connection: duckdb.DuckDBPyConnection, treatment: Treatment) -> None:
    row = connection.execute(f"SELECT {treatment.aggregate} FROM judged WHERE verdict IS NULL").fetchone()
    if row and row[0]:
        connection.execute(f"""
            UPDATE judged SET verdict = {literal(f"{treatment.code}:{treatment.column}")} WHERE row_no IN (
                SELECT row_no FROM judged WHERE verdict IS NULL QUALIFY {treatment.condition}
            )
        """)


def _refuse_repeated(connection: duckdb.DuckDBPyConnection, unique: tuple[str, ...]) -> None:
    names = ", ".join(identifier(name) for name in unique)
    filled = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in unique)
    row = connection.execute(
        f"SELECT count(*) - count(DISTINCT ({names})) FROM judged WHERE verdict IS NULL AND {filled}"
    ).fetchone()
    if row and row[0]:
        connection.execute(f"""
            UPDATE judged SET verdict = {literal(f"repeated_in_file:{unique[0]}")} WHERE row_no IN (
                SELECT row_no FROM judged WHERE verdict IS NULL AND {filled}
                QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY row_no) > 1
            )
        """)


def _count(connection: duckdb.DuckDBPyConnection, treatments: list[Treatment], marked: list[Treatment]) -> Findings:
    found = Findings()
    skipping = {t.code for t in treatments if t.action == "skip"}
    counted = connection.execute("SELECT split_part(verdict, ':', 1), count(*) FROM judged GROUP BY 1 ORDER BY 1")
    for code, rows in counted.fetchall():
        found.rows += rows
        if code is None:
            found.accepted += rows
            continue
        found.treated[code] = rows
        if code in skipping:
            found.skipped += rows
        else:
            found.rejected += rows
    for code, rows in connection.execute("SELECT code, count(*) FROM unreadable GROUP BY code").fetchall():
        found.treated[code] = rows
        found.rows += rows
        found.rejected += rows
    for marks, rows in connection.execute(
        "SELECT marks, count(*) FROM judged WHERE verdict IS NULL AND marks <> 0 GROUP BY marks"
    ).fetchall():
        for i, treatment in enumerate(marked):
            if marks & (1 << i):
                found.treated[treatment.code] = found.treated.get(treatment.code, 0) + rows
    summed = [t for t in treatments if t.aggregate and t.action == "note"]
    if summed and found.accepted:
        sums = ", ".join(t.aggregate for t in summed)
        row = connection.execute(f"SELECT {sums} FROM judged WHERE verdict IS NULL").fetchone() or ()
        found.treated |= {t.code: int(n) for t, n in zip(summed, row, strict=True) if n}
    return found


def _first_errors(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: Mapping[str, str], treatments: list[Treatment]
) -> list[RowError]:
    skipping = ", ".join(literal(t.code) for t in treatments if t.action == "skip") or "''"
    shown = ", ".join(f"{literal(name)}: c{source.headers.index(header)}::VARCHAR" for name, header in columns.items())
    rows = connection.execute(f"""
        WITH bad AS (
            SELECT row_no, verdict FROM judged
            WHERE verdict IS NOT NULL AND split_part(verdict, ':', 1) NOT IN ({skipping})
            ORDER BY row_no LIMIT {FIRST_ERRORS}
        )
        SELECT row_no, split_part(verdict, ':', 1) AS code, split_part(verdict, ':', 2) AS field,
            MAP {{{shown}}} AS given
        FROM raw JOIN bad USING (row_no)
        UNION ALL BY NAME (
            SELECT row_no, code, '' AS field, MAP {{'': array_to_string(cells, ' | ')}} AS given
            FROM unreadable ORDER BY row_no LIMIT {FIRST_ERRORS}
        )
    """).fetchall()
    errors = [
        RowError(row_no, code, name or "", str(given.get(name or "") or "")[:80]) for row_no, code, name, given in rows
    ]
    return sorted(errors, key=lambda e: e.row)[:FIRST_ERRORS]
