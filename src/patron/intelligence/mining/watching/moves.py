"""Moved house: the customer's main branch changed for good.

For each customer the visits are asked one question: was it at the branch of the latest visits? The change point is
where the share of yes before and after differs most, by likelihood ratio of two Bernoulli rates against one (D. V.
Hinkley and E. A. Hinkley, Biometrika 57 (1970) 477-488).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import xlogy

from patron.intelligence.mining.arrays import Flags, Real, Whole

#: The branch of most of so many latest visits is the new one.
LATEST: Final = 6
#: So many visits must lie on either side.
LEAST: Final = 5
#: After the change at least this share is at the new branch, before it at most that share.
SHARE_AFTER: Final = 0.7
SHARE_BEFORE: Final = 0.2
#: The likelihood must be so many times larger (natural logarithm): 7 is about a thousand times.
EVIDENCE: Final = 7.0


@dataclass(frozen=True, slots=True)
class Moves:
    """One place per customer who moved: ``owner``; the branches (codes); first and fifth day at the new one."""

    owner: Whole
    old: Whole
    new: Whole
    changed: Whole
    evident: Whole
    evidence: Real


def branch_moves(owner: Whole, day: Whole, branch: Whole) -> Moves:
    """Who moved, from visits by ``owner`` (0, 1, … without gaps), then by ``day``; ``branch`` are codes from 0."""
    if not len(owner):
        nothing = np.zeros(0, dtype=np.int64)
        return Moves(nothing, nothing, nothing, nothing, nothing, np.zeros(0))
    count = np.bincount(owner)
    starts = np.concatenate(([0], np.cumsum(count)[:-1]))
    place = np.arange(len(owner)) - starts[owner]
    latest = place >= count[owner] - LATEST
    new = _most_frequent(owner, branch, latest, len(count))
    there = (branch == new[owner]).astype(np.int64)
    sums = np.concatenate(([0], np.cumsum(there)))
    before = sums[:-1] - sums[starts[owner]]
    total = np.bincount(owner, there, minlength=len(count))[owner]
    n_before, n_after = place, count[owner] - place
    after = total - before
    gain = _likelihood(before, n_before) + _likelihood(after, n_after) - _likelihood(total, count[owner])
    possible: Flags = (
        (n_before >= LEAST)
        & (n_after >= LEAST)
        & (after >= SHARE_AFTER * n_after)
        & (before <= SHARE_BEFORE * n_before)
        & (gain >= EVIDENCE)
    )
    gain = np.where(possible, gain, -np.inf)
    best = np.maximum.reduceat(gain, starts)
    moved = np.flatnonzero(np.isfinite(best))
    # The first of the best splits of each customer who moved.
    at = np.flatnonzero((gain == best[owner]) & np.isfinite(gain))
    _, first = np.unique(owner[at], return_index=True)
    split = at[first]
    splits = np.zeros(len(count), dtype=np.int64)
    splits[moved] = split
    old = _most_frequent(owner, branch, np.arange(len(owner)) < splits[owner], len(count))
    return Moves(
        owner=moved,
        old=old[moved],
        new=new[moved],
        changed=day[split],
        evident=day[split + LEAST - 1],
        evidence=best[moved],
    )


def _likelihood(successes: Real | Whole, size: Whole) -> Real:
    share = successes / np.maximum(size, 1)
    value: Real = xlogy(successes, share) + xlogy(size - successes, 1 - share)
    return value


def _most_frequent(owner: Whole, branch: Whole, chosen: Flags, owners: int) -> Whole:
    """The branch with most ``chosen`` visits of each owner (the smallest code of several); −1 without one."""
    codes = int(branch.max()) + 1
    pairs, counted = np.unique(owner[chosen].astype(np.int64) * codes + branch[chosen], return_counts=True)
    who, which = pairs // codes, pairs % codes
    order = np.lexsort((which, -counted, who))
    first = np.unique(who[order], return_index=True)
    found = np.full(owners, -1, dtype=np.int64)
    found[first[0]] = which[order][first[1]]
    return found
