"""Late and corrected data: how much of a month that was over has changed since it was told. No Django.

Figures are always made from all of the data, so a sale that comes in late, or is voided, corrects its month by itself.
This table says that it did.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from patron.intelligence.warehouse.engine import files_sql
from patron.kernel.exports import ExportColumn

CORRECTIONS_MEANING = (
    "Late and corrected receipts: for each refresh, by how much a month changed that was over when the version before "
    "was made. One row for each month and currency."
)
CORRECTIONS_COLUMNS = (
    ExportColumn("version", "int64", "The version that brought it."),
    ExportColumn("noticed_on", "date", "Day of that refresh."),
    ExportColumn("month", "date", "First day of the month that changed."),
    ExportColumn("currency", "string", "ISO 4217 code."),
    ExportColumn("receipts", "int64", "Receipts that count: more, or fewer, than before."),
    ExportColumn("voided", "int64", "Voided receipts: more than before."),
    ExportColumn("sales", "decimal(18,2)", "Net sales: more, or less, than before."),
)


def corrections_sql(
    before: Sequence[Path], after: Sequence[Path], *, version: int, noticed_on: date, known_on: date
) -> str:
    """What changed in months that were over on `known_on`.

    `before` and `after` are the files of receipts that only the former, only the new version has: those that both have
    cancel out.
    """
    counted = " UNION ALL ".join(
        f"SELECT occurred_on, currency, is_voided, net_amount, {sign} AS sign FROM {files_sql(paths)}"  # noqa: S608
        for sign, paths in ((-1, before), (1, after))
        if paths
    )
    return f"""
        WITH changes AS (
            SELECT date_trunc('month', occurred_on)::DATE AS month, currency,
                   sum(CASE WHEN is_voided THEN 0 ELSE sign END) AS receipts,
                   sum(CASE WHEN is_voided THEN sign ELSE 0 END) AS voided,
                   sum(CASE WHEN is_voided THEN 0 ELSE sign * net_amount END) AS sales
            FROM ({counted}) WHERE occurred_on < date_trunc('month', DATE '{known_on.isoformat()}') GROUP BY ALL
        )
        SELECT {version} AS version, DATE '{noticed_on.isoformat()}' AS noticed_on, * FROM changes
        WHERE receipts <> 0 OR voided <> 0 OR sales <> 0
    """  # noqa: S608 (numbers and dates)
