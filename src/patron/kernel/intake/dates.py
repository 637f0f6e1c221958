"""Dates as files write them: ISO, 2025/1/31, 31/1/2025 or 1/31/2025, 民國114年3月5日, Excel serials; with times too.

What ISO reading does not understand is looked at as a whole, once for each column: the values themselves often settle
whether the day or the month comes first, and where they do not, that is said.
"""

from dataclasses import dataclass
from typing import Literal

import duckdb

from patron.kernel.intake.sql import literal

Order = Literal["ymd", "dmy", "mdy"]

_EARLIEST, _LATEST = "1900-01-01", "2200-01-01"
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %p %I:%M", " %p %I:%M:%S")
_WRITTEN = {
    "ymd": ("%Y/%m/%d",),
    "dmy": ("%d/%m/%y", "%d/%m/%Y"),
    "mdy": ("%m/%d/%y", "%m/%d/%Y"),
}
_NAMED = ("%d/%b/%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d/%b/%y")
_PARTS = "^(\\d{1,3})/(\\d{1,2})/(\\d{1,4})"
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y%m%d %H%M%S", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M")


@dataclass(frozen=True, slots=True)
class DatePlan:
    """How a column is read. `order` is "" where every value is ISO or leads with the year; `mixed` says that both
    orders occur; `ambiguous` that no value settles it. `republic` says that years count from 1911."""

    expression: str
    order: Order | Literal[""] = ""
    ambiguous: bool = False
    mixed: bool = False
    republic: bool = False


def plan_dates(
    connection: duckdb.DuckDBPyConnection, column: str, *, order: str, republic: str, default_order: Order = "dmy"
) -> DatePlan:
    """The plan for text column `column` of `raw`. `order` and `republic` are the user's options ("auto" for us).

    The expression is a TIMESTAMPTZ; text without a zone is in the connection's zone.
    """
    iso = _iso(column)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE strange AS
        SELECT v, any_value(given) AS given, regexp_extract(v, '{_PARTS}', ['a', 'b', 'c']) AS part FROM (
            SELECT DISTINCT {_plain(column)} AS v, trim({column}) AS given FROM raw
            WHERE nullif(trim({column}), '') IS NOT NULL AND {iso} IS NULL
        ) GROUP BY v
    """)
    found = connection.execute("""
        SELECT count(*), count(*) FILTER (a BETWEEN 13 AND 31 AND b <= 12),
            count(*) FILTER (a <= 12 AND b BETWEEN 13 AND 31), count(*) FILTER (a <= 12 AND b <= 12),
            count(*) FILTER (a BETWEEN 100 AND 200 AND b <= 12 AND digits <= 2),
            coalesce(bool_and(v = given), true)
        FROM (
            SELECT v, given, TRY_CAST(part.a AS INT) AS a, TRY_CAST(part.b AS INT) AS b, length(part.c) AS digits
            FROM strange
        )
    """).fetchone()
    count, day_first, month_first, either, three_digits, plain_as_given = found or (0, 0, 0, 0, 0, True)
    if not count:
        return DatePlan(iso)
    is_republic = republic == "yes" or (republic == "auto" and three_digits > 0)
    chosen, ambiguous, mixed = _order(order, day_first, month_first, either, default_order)
    if is_republic:
        ambiguous = mixed = False
    formats = _commonest_first(connection, _formats(chosen, mixed=mixed))
    text = f"trim({column})" if plain_as_given else _plain(column)
    expression = f"coalesce({iso}, {_fallback(text, formats, republic=is_republic)})"
    shown: Order | Literal[""] = chosen if (day_first or month_first or either) and not is_republic else ""
    return DatePlan(expression, shown, ambiguous, mixed, is_republic)


def _commonest_first(connection: duckdb.DuckDBPyConnection, formats: list[str]) -> list[str]:
    """The format that reads most values moved to the front, unless one before it would read the same texts."""
    counts = ", ".join(f"count(try_strptime(v, {literal(form)}))" for form in formats)
    row = connection.execute(f"SELECT {counts} FROM (SELECT v FROM strange USING SAMPLE 500 ROWS)").fetchone() or ()
    best = max(range(len(formats)), key=lambda i: (row[i], -i))
    first = next((i for i, n in enumerate(row) if n), best)
    return [formats[best], *formats[:best], *formats[best + 1 :]] if first == best else formats


def _order(option: str, day_first: int, month_first: int, either: int, default: Order) -> tuple[Order, bool, bool]:
    if option in ("dmy", "mdy", "ymd"):
        return option, False, False  # type: ignore[return-value]
    if day_first and month_first:
        return ("dmy" if day_first >= month_first else "mdy"), either > 0, True
    if day_first or month_first:
        return ("dmy" if day_first else "mdy"), False, False
    return default, either > 0, False


def _within(expression: str) -> str:
    early, late = f"TIMESTAMPTZ '{_EARLIEST}'", f"TIMESTAMPTZ '{_LATEST}'"
    return f"CASE WHEN {expression} >= {early} AND {expression} < {late} THEN {expression} END"


def _iso(column: str) -> str:
    return _within(f"TRY_CAST(trim({column}) AS TIMESTAMPTZ)")


def _plain(column: str) -> str:
    """`column` with half-width digits, `/` between the parts of the date, and English a.m. and p.m."""
    text = f"translate(trim({column}), '０１２３４５６７８９／：．－　', '0123456789/:.- ')"
    text = f"replace(replace(replace(replace({text}, '上午', 'AM'), '下午', 'PM'), '民國', ''), '民国', '')"
    text = f"regexp_replace({text}, '\\s*年\\s*|\\s*月\\s*', '/', 'g')"
    text = f"regexp_replace({text}, '\\s*[日號号]\\s*', ' ')"
    text = f"regexp_replace({text}, '^(\\w{{1,4}})[-.](\\w{{1,3}})[-.](\\d)', '\\1/\\2/\\3')"
    return f"trim(regexp_replace({text}, '\\s+', ' ', 'g'))"


def _formats(order: Order, *, mixed: bool) -> list[str]:
    orders: list[Order] = [order, "ymd"]
    if mixed:
        orders.insert(1, "mdy" if order == "dmy" else "dmy")
    written = [form for one in orders for form in _WRITTEN[one]]
    return [date + time for date in (*written, *_NAMED) for time in _TIMES] + list(_COMPACT)


def _fallback(plain: str, formats: list[str], *, republic: bool) -> str:
    listed = ", ".join(literal(form) for form in formats)
    serial = f"TIMESTAMP '1899-12-30' + to_seconds(round(TRY_CAST({plain} AS DOUBLE) * 86400)::BIGINT)"
    branches = [f"WHEN regexp_full_match({plain}, '\\d{{5}}(\\.\\d+)?') THEN {serial}"]
    if republic:
        year = f"regexp_extract({plain}, '^(\\d{{1,3}})/', 1)"
        western = f"(1911 + TRY_CAST({year} AS INT))::VARCHAR || regexp_replace({plain}, '^\\d{{1,3}}/', '/')"
        branches.append(
            f"WHEN regexp_matches({plain}, '^\\d{{1,3}}/\\d{{1,2}}/\\d{{1,2}}(\\D|$)') "
            f"THEN try_strptime({western}, [{', '.join(literal('%Y/%m/%d' + time) for time in _TIMES)}])"
        )
        branches.append(
            f"WHEN regexp_full_match({plain}, '\\d{{7}}') "
            f"THEN try_strptime((19110000 + TRY_CAST({plain} AS INT))::VARCHAR, '%Y%m%d')"
        )
    naive = f"CASE {' '.join(branches)} ELSE try_strptime({plain}, [{listed}]) END"
    return _within(f"({naive})::TIMESTAMPTZ")
