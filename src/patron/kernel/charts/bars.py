"""Bars: over time with a line beside them, over ranges, and ranked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext

from patron.kernel.charts.chart import (
    Chart,
    Column,
    Option,
    Style,
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

Amount = Decimal | int | float


@dataclass(frozen=True, slots=True)
class Series:
    """What is measured: its name in the user's language and how it is written."""

    label: str
    style: Literal["money", "count", "decimal", "ratio", "percent"] = "count"


@dataclass(frozen=True, slots=True)
class Period:
    """A week or month that starts on `start`: the bar's value, the line's, and the bar's a year before."""

    start: date
    value: Amount
    line: Amount | None = None
    last_year: Amount | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """A range of a histogram, `low` included, `high` excluded; `high` None is "and more"."""

    low: Amount
    high: Amount | None
    count: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class RankedBar:
    """One bar of a ranking."""

    label: str
    value: Amount
    url: str = ""
    colour: Colour = ""


def bars_and_line(
    periods: Sequence[Period],
    *,
    bars: Series,
    line: Series | None = None,
    currency: str = "",
    every: Literal["week", "month"] = "week",
    reading: str | None = None,
) -> Chart:
    """Bars per period with last year's dimmed beside them, and a line on an axis of its own.

    `reading` None says how the last period compares with the one before and with last year.
    """
    symbol = formats.currency_symbol(currency) if currency else ""
    style: Style = "short" if every == "week" else "month"
    with_last_year = any(p.last_year is not None for p in periods)
    last_year = gettext("%(measure)s, last year") % {"measure": bars.label}
    series: list[Option] = []
    if with_last_year:
        series.append(
            {
                "name": last_year,
                "type": "bar",
                "data": [number(p.last_year) for p in periods],
                "itemStyle": {"color": colour("ink", "dimmed"), "borderRadius": [2, 2, 0, 0]},
                "tooltip": {"valueFormatter": format_name(bars.style, symbol)},
                "barGap": "-70%",
                "barCategoryGap": "35%",
                "silent": True,
            }
        )
    series.append(
        {
            "name": bars.label,
            "type": "bar",
            "data": [item(number(p.value), p.url) for p in periods],
            "itemStyle": {"color": colour("ink", "accent"), "borderRadius": [2, 2, 0, 0]},
            "tooltip": {"valueFormatter": format_name(bars.style, symbol)},
            "barCategoryGap": "35%",
        }
    )
    if line is not None:
        series.append(
            {
                "name": line.label,
                "type": "line",
                "yAxisIndex": 1,
                "data": [number(p.line) for p in periods],
                "itemStyle": {"color": colour("series", "2")},
                "lineStyle": {"width": 2},
                "symbol": "circle",
                "symbolSize": 5,
                "tooltip": {"valueFormatter": format_name(line.style, symbol)},
            }
        )
    option = base(legend=[s["name"] for s in series])
    option["tooltip"] = tooltip(trigger="axis", axisPointer={"type": "shadow"})
    option["xAxis"] = category_axis([p.start.isoformat() for p in periods], formatter=format_name(style))
    option["yAxis"] = [value_axis(formatter=format_name(bars.style, symbol, compact=True))]
    if line is not None:
        option["yAxis"].append(
            value_axis(formatter=format_name(line.style, symbol, compact=True), alignTicks=True)
            | {"splitLine": {"show": False}}
        )
    option["series"] = series
    columns = [Column(gettext("Week from"), "day") if every == "week" else Column(gettext("Month"), "month")]
    columns.append(Column(bars.label, bars.style))
    if with_last_year:
        columns.append(Column(last_year, bars.style))
    if line is not None:
        columns.append(Column(line.label, line.style))
    rows = tuple(
        (p.start, p.value, *((p.last_year,) if with_last_year else ()), *((p.line,) if line is not None else ()))
        for p in periods
    )
    said = trend_reading(periods, bars=bars, currency=currency) if reading is None else reading
    return Chart(option, said, Table(tuple(columns), rows), currency)


def _written(value: Amount, style: Style, currency: str) -> str:
    return formats.by_name(value, style, currency=currency)


def _change(now: Amount, before: Amount | None) -> Decimal | None:
    if before is None or not before:
        return None
    return (Decimal(str(now)) - Decimal(str(before))) / abs(Decimal(str(before)))


def trend_reading(periods: Sequence[Period], *, bars: Series, currency: str = "") -> str:
    """The last period in words: its value, the change on the period before, and on the same period last year."""
    if not periods:
        return gettext("Nothing to show yet.")
    last = periods[-1]
    facts = {"measure": bars.label, "value": _written(last.value, bars.style, currency)}
    before = _change(last.value, periods[-2].value if len(periods) > 1 else None)
    year = _change(last.value, last.last_year)
    if before is not None and year is not None:
        facts |= {"change": formats.percent(before, signed=True), "year": formats.percent(year, signed=True)}
        return gettext("%(measure)s: %(value)s, %(change)s on the period before, %(year)s on last year.") % facts
    if before is not None:
        facts |= {"change": formats.percent(before, signed=True)}
        return gettext("%(measure)s: %(value)s, %(change)s on the period before.") % facts
    return gettext("%(measure)s: %(value)s.") % facts


def _range(bin_: Bin, style: Style, currency: str) -> str:
    low = _written(bin_.low, style, currency)
    if bin_.high is None:
        return gettext("%(low)s and more") % {"low": low}
    return f"{low}–{_written(bin_.high, style, currency)}"


def histogram(
    bins: Sequence[Bin], *, measure: Series, counted: str, currency: str = "", reading: str | None = None
) -> Chart:
    """How many of `counted` fall in each range of `measure`. `reading` None names the fullest range and its share."""
    labels = [_range(b, measure.style, currency) for b in bins]
    option = base()
    option["tooltip"] = tooltip(trigger="axis", axisPointer={"type": "shadow"})
    # Money is counted in whole units below the bars: the symbol stands in the table.
    shown: Style = "count" if measure.style == "money" else measure.style
    option["xAxis"] = category_axis([_range(b, shown, "") for b in bins])
    option["yAxis"] = value_axis(formatter=format_name("count", compact=True), minInterval=1)
    option["series"] = [
        {
            "name": counted,
            "type": "bar",
            "barCategoryGap": "8%",
            "data": [item(b.count, b.url) for b in bins],
            "itemStyle": {"color": colour("ink", "accent"), "borderRadius": [2, 2, 0, 0]},
            "tooltip": {"valueFormatter": format_name("count")},
        }
    ]
    total = sum(b.count for b in bins)
    if reading is None and total:
        fullest = max(range(len(bins)), key=lambda i: bins[i].count)
        reading = gettext("Most fall in %(range)s: %(count)s of %(total)s (%(share)s).") % {
            "range": labels[fullest],
            "count": formats.count(bins[fullest].count),
            "total": formats.count(total),
            "share": formats.percent(bins[fullest].count / total),
        }
    table = Table(
        (Column(measure.label), Column(counted, "count"), Column(gettext("Share"), "percent")),
        tuple((label, b.count, b.count / total if total else None) for label, b in zip(labels, bins, strict=True)),
    )
    return Chart(option, reading or gettext("Nothing to show yet."), table, currency)


def horizontal_bars(
    rows: Sequence[RankedBar], *, measure: Series, heading: str, currency: str = "", reading: str | None = None
) -> Chart:
    """Bars from left to right in the order given, first on top. `heading` names what the rows are."""
    symbol = formats.currency_symbol(currency) if currency else ""
    option = base(right=56)
    option["tooltip"] = tooltip(trigger="item")
    option["xAxis"] = value_axis(formatter=format_name(measure.style, symbol, compact=True), show=False)
    option["yAxis"] = category_axis([r.label for r in rows], inverse=True)
    option["yAxis"]["axisLabel"] |= {"width": 140, "overflow": "truncate", "hideOverlap": False}
    option["series"] = [
        {
            "name": measure.label,
            "type": "bar",
            "barMaxWidth": 20,
            "data": [
                item(number(r.value), r.url, **({"itemStyle": {"color": r.colour}} if r.colour else {})) for r in rows
            ],
            "itemStyle": {"color": colour("ink", "accent"), "borderRadius": [0, 2, 2, 0]},
            "label": {
                "show": True,
                "position": "right",
                "color": colour("ink", "muted"),
                "formatter": format_name(measure.style, symbol, compact=True),
            },
            "tooltip": {"valueFormatter": format_name(measure.style, symbol)},
        }
    ]
    if reading is None and rows:
        top = max(rows, key=lambda r: r.value)
        reading = gettext("%(label)s leads with %(value)s.") % {
            "label": top.label,
            "value": _written(top.value, measure.style, currency),
        }
    table = Table((Column(heading), Column(measure.label, measure.style)), tuple((r.label, r.value) for r in rows))
    return Chart(option, reading or gettext("Nothing to show yet."), table, currency)
