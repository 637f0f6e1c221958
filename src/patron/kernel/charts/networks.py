"""What goes with what, and what follows from what."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from patron.kernel.charts.bars import Amount, Series
from patron.kernel.charts.chart import Chart, Column, Option, Table, base, item, number, tooltip
from patron.kernel.charts.palette import Colour, colour
from patron.kernel.ui import formats

MARGIN = 90  # of a network, in pixels: its names stand around the circle, those above and below it upright


@dataclass(frozen=True, slots=True)
class Spot:
    """A thing in a network; `size` from 0 to 1."""

    key: str
    label: str
    size: float = 0.5
    colour: Colour = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A tie from one thing to another; `strength` is what the measure says of it."""

    source: str
    target: str
    strength: Amount


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a tree: what it says, how much it covers (0 to 1), and what follows from it."""

    label: str
    told: str = ""
    size: float = 0.5
    colour: Colour = ""
    children: Sequence["Branch"] = field(default_factory=tuple)


def network(
    spots: Sequence[Spot], ties: Sequence[Tie], *, measure: Series, headings: tuple[str, str], reading: str
) -> Chart:
    """Things in a circle with arrows between them, thicker where the tie is stronger. Spots without a tie are left out.

    Raises ValueError for a tie from or to an unknown thing.
    """
    by_key = {spot.key: spot for spot in spots}
    used = {key for tie in ties for key in (tie.source, tie.target)}
    if unknown := used - set(by_key):
        raise ValueError(f"ties name unknown things: {', '.join(sorted(unknown))}")
    strongest = max((float(tie.strength) for tie in ties), default=1.0) or 1.0
    option = base()
    del option["grid"]
    option["tooltip"] = tooltip(trigger="item", formatter="format:told")
    option["series"] = [
        {
            "type": "graph",
            "layout": "circular",
            "circular": {"rotateLabel": True},
            "left": MARGIN,
            "right": MARGIN,
            "top": MARGIN,
            "bottom": MARGIN,
            "edgeSymbol": ["none", "arrow"],
            "edgeSymbolSize": 7,
            "emphasis": {"focus": "adjacency"},
            "label": {
                "show": True,
                "color": colour("ink", "strong"),
                "fontSize": 11,
                "width": MARGIN - 10,
                "overflow": "truncate",
            },
            "data": [
                {
                    "name": spot.key,
                    "text": spot.label,
                    "symbolSize": round(8 + 22 * spot.size, 1),
                    "itemStyle": {"color": spot.colour or colour("ink", "accent")},
                    "label": {"formatter": spot.label},
                    **({"url": spot.url} if spot.url else {}),
                }
                for spot in spots
                if spot.key in used
            ],
            "links": [
                {
                    "source": tie.source,
                    "target": tie.target,
                    "value": number(tie.strength),
                    "text": _tied(tie, by_key, measure),
                    "lineStyle": {
                        "width": round(0.5 + 4 * float(tie.strength) / strongest, 2),
                        "opacity": 0.5,
                        "curveness": 0.2,
                        "color": colour("ink", "muted"),
                    },
                }
                for tie in ties
            ],
        }
    ]
    table = Table(
        (Column(headings[0]), Column(headings[1]), Column(measure.label, measure.style)),
        tuple((by_key[tie.source].label, by_key[tie.target].label, tie.strength) for tie in ties),
    )
    return Chart(option, reading, table, height="square")


def tree(root: Branch, *, headings: tuple[str, str], reading: str) -> Chart:
    """A tree from left to right: each node with its words, larger where it covers more."""
    option = base()
    del option["grid"]
    option["tooltip"] = tooltip(trigger="item", formatter="format:told")
    option["series"] = [
        {
            "type": "tree",
            "data": [_node(root)],
            "left": 90,
            "right": 150,
            "top": 8,
            "bottom": 8,
            "orient": "LR",
            "edgeShape": "polyline",
            "expandAndCollapse": False,
            "roam": False,
            "label": {"position": "top", "color": colour("ink", "strong"), "fontSize": 11},
            "leaves": {"label": {"position": "right", "align": "left"}},
            "lineStyle": {"color": colour("ink", "line"), "width": 1.5},
        }
    ]
    rows = tuple((f"{'· ' * depth}{branch.label}", branch.told) for depth, branch in _walked(root, 0))
    return Chart(option, reading, Table((Column(headings[0]), Column(headings[1])), rows), height="branched")


def _node(branch: Branch) -> Option:
    return item(
        number(branch.size),
        name=branch.label,
        text=branch.told or branch.label,
        symbolSize=round(6 + 18 * branch.size, 1),
        itemStyle={"color": branch.colour or colour("ink", "accent")},
        children=[_node(child) for child in branch.children],
    )


def _walked(branch: Branch, depth: int) -> list[tuple[int, Branch]]:
    return [(depth, branch), *(each for child in branch.children for each in _walked(child, depth + 1))]


def _tied(tie: Tie, by_key: dict[str, Spot], measure: Series) -> str:
    value = formats.by_name(tie.strength, measure.style)
    return f"{by_key[tie.source].label} → {by_key[tie.target].label}: {value}"
