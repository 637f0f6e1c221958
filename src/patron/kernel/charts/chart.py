"""A chart as a page needs it, and the parts that all options share."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from patron.kernel.charts.palette import colour

Option = dict[str, Any]
"""An ECharts option: JSON-ready values only."""

Style = Literal["text", "count", "decimal", "ratio", "money", "price", "percent", "day", "short", "month"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table beside a chart; `style` names how its cells are written."""

    label: str
    style: Style = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """The same facts as the chart, for readers who want or need the numbers. The first column heads each row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """An option, what it says in one sentence, and its table. `height` is one of the heights in `charts.css`."""

    option: Option
    reading: str
    table: Table
    currency: str = ""
    height: Literal["strip", "short", "normal", "tall", "square", "branched"] = "normal"

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.table.rows


def number(value: Decimal | float | int | None, places: int = 4) -> float | int | None:
    """A JSON number. Decimals lose nothing a screen could show; money in tables stays Decimal."""
    if value is None or isinstance(value, int):
        return value
    return round(float(value), places)


def format_name(style: Style, currency_symbol: str = "", *, compact: bool = False) -> str:
    """The name that the page's chart controller turns into a formatter in the page's language."""
    name = f"{style}-compact" if compact and style in {"money", "count"} else style
    return f"format:{name}:{currency_symbol}" if style == "money" and currency_symbol else f"format:{name}"


def base(*, legend: Sequence[str] = (), left: int = 8, right: int = 12, top: int | None = None) -> Option:
    """What every option starts from. No animation: a chart that moves explains nothing."""
    option: Option = {
        "animation": False,
        "textStyle": {"color": colour("ink", "strong")},
        "tooltip": tooltip(),
        "grid": {
            "left": left,
            "right": right,
            "top": (36 if legend else 16) if top is None else top,
            "bottom": 4,
            "outerBoundsMode": "same",
            "outerBoundsContain": "axisLabel",
        },
    }
    if legend:
        option["legend"] = {
            "data": list(legend),
            "left": 0,
            "top": 0,
            "itemWidth": 12,
            "itemHeight": 8,
            "itemGap": 16,
            "type": "scroll",
            "textStyle": {"color": colour("ink", "muted")},
        }
    return option


def tooltip(**extra: Any) -> Option:
    """Tooltips are drawn on the canvas: HTML ones would need inline styles, which the security policy forbids."""
    return {
        "renderMode": "richText",
        "confine": True,
        "backgroundColor": colour("ink", "surface"),
        "borderColor": colour("ink", "line"),
        "textStyle": {"color": colour("ink", "strong"), "fontSize": 12},
        **extra,
    }


def category_axis(data: Sequence[str], *, formatter: str = "", **extra: Any) -> Option:
    label: Option = {"color": colour("ink", "muted"), "hideOverlap": True}
    if formatter:
        label["formatter"] = formatter
        extra["axisPointer"] = {"label": {"formatter": formatter}}
    return {
        "type": "category",
        "data": list(data),
        "axisLabel": label,
        "axisLine": {"lineStyle": {"color": colour("ink", "line")}},
        "axisTick": {"show": False},
        **extra,
    }


def value_axis(*, formatter: str, **extra: Any) -> Option:
    return {
        "type": "value",
        "axisLabel": {"color": colour("ink", "muted"), "formatter": formatter},
        "splitLine": {"lineStyle": {"color": colour("ink", "line")}},
        "splitNumber": 4,
        **extra,
    }


def item(value: object, url: str = "", **extra: Any) -> Option:
    """A data item; a click on one that has a `url` goes there."""
    return {"value": value, **({"url": url} if url else {}), **extra}
