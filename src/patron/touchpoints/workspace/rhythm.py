"""How often a customer comes, from the days on which they came. Pure: no tables, no clock."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

RECENT_GAPS = 12
FEWEST_GAPS = 4


def usual_days(days: Sequence[date]) -> tuple[int, int] | None:
    """The range of days after which the customer usually comes again: the middle half of the last gaps.

    `days` are the days of visits in any order, perhaps with repeats. None with fewer than FEWEST_GAPS gaps. Quartiles
    are taken as the nearest gaps, so that both ends are gaps that happened.
    """
    visits = sorted(set(days))
    pairs = list(pairwise(visits))[-RECENT_GAPS:]
    gaps = sorted((later - earlier).days for earlier, later in pairs)
    if len(gaps) < FEWEST_GAPS:
        return None
    last = len(gaps) - 1
    return gaps[round(last * 0.25)], gaps[round(last * 0.75)]
