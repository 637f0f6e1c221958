"""What one version of the warehouse consists of: a manifest that lists immutable Parquet files. No Django."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from patron.kernel.exports import ExportColumn

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: its path below the warehouse, rows, and bounds of the first key column (of a table of keys).

    `month` (`2026-03`) is that of all its rows, in a table that is split by month.
    """

    file: str
    rows: int
    bytes: int
    low: int | None = None
    high: int | None = None
    month: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a version: its files, its columns with their types in DuckDB's SQL, in order.

    `totals` are the figures that were found equal to the database's, as text. `let_go` are those of the months before
    `kept_from` (`2024-01`), which the warehouse no longer keeps; `totals` hold them too.
    """

    columns: Mapping[str, str]
    parts: tuple[Part, ...] = ()
    totals: Mapping[str, str] = field(default_factory=dict)
    let_go: Mapping[str, str] = field(default_factory=dict)
    kept_from: str = ""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version.

    `snapshot` is the text of the database's snapshot that the tables were read in: it says of every transaction
    whether its rows are in, and begins with the watermark, the oldest one that was still open. `fingerprint` names the
    database and the contract that the files came from. `taken_at` is the instant of the run, ISO 8601.
    `mining_key` names everything that the marts depend on; `facts` are what their makers wish to remember.
    """

    version: int
    taken_at: str
    snapshot: str
    fingerprint: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    marts: Mapping[str, Table] = field(default_factory=dict)
    mining_key: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def data_digest(self) -> str:
        """Names the data of the tables: equal digests mean the same files."""
        names = sorted(part.file for table in self.tables.values() for part in table.parts)
        return sha256("\n".join(names).encode()).hexdigest()[:16]

    def files(self) -> Iterator[str]:
        """Every file of the version, below the warehouse."""
        for group in (self.tables, self.marts):
            for table in group.values():
                yield from (part.file for part in table.parts)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Raises ValueError for a manifest of another format: the next run then starts afresh."""
        values = json.loads(text)
        if values.pop("format", None) != FORMAT:
            raise ValueError("the manifest is of another format")
        for group in ("tables", "marts"):
            values[group] = {
                name: Table(**{**table, "parts": tuple(Part(**part) for part in table["parts"])})
                for name, table in values[group].items()
            }
        return cls(**values)


def columns_sql(columns: Sequence[ExportColumn]) -> dict[str, str]:
    """Names and types of `columns`, as a manifest keeps them."""
    return {column.name: column.sql_type for column in columns}
