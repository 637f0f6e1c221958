"""The data dictionary is in step with the contracts."""

from pathlib import Path

from patron.intelligence.insights.dictionary import MARTS, data_dictionary
from patron.kernel.exports import exports

PAGE = Path(__file__).parents[5] / "docs" / "data-dictionary.md"


def test_the_page_is_what_the_contracts_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_dictionary(), (
        "write docs/data-dictionary.md anew; its head says how"
    )


def test_every_table_and_column_is_explained() -> None:
    page = data_dictionary()
    for table in (*exports, *MARTS):
        assert f"### {table.name}\n" in page
        assert all(column.meaning.endswith((".", "…")) for column in table.columns), table.name
