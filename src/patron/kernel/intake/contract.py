"""What a room declares so that files can be imported into it.

A room registers an `Importer` in its `imports.py`. A higher room adds columns to a lower room's importer with an
`ImportExtension`. The engine reads the file, maps and types its columns, applies the treatments, stages the rows of
one chunk in PostgreSQL and calls `apply`: everything of one chunk, with the run's checkpoint, is one transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from django.utils.functional import Promise

from patron.kernel.actor import Actor
from patron.kernel.registries import Registry

Text = str | Promise

FieldKind = Literal["text", "integer", "decimal", "date", "instant", "flag"]
"""PostgreSQL types in the chunk's table: text, bigint, numeric(18,4), date, timestamptz, boolean."""

DEFAULT_SOURCE = "pos"
"""The system that files come from unless the user names another: files of one source share their external ids."""

Action = Literal["reject", "skip", "fix", "note"]
"""reject: to the error file · skip: left out, counted · fix: goes in changed · note: goes in, counted."""


@dataclass(frozen=True, slots=True)
class ImportField:
    """A column that the importer understands.

    `aliases` are further header names (any language; case, spaces, `_` and `-` do not matter; `name` and `label`
    always match). A required field must be mapped, and rows where it is empty are rejected; `filled=False`
    says that it must be mapped but may be empty. Text longer than `max_length` rejects the row.
    Texts are trimmed; an empty text is NULL.
    """

    name: str
    label: Text
    kind: FieldKind = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    help: Text = ""
    max_length: int | None = None
    filled: bool = True


@dataclass(frozen=True, slots=True)
class ImportOption:
    """A choice that the user makes for the whole file. Values are strings; flags are "yes" or "no"."""

    name: str
    label: Text
    default: str = ""
    choices: tuple[tuple[str, Text], ...] = ()
    help: Text = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """A stated treatment of one kind of dirty row.

    `condition` is a DuckDB SQL condition over the typed columns (every declared field is there, NULL where the file
    lacks it; plus `row_no`). An option's value is `getvariable('name')`. Treatments are tried in their order: the
    first `reject` or `skip` that holds decides about the row; `fix` and `note` are counted on rows that go in.
    `fixes` maps columns to the DuckDB expressions that replace them. `message` tells the user, in the error file
    and the dry run, what was wrong and what to do; `column` names the field it is about.
    `needs` are fields that must be mapped for the treatment to be looked at. `aggregate` is a DuckDB aggregate over
    the rows that go in: of a note it gives the number of rows concerned, instead of a condition; together with a
    condition it is tried first, and only where it is not 0 the condition, which then may hold window functions, is too.
    A code that `apply` reports by itself (rejects inserted, `ApplyCounts.treated`) is declared with neither.
    """

    code: str
    label: Text
    action: Action
    condition: str = ""
    message: Text = ""
    column: str = ""
    fixes: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    aggregate: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that the engine works out for a chunk, vectorised, before the database sees it: a DuckDB expression."""

    name: str
    kind: FieldKind
    expression: str


class Cursor(Protocol):
    """Django's cursor on the connection that holds the chunk's transaction."""

    rowcount: int

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any: ...
    def fetchone(self) -> tuple[Any, ...] | None: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...
    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows of one transaction.

    `table` is a PostgreSQL temp table: `row_no bigint` (line of the file; unique) and one typed column for each
    declared field, extensions' included. `apply` may add columns to it, so that an extension finds what was resolved
    (the customers importer leaves `customer_id bigint` there). `rejects` is a temp table (row_no bigint, code
    text, message text): a row inserted there is counted as rejected and goes to the error file; `apply` must not write
    it. `groups` is, for importers that declare `group_columns`, a temp table with one row for each `keep_together`
    group: `group_no bigint` (from 1, in the order of the rows), the group's fields, and the declared columns; `table`
    then has `group_no` as well. `columns` are the fields that the file really has: an update leaves alone what the file
    does not carry. `source` names the system that the file comes from: the namespace of external ids.
    """

    cursor: Cursor
    table: str
    groups: str
    rejects: str
    rows: int
    actor: Actor
    now: datetime
    run_id: int
    source: str
    columns: frozenset[str]
    options: Mapping[str, str]
    bulk_insert: Callable[[], AbstractContextManager[None]]
    """Wrap an INSERT whose references were all just resolved by join in this transaction: where the database role may,
    row-by-row foreign-key checks and other row triggers are left out within it."""

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> int:
        """Run one statement and return how many rows it touched. With `params`, a literal % is written %%."""
        self.cursor.execute(sql, params)
        return self.cursor.rowcount


@dataclass(frozen=True, slots=True)
class ApplyCounts:
    """What became of a chunk. `added` + `updated` + `unchanged` + rejected rows = the things of the importer's kind.

    `unchanged` were already there with the same content. `created` counts things of other kinds that came into being
    on the way (for example {"products": 12}); `treated` counts rows by treatment code.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    created: Mapping[str, int] = field(default_factory=dict)
    treated: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "ApplyCounts") -> "ApplyCounts":
        return ApplyCounts(
            added=self.added + other.added,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            created=_sum(self.created, other.created),
            treated=_sum(self.treated, other.treated),
        )


def _sum(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in (*a, *(n for n in b if n not in a))}


@dataclass(frozen=True, slots=True)
class Importer:
    """A kind of file that a room takes.

    `apply` writes one chunk, set-based, and must be idempotent: the same rows again add nothing. Rows arrive ordered by
    `sort_by` (DuckDB ORDER BY terms over typed columns); rows equal in `keep_together` are never split over two chunks.
    `unique` are fields that identify a row within the file: a later row with the same values is rejected as
    `repeated_in_file`. `finish` runs once after the last chunk, in its own transaction, idempotently, with the same
    `Chunk` (its table is empty, its `rows` are those of the whole run). `count_known(cursor, table, source)` tells the
    dry run how many of the distinct `unique` values in temp table `table` are on file already.
    `group_columns` are aggregates over each `keep_together` group of a chunk, for the table `chunk.groups`;
    `row_columns` are further columns of `chunk.table` (window functions over `group_no` allowed); `staged` names the
    fields that `chunk.table` has to have, where not all are needed there.
    `things` names what is counted ("customers"). Of each tuple in `one_of` at least one field must be mapped.
    `completed` maps columns to DuckDB expressions that replace them once the treatments are done (all see the columns
    as they stood before), for example an amount worked out where the file has none.
    """

    name: str
    label: Text
    things: Text
    permission: str
    fields: tuple[ImportField, ...]
    apply: Callable[[Chunk], ApplyCounts]
    options: tuple[ImportOption, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    sort_by: tuple[str, ...] = ()
    keep_together: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    group_columns: tuple[Derived, ...] = ()
    row_columns: tuple[Derived, ...] = ()
    staged: tuple[str, ...] = ()
    chunk_rows: int = 200_000
    default_source: str = DEFAULT_SOURCE
    one_of: tuple[tuple[str, ...], ...] = ()
    completed: Mapping[str, str] = field(default_factory=dict)
    finish: Callable[[Chunk], ApplyCounts] | None = None
    count_known: Callable[[Cursor, str, str], int] | None = None
    help: Text = ""


@dataclass(frozen=True, slots=True)
class ImportExtension:
    """Columns that a higher room adds to `importer` (its name). `apply` runs after the importer's own, in the
    same transaction, on the same chunk; rows in `chunk.rejects` are no longer in `chunk.table` by then."""

    name: str
    importer: str
    fields: tuple[ImportField, ...]
    apply: Callable[[Chunk], ApplyCounts]
    options: tuple[ImportOption, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    finish: Callable[[Chunk], ApplyCounts] | None = None


importers: Registry[Importer] = Registry("importer", name=lambda i: i.name)
extensions: Registry[ImportExtension] = Registry("import extension", name=lambda e: e.name)


def extensions_of(importer: str) -> list[ImportExtension]:
    return [extension for extension in extensions if extension.importer == importer]


def fields_of(importer: Importer) -> tuple[ImportField, ...]:
    """The importer's fields and those that extensions add."""
    return (*importer.fields, *(f for extension in extensions_of(importer.name) for f in extension.fields))


def options_of(importer: Importer) -> tuple[ImportOption, ...]:
    return (*importer.options, *(o for extension in extensions_of(importer.name) for o in extension.options))


def treatments_of(importer: Importer) -> tuple[Treatment, ...]:
    return (*importer.treatments, *(t for extension in extensions_of(importer.name) for t in extension.treatments))
