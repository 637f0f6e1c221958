"""What a page of an analysis is: a question, and a function from the desk of its reader to the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.utils.functional import Promise

from patron.kernel.charts import Chart, Column

if TYPE_CHECKING:
    from patron.touchpoints.workspace.analyses.desk import Desk

Words: TypeAlias = "str | Promise"
Group = Literal["who", "keep", "sell", "win", "prove", "plan"]
Tone = Literal["neutral", "good", "warn", "bad", "accent", "vip", "info"]


@dataclass(frozen=True, slots=True)
class Who:
    """A cell that names a customer and leads to the customer's page; a row about somebody the reader may not see is
    left out."""

    customer_id: int


@dataclass(frozen=True, slots=True)
class Badge:
    """A cell with a state in a word."""

    text: Words
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads somewhere."""

    text: Words
    url: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One number with its name, written out."""

    label: Words
    value: str
    note: Words = ""
    url: str = ""


Row: TypeAlias = Sequence[object]


@dataclass(frozen=True, slots=True)
class ChartPart:
    """A picture with its title; two that follow one another stand side by side where there is room."""

    title: Words
    chart: Chart
    wide: bool = False


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table. `key` names it in the address of its file; `rows` are those to show.

    Cells are plain values, written by the style of their column, or `Who`, `Badge`, `Link`. `every` gives all rows for
    the file where the page shows only the first; `more` leads to the next ones. `only` the first so many columns are
    on the page (0: all of them), the others in the file alone.
    """

    key: str
    title: Words
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: Words = ""
    more: str = ""
    every: Callable[[], Iterable[Row]] | None = None
    empty: Words = ""
    only: int = 0


@dataclass(frozen=True, slots=True)
class TextPart:
    """Paragraphs under a title."""

    title: Words
    paragraphs: Sequence[Words]


Part: TypeAlias = ChartPart | TablePart | TextPart


@dataclass(frozen=True, slots=True)
class Answer:
    """The page: the answer in a sentence, numbers, pictures and tables, and how it was computed."""

    sentence: Words
    tiles: Sequence[Tile] = ()
    parts: Sequence[Part] = ()
    explanation: Sequence[Words] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What an analysis published about one customer; `score` is a number, `facts` what the analysis added."""

    label: str
    score: Decimal | None
    rank: int | None
    reason_code: str
    reason: str
    facts: Mapping[str, Any]
    currency: str


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """A registered page. `analysis` names the analysis whose results it shows, by default the one with its own name;
    "" for a page that needs none. `says` tells in a sentence what was published about one customer; where it cannot, it
    gives "" or raises KeyError or ValueError, and the customer's page leaves the line out. `labels` are the words for
    the labels it gives customers: the page then leads to the list of each."""

    name: str
    title: Words
    question: Words
    group: Group
    build: Callable[[Desk], Answer]
    icon: str = "chart-dots"
    order: int = 100
    analysis: str | None = None
    permission: str = "reports.view"
    says: Callable[[Finding], str] | None = None
    labels: Mapping[str, Words] = field(default_factory=dict)

    @property
    def shows(self) -> str:
        """The analysis whose results it shows; empty where it needs none."""
        return self.name if self.analysis is None else self.analysis


@dataclass(slots=True)
class Control:
    """What the reader may choose on the page; filled by the desk while the page is built."""

    name: str
    label: Words
    value: object
    kind: Literal["choice", "number", "flag"]
    options: Sequence[tuple[str, Words]] = field(default_factory=tuple)
    minimum: float | None = None
    maximum: float | None = None
    step: str = "any"
