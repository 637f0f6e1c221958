"""Points by two measures, and cells by two names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from patron.kernel.charts.bars import Amount, Series
from patron.kernel.charts.chart import (
    Chart,
    Column,
    Table,
    base,
    category_axis,
    format_name,
    item,
    number,
    tooltip,
    value_axis,
)
from patron.kernel.charts.palette import Colour, colour
from patron.kernel.ui import formats

SMALLEST, LARGEST = 10, 54


@dataclass(frozen=True, slots=True)
class Dot:
    """One thing: where it stands, and how large it is drawn (0 to 1, by area; None for all the same)."""

    label: str
    x: Amount
    y: Amount
    size: float | None = None
    colour: Colour = ""
    url: str = ""


def scatter(dots: Sequence[Dot], *, x: Series, y: Series, heading: str, currency: str = "", reading: str) -> Chart:
    """Dots by two measures, named beside them; `heading` says what a dot is."""
    symbol = formats.currency_symbol(currency) if currency else ""
    option = base(top=24)
    option["grid"]["bottom"] = 26
    option["grid"]["right"] = 28
    option["tooltip"] = tooltip(trigger="item", formatter="format:told")
    option["xAxis"] = value_axis(
        formatter=format_name(x.style, symbol, compact=True),
        scale=True,
        name=x.label,
        nameLocation="middle",
        nameGap=26,
    )
    option["yAxis"] = value_axis(formatter=format_name(y.style, symbol, compact=True), scale=True, name=y.label)
    option["series"] = [
        {
            "type": "scatter",
            "data": [
                item(
                    [number(dot.x), number(dot.y)],
                    dot.url,
                    text=_told(dot, x, y, currency),
                    symbolSize=_size(dot),
                    itemStyle={"color": dot.colour or colour("ink", "accent"), "opacity": 0.75},
                    label={
                        "show": True,
                        "position": "top",
                        "formatter": dot.label,
                        "color": colour("ink", "strong"),
                        "fontSize": 11,
                    },
                )
                for dot in dots
            ],
            "labelLayout": {"moveOverlap": "shiftY"},
        }
    ]
    table = Table(
        (Column(heading), Column(x.label, x.style), Column(y.label, y.style)),
        tuple((dot.label, dot.x, dot.y) for dot in dots),
    )
    return Chart(option, reading, table, currency, height="tall")


def heatmap(
    cells: Mapping[tuple[str, str], Amount],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    measure: Series,
    headings: tuple[str, str],
    currency: str = "",
    reading: str,
) -> Chart:
    """A colour for each pair of names (row, column) that has a value; `headings` say what rows and columns are."""
    values = [float(value) for value in cells.values()]
    option = base(top=8)
    option["grid"]["bottom"] = 40
    option["tooltip"] = tooltip(trigger="item", formatter="format:told")
    option["xAxis"] = category_axis(columns, splitArea={"show": False})
    option["xAxis"]["axisLabel"] |= {"rotate": 40, "hideOverlap": False, "width": 110, "overflow": "truncate"}
    option["yAxis"] = category_axis(list(rows), inverse=True)
    option["yAxis"]["axisLabel"] |= {"width": 110, "overflow": "truncate"}
    option["visualMap"] = {
        "min": number(min(values, default=0)),
        "max": number(max(values, default=1)),
        "show": False,
        "inRange": {"color": [colour("ink", "accent-soft"), colour("ink", "accent")]},
    }
    option["series"] = [
        {
            "type": "heatmap",
            "data": [
                item(
                    [columns.index(column), rows.index(row), number(value)],
                    text=f"{row} × {column}: {formats.by_name(value, measure.style, currency=currency)}",
                )
                for (row, column), value in cells.items()
            ],
            "itemStyle": {"borderWidth": 1, "borderColor": colour("ink", "surface")},
        }
    ]
    table = Table(
        (Column(headings[0]), Column(headings[1]), Column(measure.label, measure.style)),
        tuple((row, column, value) for (row, column), value in cells.items()),
    )
    return Chart(option, reading, table, currency, height="tall")


def _size(dot: Dot) -> float:
    return SMALLEST + 6 if dot.size is None else round(SMALLEST + (LARGEST - SMALLEST) * max(0.0, dot.size) ** 0.5, 1)


def _told(dot: Dot, x: Series, y: Series, currency: str) -> str:
    return gettext("%(name)s: %(x)s %(x_value)s, %(y)s %(y_value)s") % {
        "name": dot.label,
        "x": x.label,
        "x_value": formats.by_name(dot.x, x.style, currency=currency),
        "y": y.label,
        "y_value": formats.by_name(dot.y, y.style, currency=currency),
    }
