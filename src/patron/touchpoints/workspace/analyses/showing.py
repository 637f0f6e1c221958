"""From an answer to what the template writes: names of customers in one query, cells in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse

from patron.core.customers.queries.names import NamedCustomer, get_named_customers
from patron.kernel.actor import Actor
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import (
    Answer,
    Badge,
    ChartPart,
    Link,
    Part,
    Row,
    TablePart,
    TextPart,
    Who,
)

FILE_ROWS = 1000
LONG_ROWS = 14
SHORT_TEXT, LONG_TEXT = 22, 60  # in Latin letters; a Chinese character is as wide as two
SHORT_HEADING = 11
TEXT_STYLES = frozenset({"text", "day", "short", "month"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, written out; `url` and `tone` where it is a link or a badge."""

    text: str
    numeric: bool = False
    url: str = ""
    tone: str = ""
    who: bool = False

    @property
    def width(self) -> str:
        """The class that keeps words from being broken letter by letter where the screen is narrow."""
        if self.numeric:
            return "num"
        letters = _letters(self.text)
        if letters <= SHORT_TEXT:
            return "nowrap"
        return "is-prose" if letters <= LONG_TEXT else "is-prose is-long"


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of one column."""

    text: str
    numeric: bool

    @property
    def css(self) -> str:
        """Its classes: to the right above numbers, and on several lines where it is long."""
        wraps = "wraps" if _letters(self.text) > SHORT_HEADING else ""
        return f"{'num' if self.numeric else ''} {wraps}".strip()


@dataclass(frozen=True, slots=True)
class Shown:
    """One part for the template: `kind` is charts (one or two side by side), table or text."""

    kind: str
    parts: Sequence[Part]
    headings: Sequence[Heading] = ()
    rows: Sequence[Sequence[Cell]] = ()

    @property
    def long(self) -> bool:
        """Whether the table is scrolled by itself, so that what follows stays in reach."""
        return len(self.rows) > LONG_ROWS


def shown(answer: Answer, *, actor: Actor, currency: str) -> list[Shown]:
    """The parts in order, two charts that follow one another together."""
    names = _names((row for part in answer.parts if isinstance(part, TablePart) for row in part.rows), actor)
    result: list[Shown] = []
    for part in answer.parts:
        if isinstance(part, TablePart):
            columns = part.columns[: part.only or None]
            headings = [Heading(str(column.label), _is_number(column)) for column in columns]
            result.append(Shown("table", [part], headings, _cells(columns, part.rows, names, currency)))
        elif isinstance(part, TextPart):
            result.append(Shown("text", [part]))
        elif _joins(result, part):
            result[-1] = Shown("charts", [*result[-1].parts, part])
        else:
            result.append(Shown("charts", [part]))
    return result


def file_rows(part: TablePart, *, actor: Actor) -> Iterator[Sequence[object]]:
    """All rows of a table for a file: plain values, customers by number and name."""
    block: list[Row] = []
    for row in part.every() if part.every is not None else part.rows:
        block.append(row)
        if len(block) == FILE_ROWS:
            yield from _file_block(block, actor)
            block = []
    yield from _file_block(block, actor)


def file_header(part: TablePart, customer_number: str) -> list[str]:
    """The headings of the file; a customer has two columns, number and name."""
    header: list[str] = []
    named = {place for row in part.rows[:1] for place, cell in enumerate(row) if isinstance(cell, Who)}
    for place, column in enumerate(part.columns):
        header.extend([customer_number, str(column.label)] if place in named else [str(column.label)])
    return header


def _joins(result: Sequence[Shown], part: ChartPart) -> bool:
    if not result or result[-1].kind != "charts" or part.wide:
        return False
    before = result[-1].parts
    return len(before) == 1 and isinstance(before[0], ChartPart) and not before[0].wide


def _names(rows: Iterable[Row], actor: Actor) -> Mapping[int, NamedCustomer]:
    ids = {cell.customer_id for row in rows for cell in row if isinstance(cell, Who)}
    return get_named_customers(ids, actor) if ids and actor.can("customers.view") else {}


def _visible(row: Row, names: Mapping[int, NamedCustomer]) -> bool:
    return all(cell.customer_id in names for cell in row if isinstance(cell, Who))


def _cells(
    columns: Sequence[Column], rows: Iterable[Row], names: Mapping[int, NamedCustomer], currency: str
) -> list[list[Cell]]:
    return [
        [_cell(cell, column, names, currency) for cell, column in zip(row[: len(columns)], columns, strict=True)]
        for row in rows
        if _visible(row, names)
    ]


def _cell(value: object, column: Column, names: Mapping[int, NamedCustomer], currency: str) -> Cell:
    if isinstance(value, Who):
        named = names[value.customer_id]
        return Cell(named.name, url=reverse("customer", args=[named.number]), who=True)
    if isinstance(value, Badge):
        return Cell(str(value.text), tone="accent" if value.tone == "info" else value.tone)
    if isinstance(value, Link):
        return Cell(str(value.text), url=value.url, numeric=_is_number(column))
    text = str(value) if isinstance(value, str) else formats.by_name(value, column.style, currency=currency)
    return Cell(text, numeric=_is_number(column))


def _is_number(column: Column) -> bool:
    return column.style not in TEXT_STYLES


def _letters(text: str) -> int:
    """How wide a text is, in Latin letters."""
    return sum(2 if letter >= "\u2e80" else 1 for letter in text)


def _file_block(block: Sequence[Row], actor: Actor) -> Iterator[Sequence[object]]:
    names = _names(block, actor)
    for row in block:
        if not _visible(row, names):
            continue
        plain: list[object] = []
        for value in row:
            if isinstance(value, Who):
                plain.extend([names[value.customer_id].number, names[value.customer_id].name])
            elif isinstance(value, Badge | Link):
                plain.append(str(value.text))
            else:
                plain.append(value if isinstance(value, int | float | Decimal) or value is None else _dated(value))
        yield plain


def _dated(value: object) -> object:
    """Dates stay dates; anything else becomes its words."""
    return value if hasattr(value, "isoformat") else str(value)
