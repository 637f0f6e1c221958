"""The dates dimension: made here, not exported by a room."""

from patron.kernel.exports import ExportColumn

DATES_MEANING = "Calendar: one row for each day, from the year of the first purchase to the end of the present year."
DATES_COLUMNS = (
    ExportColumn("date", "date", "The day."),
    ExportColumn("year", "int32", "Year."),
    ExportColumn("quarter", "int32", "Quarter, 1 to 4."),
    ExportColumn("month", "int32", "Month, 1 to 12."),
    ExportColumn("day", "int32", "Day of the month."),
    ExportColumn("weekday", "int32", "Day of the week, 1 (Monday) to 7 (ISO 8601)."),
    ExportColumn("iso_year", "int32", "Year that the week belongs to (ISO 8601)."),
    ExportColumn("iso_week", "int32", "Week, 1 to 53 (ISO 8601)."),
    ExportColumn("week_start", "date", "Monday of the week."),
    ExportColumn("month_start", "date", "First day of the month."),
    ExportColumn("is_weekend", "bool", "Whether it is a Saturday or a Sunday."),
)


def dates_sql(first_year: int, last_year: int) -> str:
    """The calendar from 1 January of `first_year` to 31 December of `last_year`, in DuckDB's SQL."""
    days = f"generate_series(DATE '{int(first_year)}-01-01', DATE '{int(last_year)}-12-31', INTERVAL 1 DAY)"
    return f"""
        SELECT d AS date, year(d)::int AS year, quarter(d)::int AS quarter, month(d)::int AS month, day(d)::int AS day,
               isodow(d)::int AS weekday, isoyear(d)::int AS iso_year, weekofyear(d)::int AS iso_week,
               (d - (isodow(d)::int - 1))::date AS week_start, date_trunc('month', d)::date AS month_start,
               isodow(d) >= 6 AS is_weekend
        FROM (SELECT unnest({days})::date AS d) ORDER BY d
    """  # noqa: S608 (whole numbers)
