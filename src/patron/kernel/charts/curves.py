"""Curves over a number or over days, with the band in which the truth is expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.utils.translation import gettext

from patron.kernel.charts.bars import Amount, Series
from patron.kernel.charts.chart import (
    Chart,
    Column,
    Option,
    Style,
    Table,
    base,
    category_axis,
    format_name,
    number,
    tooltip,
    value_axis,
)
from patron.kernel.charts.palette import Colour, colour
from patron.kernel.ui import formats

X = Amount | date


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: its points (x ascending; a y of None leaves a gap), and the band around it by x."""

    label: str
    points: Sequence[tuple[X, Amount | None]]
    low: Sequence[tuple[X, Amount | None]] | None = None
    high: Sequence[tuple[X, Amount | None]] | None = None
    dashed: bool = False
    colour: Colour = ""


@dataclass(frozen=True, slots=True)
class Days:
    """The horizontal axis of curves over days."""

    label: str
    style: Literal["day", "short", "month"] = "short"


def curves(
    drawn: Sequence[Curve],
    *,
    x: Series | Days,
    y: Series,
    currency: str = "",
    reading: str | None = None,
    height: Literal["short", "normal", "tall"] = "normal",
) -> Chart:
    """Curves over the same axis, numbers or days; each has the colour of its place unless it brings one.

    `reading` None says where the first curve ends. Raises ValueError when a band has other places than its curve.
    """
    symbol = formats.currency_symbol(currency) if currency else ""
    on_days = isinstance(x, Days)
    option = base(legend=[curve.label for curve in drawn] if len(drawn) > 1 else ())
    option["tooltip"] = tooltip(trigger="axis", valueFormatter=format_name(y.style, symbol))
    places = sorted({place for curve in drawn for place, _value in curve.points})
    if on_days:
        option["xAxis"] = category_axis(
            [place.isoformat() for place in places if isinstance(place, date)],
            formatter=format_name(x.style),
            boundaryGap=False,
        )
    else:
        option["xAxis"] = {
            **(along := value_axis(formatter=format_name(x.style, symbol, compact=True))),
            "axisLabel": {**along["axisLabel"], "hideOverlap": True},
            "min": "dataMin",
            "max": "dataMax",
            "name": x.label,
            "nameLocation": "middle",
            "nameGap": 24,
            "splitLine": {"show": False},
        }
        option["grid"]["bottom"] = 24
    option["yAxis"] = value_axis(formatter=format_name(y.style, symbol, compact=True))
    series: list[Option] = []
    for place, curve in enumerate(drawn):
        shade = curve.colour or colour("series", str(place % 6 + 1))
        if curve.low is not None and curve.high is not None:
            series.extend(_band(curve, shade, f"band-{place}"))
        series.append(
            {
                "name": curve.label,
                "type": "line",
                "showSymbol": len(curve.points) < 3,
                "data": [[_written(at), number(value)] for at, value in curve.points],
                "itemStyle": {"color": shade},
                "lineStyle": {"width": 2, "type": "dashed" if curve.dashed else "solid"},
            }
        )
    option["series"] = series
    table = _table(drawn, places, x, y)
    return Chart(
        option, _reading(drawn, x, y, currency) if reading is None else reading, table, currency, height=height
    )


def _band(curve: Curve, shade: Colour, stack: str) -> list[Option]:
    """The area between low and high: an unseen line, and the difference stacked upon it."""
    low, high = curve.low or (), curve.high or ()
    if [at for at, _value in low] != [at for at, _value in high]:
        raise ValueError(f"the band of {curve.label!r} has other places below than above")
    unseen: Option = {
        "type": "line",
        "stack": stack,
        "stackStrategy": "all",
        "silent": True,
        "symbol": "none",
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
    }
    widths = [
        [_written(at), None if top is None or bottom is None else number(float(top) - float(bottom))]
        for (at, bottom), (_at, top) in zip(low, high, strict=True)
    ]
    return [
        {**unseen, "data": [[_written(at), number(value)] for at, value in low]},
        {**unseen, "data": widths, "areaStyle": {"color": shade, "opacity": 0.16}},
    ]


def _table(drawn: Sequence[Curve], places: Sequence[X], x: Series | Days, y: Series) -> Table:
    columns: list[Column] = [Column(x.label, x.style)]
    values = []
    for curve in drawn:
        columns.append(Column(curve.label, y.style))
        values.append(dict(curve.points))
        if curve.low is not None and curve.high is not None:
            columns += [
                Column(gettext("%(name)s, at least") % {"name": curve.label}, y.style),
                Column(gettext("%(name)s, at most") % {"name": curve.label}, y.style),
            ]
            values += [dict(curve.low), dict(curve.high)]
    return Table(tuple(columns), tuple((place, *(each.get(place) for each in values)) for place in places))


def _reading(drawn: Sequence[Curve], x: Series | Days, y: Series, currency: str) -> str:
    known = [(at, value) for at, value in drawn[0].points if value is not None] if drawn else []
    if not known:
        return gettext("Nothing to show yet.")
    at, value = known[-1]
    style: Style = x.style
    return gettext("%(name)s: %(value)s at %(place)s.") % {
        "name": drawn[0].label,
        "value": formats.by_name(value, y.style, currency=currency),
        "place": formats.by_name(at, style, currency=currency),
    }


def _written(place: X) -> object:
    return place.isoformat() if isinstance(place, date) else number(place)
