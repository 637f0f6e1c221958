"""The colours that mean something. One name, one colour, on every chart, badge and list.

The values live in `static/patron/css/tokens.css`, once for light and once for dark; here are only their names, so
that a chart built on the server takes the theme of the page that shows it. The set is safe for the common kinds of
colour blindness (after Okabe and Ito, "Color Universal Design", 2008) and never the only sign: labels stand beside it.
"""

from typing import Literal

Colour = str
"""A theme colour as charts carry it: `var(--patron-stage-new)`."""

Family = Literal["stage", "class", "series", "ink"]

NAMES: dict[str, tuple[str, ...]] = {
    "stage": ("new", "developing", "mature", "declining", "lost", "reactivated"),
    "class": ("a", "b", "c"),
    "tier": ("base", "silver", "gold", "platinum", "diamond"),
    "series": ("1", "2", "3", "4", "5", "6"),
    "ink": ("strong", "muted", "line", "surface", "accent", "accent-soft", "dimmed", "vip", "warn"),
}


def colour(family: Family, name: str) -> Colour:
    """The colour of, say, stage `new` or value class `A`. Raises LookupError for a name that has none."""
    if name.lower() not in NAMES[family]:
        raise LookupError(f"no {family} colour {name!r}; there are: {', '.join(NAMES[family])}")
    return f"var(--patron-{family}-{name.lower()})"


def tier_key(rank: int, code: str = "") -> str:
    """The colour name of a loyalty tier: by its code where that is a known metal, else by rank from 0 at the base."""
    known = NAMES["tier"]
    return code.lower() if code.lower() in known else known[min(max(rank, 0), len(known) - 1)]


def tier_colour(rank: int, code: str = "") -> Colour:
    """The colour of a loyalty tier. Programmes name their own tiers, so any rank has a colour."""
    return f"var(--patron-tier-{tier_key(rank, code)})"
