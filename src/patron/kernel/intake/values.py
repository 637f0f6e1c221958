"""From texts to typed values: DuckDB expressions that are NULL where a text is not what it should be."""

from patron.kernel.intake.contract import FieldKind

DUCKDB_TYPES: dict[FieldKind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18, 4)",
    "date": "DATE",
    "instant": "TIMESTAMPTZ",
    "flag": "BOOLEAN",
}
POSTGRES_TYPES: dict[FieldKind, str] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric(18, 4)",
    "date": "date",
    "instant": "timestamptz",
    "flag": "boolean",
}
_FULL_WIDTH = "０１２３４５６７８９．，－＋（）％　"
_HALF_WIDTH = "0123456789.,-+()% "
_CURRENCY_SIGNS = "(HKD|USD|TWD|CNY|RMB|GBP|EUR|JPY|MOP|SGD|HK\\$|NT\\$|US\\$|[$€£¥￥＄元]|[\\s''])"
_YES = "'1', 'y', 'yes', 'true', 't', 'on', '是', '有', 'x', '✓', 'v'"
_NO = "'0', 'n', 'no', 'false', 'f', 'off', '否', '無', '无', '沒有', '没有'"
_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def text(column: str, *, whole: bool = False) -> str:
    """Trimmed; NULL where nothing is left. `whole` drops the `.0` that other programs put behind whole numbers."""
    trimmed = f"nullif(trim({column}, ' \t\r\n\u3000\u00a0'), '')"
    return f"regexp_replace({trimmed}, '^(-?\\d+)\\.0$', '\\1')" if whole else trimmed


def decimal(column: str, *, comma: bool = False) -> str:
    """A DECIMAL(18, 4). Thousands separators, currency signs, full-width digits, (1.50) and 1.50- are understood.

    `comma` says that the comma is the decimal mark.
    """
    clean = f"upper(translate({column}, '{_FULL_WIDTH}', '{_HALF_WIDTH}'))"
    clean = f"regexp_replace({clean}, '^\\s*\\((.*)\\)\\s*$', '-\\1')"
    clean = f"regexp_replace({clean}, '{_CURRENCY_SIGNS}', '', 'g')"
    clean = f"regexp_replace({clean}, '^(.*\\d)-$', '-\\1')"
    marked = f"replace(replace({clean}, '.', ''), ',', '.')" if comma else f"replace({clean}, ',', '')"
    cast = f"TRY_CAST({marked} AS DECIMAL(18, 4))"
    return cast if comma else f"coalesce(TRY_CAST({column} AS DECIMAL(18, 4)), {cast})"


def integer(column: str) -> str:
    """A BIGINT; 1.0 is a whole number, 1.5 is not."""
    number = decimal(column)
    return f"CASE WHEN {number} = floor({number}) THEN {number}::BIGINT END"


def flag(column: str) -> str:
    lowered = f"lower(trim({column}))"
    return f"CASE WHEN {lowered} IN ({_YES}) THEN true WHEN {lowered} IN ({_NO}) THEN false END"


def from_typed(column: str, source_type: str, kind: FieldKind) -> str | None:
    """The expression for a column that the file itself types (Parquet), or None where its text must be read."""
    base = source_type.split("(")[0].strip()
    number = base in _NUMERIC or base in ("DOUBLE", "FLOAT", "DECIMAL")
    if kind == "decimal" and number:
        return f"TRY_CAST({column} AS DECIMAL(18, 4))"
    if kind == "integer" and base in _NUMERIC:
        return f"TRY_CAST({column} AS BIGINT)"
    if kind == "instant" and base in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS"):
        return f"TRY_CAST({column} AS TIMESTAMPTZ)"
    if kind == "date" and base in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS"):
        return f"TRY_CAST({column} AS DATE)"
    if kind == "flag" and base == "BOOLEAN":
        return column
    if kind == "text" and base in ("DOUBLE", "FLOAT"):
        whole = f"{column} = floor({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
    if kind == "text" and base in _NUMERIC:
        return f"{column}::VARCHAR"
    return None
