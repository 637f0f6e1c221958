"""Charts: pure functions from rows to an Apache ECharts option, each with its table and its one-sentence reading.

    chart = bars_and_line(periods, bars=Series(_("Sales"), "money"), line=Series(_("Members"), "count"), currency="HKD")
    {% chart chart title=_("Sales and members, 13 weeks") %}

Options are plain data. Two kinds of strings have a meaning to the page's chart controller: `var(--…)` is a colour of
the theme, and `format:…` under `formatter` is a number or date format in the page's language.
"""

from patron.kernel.charts.bars import (
    Bin,
    Period,
    RankedBar,
    Series,
    bars_and_line,
    histogram,
    horizontal_bars,
    trend_reading,
)
from patron.kernel.charts.chart import Chart, Column, Option, Table
from patron.kernel.charts.curves import Curve, Days, curves
from patron.kernel.charts.flows import Flow, Node, sankey
from patron.kernel.charts.networks import Branch, Spot, Tie, network, tree
from patron.kernel.charts.palette import Colour, colour, tier_colour
from patron.kernel.charts.points import Dot, heatmap, scatter
from patron.kernel.charts.shares import Band, LorenzPoint, band_reading, lorenz, lorenz_reading, stacked_area
from patron.kernel.charts.strips import Visit, rhythm, rhythm_reading

__all__ = [
    "Band",
    "Bin",
    "Branch",
    "Chart",
    "Colour",
    "Column",
    "Curve",
    "Days",
    "Dot",
    "Flow",
    "LorenzPoint",
    "Node",
    "Option",
    "Period",
    "RankedBar",
    "Series",
    "Spot",
    "Table",
    "Tie",
    "Visit",
    "band_reading",
    "bars_and_line",
    "colour",
    "curves",
    "heatmap",
    "histogram",
    "horizontal_bars",
    "lorenz",
    "lorenz_reading",
    "network",
    "rhythm",
    "rhythm_reading",
    "sankey",
    "scatter",
    "stacked_area",
    "tier_colour",
    "tree",
    "trend_reading",
]
