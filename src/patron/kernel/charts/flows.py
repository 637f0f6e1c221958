"""Flows: what moved from where to where."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from patron.kernel.charts.chart import Chart, Column, Table, base, number, tooltip
from patron.kernel.charts.palette import Colour, colour
from patron.kernel.ui import formats


@dataclass(frozen=True, slots=True)
class Node:
    """A place on the left (`side` 0) or the right (1) of the picture. The same thing on both sides is two nodes."""

    key: str
    label: str
    side: int
    colour: Colour
    url: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """`value` things moved from node `source` to node `target` (their keys)."""

    source: str
    target: str
    value: int
    url: str = ""


def sankey(nodes: Sequence[Node], flows: Sequence[Flow], *, counted: str, reading: str | None = None) -> Chart:
    """Flows between two columns of nodes; empty flows and nodes without flow are left out.

    Raises ValueError for a flow from or to an unknown node. `reading` None names the largest flow that changes label.
    """
    by_key = {node.key: node for node in nodes}
    if unknown := {key for flow in flows for key in (flow.source, flow.target)} - set(by_key):
        raise ValueError(f"flows name unknown nodes: {', '.join(sorted(unknown))}")
    drawn = [flow for flow in flows if flow.value > 0]
    used = {key for flow in drawn for key in (flow.source, flow.target)}
    option = base()
    del option["grid"]
    option["tooltip"] = tooltip(trigger="item", formatter="format:flow")
    option["series"] = [
        {
            "type": "sankey",
            "left": 128,
            "right": 128,
            "top": 8,
            "bottom": 8,
            "nodeWidth": 12,
            "nodeGap": 12,
            "nodeAlign": "justify",
            "layoutIterations": 0,
            "draggable": False,
            "emphasis": {"focus": "adjacency"},
            "lineStyle": {"color": "source", "opacity": 0.28, "curveness": 0.5},
            "label": {"color": colour("ink", "strong"), "formatter": "format:node"},
            "data": [
                {
                    "name": node.key,
                    "text": node.label,
                    "depth": node.side,
                    "itemStyle": {"color": node.colour},
                    "label": {"position": "left" if node.side == 0 else "right"},
                    **({"url": node.url} if node.url else {}),
                }
                for node in nodes
                if node.key in used
            ],
            "links": [
                {
                    "source": flow.source,
                    "target": flow.target,
                    "value": number(flow.value),
                    "text": f"{by_key[flow.source].label} → {by_key[flow.target].label}",
                    **({"url": flow.url} if flow.url else {}),
                }
                for flow in drawn
            ],
        }
    ]
    table = Table(
        (Column(gettext("From")), Column(gettext("To")), Column(counted, "count")),
        tuple((by_key[f.source].label, by_key[f.target].label, f.value) for f in drawn),
    )
    return Chart(option, _reading(drawn, by_key) if reading is None else reading, table, height="tall")


def _reading(flows: Sequence[Flow], nodes: dict[str, Node]) -> str:
    moved = [flow for flow in flows if nodes[flow.source].label != nodes[flow.target].label]
    if not moved:
        return gettext("Nothing moved.")
    largest = max(moved, key=lambda flow: flow.value)
    return gettext("The largest move: %(count)s from %(source)s to %(target)s.") % {
        "count": formats.count(largest.value),
        "source": nodes[largest.source].label,
        "target": nodes[largest.target].label,
    }
