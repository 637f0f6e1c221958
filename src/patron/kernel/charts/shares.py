"""Shares: how unevenly money is spread over customers, and how a stock is made up over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

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

VIP_SHARE = 0.2
TABLE_SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class LorenzPoint:
    """The best `customers` (share of all, 0 to 1, best first) bring `revenue` (share of all, 0 to 1)."""

    customers: float
    revenue: float


@dataclass(frozen=True, slots=True)
class Band:
    """One layer of a stacked area: a value for each month."""

    label: str
    colour: Colour
    values: tuple[Decimal | int | float, ...]


def revenue_at(curve: Sequence[LorenzPoint], customers: float) -> float:
    """The revenue share of the best `customers` share, read off the curve between its points."""
    before = LorenzPoint(0.0, 0.0)
    for point in curve:
        if point.customers >= customers:
            width = point.customers - before.customers
            if width <= 0:
                return point.revenue
            return before.revenue + (point.revenue - before.revenue) * (customers - before.customers) / width
        before = point
    return before.revenue


def customers_at(curve: Sequence[LorenzPoint], revenue: float) -> float:
    """The smallest share of customers that brings the `revenue` share, read off the curve between its points."""
    before = LorenzPoint(0.0, 0.0)
    for point in curve:
        if point.revenue >= revenue:
            height = point.revenue - before.revenue
            if height <= 0:
                return point.customers
            return before.customers + (point.customers - before.customers) * (revenue - before.revenue) / height
        before = point
    return before.customers


def lorenz(curve: Sequence[LorenzPoint], *, mark: float = VIP_SHARE, reading: str | None = None) -> Chart:
    """The cumulative revenue curve, best customers first, with `mark` (a share of customers) drawn on it.

    `curve` runs upwards in both shares; it need not contain the origin. A few hundred points are plenty.
    """
    points = [(0.0, 0.0), *((p.customers, p.revenue) for p in curve if p.customers > 0)]
    at_mark = revenue_at(curve, mark) if curve else 0.0
    accent, vip = colour("ink", "accent"), colour("ink", "vip")
    option = base(right=28, top=28)
    option["tooltip"] = tooltip(trigger="axis", valueFormatter=format_name("percent"))
    percent_axis = {"min": 0, "max": 1, "interval": 0.2}
    option["xAxis"] = value_axis(
        formatter=format_name("percent"),
        name=gettext("Customers, best first"),
        nameLocation="middle",
        nameGap=28,
        nameTextStyle={"color": colour("ink", "muted")},
        **percent_axis,
    )
    option["xAxis"]["splitLine"] = {"show": False}
    option["xAxis"]["axisPointer"] = {"label": {"formatter": format_name("percent")}}
    option["yAxis"] = value_axis(formatter=format_name("percent"), **percent_axis)
    option["grid"] |= {"bottom": 24}
    series: list[Option] = [
        {
            "name": gettext("Share of sales"),
            "type": "line",
            "showSymbol": False,
            "data": [[number(x), number(y)] for x, y in points],
            "lineStyle": {"width": 2.5, "color": accent},
            "itemStyle": {"color": accent},
            "areaStyle": {"color": colour("ink", "accent-soft")},
            "markLine": {
                "silent": True,
                "symbol": "none",
                "lineStyle": {"color": vip, "type": "dashed", "width": 1.5},
                "label": {"show": False},
                "data": [
                    [{"coord": [mark, 0]}, {"coord": [mark, number(at_mark)]}],
                    [{"coord": [0, number(at_mark)]}, {"coord": [mark, number(at_mark)]}],
                ],
            },
            "markPoint": {
                "silent": True,
                "symbol": "circle",
                "symbolSize": 9,
                "itemStyle": {"color": vip},
                "label": {
                    "show": True,
                    "position": "right",
                    "distance": 10,
                    "color": colour("ink", "strong"),
                    "fontWeight": "bold",
                    "formatter": gettext("%(customers)s of customers:\n%(revenue)s of sales")
                    % {"customers": formats.percent(mark, 0), "revenue": formats.percent(at_mark)},
                },
                "data": [{"coord": [mark, number(at_mark)]}],
            },
        },
        {
            "name": gettext("If all were equal"),
            "type": "line",
            "silent": True,
            "showSymbol": False,
            "data": [[0, 0], [1, 1]],
            "lineStyle": {"width": 1, "type": "dotted", "color": colour("ink", "muted")},
            "itemStyle": {"color": colour("ink", "muted")},
            "tooltip": {"show": False},
        },
    ]
    option["series"] = series if curve else []
    table = Table(
        (Column(gettext("Best customers"), "percent"), Column(gettext("Share of sales"), "percent")),
        tuple((share, revenue_at(curve, share)) for share in TABLE_SHARES) if curve else (),
    )
    return Chart(option, lorenz_reading(curve, mark=mark) if reading is None else reading, table, height="tall")


def lorenz_reading(curve: Sequence[LorenzPoint], *, mark: float = VIP_SHARE, goal: float = 0.8) -> str:
    """The curve in words: what the best customers bring, and how few bring most of the money."""
    if not curve:
        return gettext("Nothing to show yet.")
    return gettext(
        "The best %(mark)s of customers bring %(revenue)s of sales; "
        "%(goal)s of sales come from %(customers)s of customers."
    ) % {
        "mark": formats.percent(mark, 0),
        "revenue": formats.percent(revenue_at(curve, mark)),
        "goal": formats.percent(goal, 0),
        "customers": formats.percent(customers_at(curve, goal)),
    }


def stacked_area(
    months: Sequence[date],
    bands: Sequence[Band],
    *,
    style: Style = "count",
    currency: str = "",
    reading: str | None = None,
) -> Chart:
    """Layers that add up, one value per month each, the first band at the bottom.

    Raises ValueError when a band has not one value per month.
    """
    for band in bands:
        if len(band.values) != len(months):
            raise ValueError(f"band {band.label!r} has {len(band.values)} values for {len(months)} months")
    symbol = formats.currency_symbol(currency) if currency else ""
    option = base(legend=[band.label for band in bands])
    option["tooltip"] = tooltip(trigger="axis", valueFormatter=format_name(style, symbol))
    option["xAxis"] = category_axis(
        [month.isoformat() for month in months], formatter=format_name("month"), boundaryGap=False
    )
    option["yAxis"] = value_axis(formatter=format_name(style, symbol, compact=True))
    option["legend"]["icon"] = "roundRect"
    option["series"] = [
        {
            "name": band.label,
            "type": "line",
            "stack": "all",
            "showSymbol": False,
            "lineStyle": {"width": 1},
            "itemStyle": {"color": band.colour},
            "areaStyle": {"color": band.colour, "opacity": 0.75},
            "emphasis": {"focus": "series"},
            "data": [item(number(value)) for value in band.values],
        }
        for band in bands
    ]
    table = Table(
        (Column(gettext("Month"), "month"), *(Column(band.label, style) for band in bands)),
        tuple((month, *(band.values[i] for band in bands)) for i, month in enumerate(months)),
    )
    said = band_reading(months, bands, style=style, currency=currency) if reading is None else reading
    return Chart(option, said, table, currency)


def band_reading(months: Sequence[date], bands: Sequence[Band], *, style: Style = "count", currency: str = "") -> str:
    """The last month's total in words, and which band changed most since the first month."""
    if not months or not bands:
        return gettext("Nothing to show yet.")
    totals = [sum((Decimal(str(band.values[i])) for band in bands), Decimal()) for i in (0, -1)]
    moved = max(bands, key=lambda band: abs(Decimal(str(band.values[-1])) - Decimal(str(band.values[0]))))
    return gettext("%(total)s in %(month)s; %(band)s changed most, from %(first)s to %(last)s.") % {
        "total": formats.by_name(totals[1], style, currency=currency),
        "month": formats.day(months[-1], "month"),
        "band": moved.label,
        "first": formats.by_name(moved.values[0], style, currency=currency),
        "last": formats.by_name(moved.values[-1], style, currency=currency),
    }
