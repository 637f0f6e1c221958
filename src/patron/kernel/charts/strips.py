"""Strips: one customer's visits on a line of time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext, ngettext

from patron.kernel.charts.chart import Chart, Column, Table, base, format_name, number, tooltip
from patron.kernel.charts.palette import colour
from patron.kernel.ui import formats

SMALLEST_DOT, LARGEST_DOT = 6.0, 18.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A day on which the customer bought, and for how much."""

    on: date
    amount: Decimal
    url: str = ""


def _dot(amount: Decimal, largest: Decimal) -> float:
    """A diameter whose area grows with the amount."""
    if largest <= 0 or amount <= 0:
        return SMALLEST_DOT
    return round(max(SMALLEST_DOT, LARGEST_DOT * math.sqrt(amount / largest)), 1)


def rhythm(
    visits: Sequence[Visit],
    *,
    as_of: date,
    usual_days: tuple[int, int] | None = None,
    currency: str = "",
    reading: str | None = None,
) -> Chart:
    """A dot per visit, larger for more money, and the band of days in which the next visit was to be expected.

    `usual_days` is the range of the customer's usual gap (for example the quartiles), counted from the last visit;
    None while there are too few visits to know.
    """
    ordered = sorted(visits, key=lambda visit: visit.on)
    largest = max((visit.amount for visit in ordered), default=Decimal())
    symbol = formats.currency_symbol(currency) if currency else ""
    series: dict[str, object] = {
        "name": gettext("Visits"),
        "type": "scatter",
        "data": [
            {
                "value": [visit.on.isoformat(), 0, number(visit.amount)],
                "symbolSize": _dot(visit.amount, largest),
                **({"url": visit.url} if visit.url else {}),
            }
            for visit in ordered
        ],
        "itemStyle": {"color": colour("ink", "accent"), "opacity": 0.75},
        "tooltip": {"formatter": f"format:visit:{symbol}"},
        "markLine": {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": colour("ink", "muted"), "type": "solid", "width": 1},
            "label": {"formatter": gettext("today"), "color": colour("ink", "muted"), "position": "end"},
            "data": [{"xAxis": as_of.isoformat()}],
        },
    }
    end = as_of
    if usual_days is not None and ordered:
        low, high = (ordered[-1].on + timedelta(days=days) for days in usual_days)
        end = max(end, high)
        series["markArea"] = {
            "silent": True,
            "itemStyle": {"color": colour("ink", "accent-soft")},
            "data": [[{"xAxis": low.isoformat()}, {"xAxis": (high + timedelta(days=1)).isoformat()}]],
        }
    option = base(top=24, right=16)
    option["tooltip"] = tooltip(trigger="item")
    option["xAxis"] = {
        "type": "time",
        "max": (end + timedelta(days=2)).isoformat(),
        "axisLabel": {"color": colour("ink", "muted"), "formatter": format_name("short"), "hideOverlap": True},
        "axisLine": {"lineStyle": {"color": colour("ink", "line")}, "onZero": False},
        "splitLine": {"show": False},
    }
    option["yAxis"] = {"type": "value", "show": False, "min": -1, "max": 1}
    option["series"] = [series] if ordered else []
    table = Table(
        (Column(gettext("Day"), "day"), Column(gettext("Amount"), "money")),
        tuple((visit.on, visit.amount) for visit in reversed(ordered)),
    )
    said = rhythm_reading(ordered, as_of=as_of, usual_days=usual_days) if reading is None else reading
    return Chart(option, said, table, currency, height="strip")


def rhythm_reading(visits: Sequence[Visit], *, as_of: date, usual_days: tuple[int, int] | None) -> str:
    """The rhythm in words: how often the customer usually comes, and how long the present gap is."""
    if not visits:
        return gettext("No visit yet.")
    gap = (as_of - max(visit.on for visit in visits)).days
    if usual_days is None:
        return ngettext("Last came %(gap)s day ago.", "Last came %(gap)s days ago.", gap) % {"gap": formats.count(gap)}
    low, high = usual_days
    facts = {"low": formats.count(low), "high": formats.count(high), "gap": formats.count(gap)}
    if low == high:
        return (
            ngettext(
                "Usually comes every %(low)s days; the last visit was %(gap)s day ago.",
                "Usually comes every %(low)s days; the last visit was %(gap)s days ago.",
                gap,
            )
            % facts
        )
    return (
        ngettext(
            "Usually comes every %(low)s to %(high)s days; the last visit was %(gap)s day ago.",
            "Usually comes every %(low)s to %(high)s days; the last visit was %(gap)s days ago.",
            gap,
        )
        % facts
    )
