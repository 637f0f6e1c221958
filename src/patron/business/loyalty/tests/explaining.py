"""What an award's explanation says, worked out from the explanation alone."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from patron.business.loyalty.models import LedgerTransaction

ROUND = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "up": ROUND_UP}


def points_explained(why: dict[str, Any]) -> Decimal:
    """The points that the explanation of an award adds up to: base + steps, capped, rounded."""
    base = Decimal(why["units"]) * Decimal(why["rate"])
    assert Decimal(why.get("base", base)) == base
    exact = base
    for step in why.get("steps", []):
        points = _of_step(step)
        if step.get("unit", "points") == "points":
            exact += points
    assert Decimal(why.get("exact", exact)) == exact
    capped = exact
    if "capped_to" in why:
        assert exact > Decimal(why["capped_to"])
        capped = Decimal(why["capped_to"])
    return capped.quantize(Decimal(1), rounding=ROUND[why.get("rounding", "down")])


def _of_step(step: dict[str, str]) -> Decimal:
    points, units, rate = (Decimal(step[name]) for name in ("points", "units", "rate"))
    if "uncapped" in step:
        assert points < Decimal(step["uncapped"])
    if step["effect"] != "multiply":
        assert Decimal(step.get("uncapped", points)) == units * rate
    return points


def explains_itself(award: LedgerTransaction) -> bool:
    """Whether an award gives what its explanation says; of stamps and qualifying points the award's tells."""
    return award.amount == points_explained(award.explanation)
