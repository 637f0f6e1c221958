"""The data dictionary: what warehouse and marts hold, written from their contracts."""

from collections.abc import Iterable, Sequence

from patron.intelligence.insights.analyses.registry import analyses
from patron.intelligence.insights.marts import months, reach, sales, stages, value
from patron.intelligence.insights.marts.attributes import CUSTOMER_ATTRIBUTES
from patron.intelligence.insights.marts.contract import DEPARTMENTS, Mart
from patron.intelligence.insights.marts.history import CUSTOMER_HISTORY
from patron.intelligence.warehouse.corrections import CORRECTIONS_COLUMNS, CORRECTIONS_MEANING
from patron.intelligence.warehouse.dates import DATES_COLUMNS, DATES_MEANING
from patron.kernel.exports import Export, ExportColumn, columns_of, exports

#: Every mart, in the order in which they are made.
MARTS: tuple[Mart, ...] = (
    value.CUSTOMER_VALUE,
    value.LORENZ,
    value.VIP_SUMMARY,
    stages.CUSTOMER_STAGE,
    stages.INVENTORY_FLOWS,
    stages.INVENTORY_CELLS,
    sales.WEEKLY_SALES,
    sales.DAILY_SALES,
    *months.MONTH_MARTS,
    *reach.REACH_MARTS,
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_HISTORY,
)

_HEAD = """\
# Data dictionary

What the warehouse holds, table by table. This page is written from the contracts in each room's `exports.py` and in
`intelligence/insights/marts/`; a test keeps it in step. To write it anew:

    python -m django shell --no-imports --settings patron.config.settings \\
        -c "from patron.intelligence.insights.dictionary import data_dictionary; print(data_dictionary(), end='')"

Read it from a page, a report or a notebook:

    from patron.intelligence.warehouse.reader import open_warehouse

    warehouse = open_warehouse()                  # one version, for as long as you hold it
    warehouse.table("purchase_lines")             # an Ibis table
    warehouse.rows("SELECT * FROM vip_summary")   # or DuckDB's SQL

Money is exact (decimal). Instants are UTC; days are those of the branch, else of the organisation. Names of people,
phones, e-mails, streets, days of birth, numbers of cards and of other systems, codes of vouchers, keys and what staff
wrote never leave the database.
"""


_ROWS = {"append": "Rows never change.", "upsert": "Rows may change.", "replace": "Rows may change, and go."}

_OF_ANALYSES = """\
They are read by the same names as marts. An analysis that did worse than its baseline leaves what was there.
"""


def data_dictionary() -> str:
    """The page as Markdown."""
    sections = ["## Tables\n", *(_export(export) for export in exports)]
    sections.append(_section("dates", DATES_MEANING, DATES_COLUMNS))
    sections.append(_section("corrections", CORRECTIONS_MEANING, CORRECTIONS_COLUMNS))
    sections.append(f"## Marts\n\n{_by_department(MARTS)}")
    sections.extend(_mart(mart) for mart in MARTS)
    found = [(analysis, mart) for analysis in analyses().values() for mart in analysis.marts]
    sections.append(f"## Results of analyses\n\n{_OF_ANALYSES}")
    sections.extend(_mart(mart, f"Made by the analysis {analysis.name}: {analysis.title}.") for analysis, mart in found)
    return "\n".join([_HEAD, *sections])


def _by_department(marts: Iterable[Mart]) -> str:
    grouped = {name: [mart.name for mart in marts if mart.department == name] for name in DEPARTMENTS}
    rows = [f"| {name} | {', '.join(f'`{mart}`' for mart in of_it)} |" for name, of_it in grouped.items()]
    return "\n".join(["Whose questions they answer first:\n", "| department | marts |", "|---|---|", *rows, ""])


def _mart(mart: Mart, more: str = "") -> str:
    return _section(mart.name, f"{mart.meaning} {more} Stored by {mart.order}.".replace("  ", " "), mart.columns)


def _export(export: Export) -> str:
    facts = [f"Key: {_named(export.key)}.", _ROWS[export.load]]
    facts.append(f"Reconciled: {_named(total.name for total in export.totals)}.")
    if export.month_of:
        facts.append(f"Files by the month of {export.month_of}{', let go by month' if export.detail else ''}.")
    if export.carried is not None:
        facts.append(f"{_named(export.carried.columns)} come from {export.carried.parent}.")
    return _section(export.name, f"{export.meaning} {' '.join(facts)}", columns_of(export))


def _section(name: str, meaning: str, columns: Sequence[ExportColumn]) -> str:
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns]
    return "\n".join([f"### {name}\n", f"{meaning}\n", "| column | type | meaning |", "|---|---|---|", *rows, ""])


def _named(names: Iterable[str]) -> str:
    return ", ".join(names)
