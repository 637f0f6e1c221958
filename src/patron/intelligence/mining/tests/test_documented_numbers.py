"""The worked numbers of the algorithm pages are what the code gives: the tables are read from the pages."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from patron.intelligence.mining.inventory import flows, stage_lines, stock_lines
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.stages import LifecycleParameters, stages_over_time
from patron.intelligence.mining.testing import purchases, row, transactions
from patron.intelligence.mining.transactions import prepare

PAGES = Path(__file__).parents[5] / "docs" / "algorithms"
VALUE_AS_OF = dt.date(2025, 12, 31)
LIFECYCLE_AS_OF = dt.date(2025, 6, 30)


def table(page: str, name: str) -> list[dict[str, str]]:
    """The rows of the table that follows ``<!-- table: name -->``."""
    text = (PAGES / page).read_text(encoding="utf-8")
    lines = text.partition(f"<!-- table: {name} -->\n")[2].split("\n\n")[0].splitlines()
    assert len(lines) > 2, f"{page} has no table {name}"
    heading, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(heading, cells, strict=True)) for cells in body]


def as_written(value: object, like: str) -> str:
    """``value`` in the way the page writes it: as many decimals as ``like``, yes and no, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return f"{value:.{len(like.partition('.')[2])}f}"
    return str(value)


def assert_as_documented(computed: list[dict[str, object]], documented: list[dict[str, str]]) -> None:
    shown = [
        {name: as_written(row[name], cell) for name, cell in page.items()}
        for row, page in zip(computed, documented, strict=True)
    ]
    assert shown == documented


@pytest.fixture(scope="module")
def value():
    rows = [
        (
            each["customer"],
            dt.date.fromisoformat(each["day"]),
            Decimal(each["amount"]),
            Decimal(each["cost"]) if each["cost"] else None,
        )
        for each in table("value.md", "value input")
    ]
    source = transactions(rows, ("customer", "date", "amount", "cost"))
    return model_named("value").run(prepare(source), as_of=VALUE_AS_OF)


@pytest.fixture(scope="module")
def lifecycle_purchases():
    rows = []
    for each in table("lifecycle.md", "lifecycle input"):
        start, step, times = re.fullmatch(r"(\S+) every (\d+) days × (\d+)", each["visits"]).groups()
        first = dt.date.fromisoformat(start)
        rows += [
            row(each["customer"], first + dt.timedelta(int(step) * place), each["amount each"])
            for place in range(int(times))
        ]
    return purchases(rows)


def test_value_results(value):
    assert_as_documented(value.table.to_pylist(), table("value.md", "value result"))


def test_value_metrics(value):
    documented = {each["metric"]: each["value"] for each in table("value.md", "value metrics")}
    computed = {name: as_written(figure, documented.get(name, "")) for name, figure in value.report.metrics.items()}
    assert computed == documented


def test_lifecycle_results(lifecycle_purchases):
    result = model_named("lifecycle").run(lifecycle_purchases, as_of=LIFECYCLE_AS_OF)
    documented = table("lifecycle.md", "lifecycle result")
    by_customer = {each["customer"]: each for each in result.table.to_pylist()}
    assert len(by_customer) == len(documented)
    assert_as_documented([by_customer[each["customer"]] for each in documented], documented)


def test_lifecycle_inventory(lifecycle_purchases):
    moves = flows(stages_over_time(lifecycle_purchases, [dt.date(2025, 5, 31), LIFECYCLE_AS_OF]))
    documented = table("lifecycle.md", "lifecycle inventory")
    lines = [{name: getattr(line, name) for name in documented[0]} for line in stage_lines(moves)]
    assert_as_documented(lines, documented)
    (stock,) = stock_lines(moves)
    assert (stock.opening, stock.new, stock.reactivated, stock.lost, stock.closing) == (4, 1, 1, 0, 6)
    assert (stock.opening_money, stock.change_money, stock.closing_money) == (13330, 1020, 15710)


def test_lifecycle_page_names_every_parameter_with_its_default():
    text = (PAGES / "lifecycle.md").read_text(encoding="utf-8")
    for name, default in LifecycleParameters().as_dict().items():
        shown = f"{default * 100:g} %" if name == "trend_fall" else f"{default:g}"
        assert f"`{name}` ({shown})" in text, f"{name} = {shown} is not on the page"
