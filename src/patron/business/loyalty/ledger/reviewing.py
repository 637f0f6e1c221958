"""Measuring many members against the ladder, and writing what was decided: set-based, for reviews and placements."""

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection

from patron.business.loyalty.ledger.rulebooks import DIGEST, rulebook_of
from patron.business.loyalty.ledger.tiering import HISTORY, TELL
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.tiers import Standing, TierTerms, Verdict, decide_review, review_window
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today

DAY = timedelta(days=1)

MEASURED = {
    "qualifying": """
        SELECT coalesce((
            SELECT sum(t.amount) FROM loyalty_ledgertransaction t
            WHERE t.membership_id = w.id AND t.unit = 'qualifying' AND t.occurred_at >= w.since
                AND t.occurred_at < w.before), 0)
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS w (id, since, before, place)
        ORDER BY w.place
    """,
    "spend": """
        SELECT coalesce((
            SELECT sum(p.net_amount) FROM purchases_purchase p
            WHERE p.customer_id = m.customer_id AND p.currency = g.currency AND p.status = 'completed'
                AND p.occurred_at >= w.since AND p.occurred_at < w.before), 0)
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS w (id, since, before, place)
            JOIN loyalty_membership m ON m.id = w.id JOIN loyalty_programme g ON g.id = m.programme_id
        ORDER BY w.place
    """,
    "visits": """
        SELECT (
            SELECT count(*) FROM purchases_purchase p
            WHERE p.customer_id = m.customer_id AND p.kind = 'sale' AND p.status = 'completed'
                AND p.occurred_at >= w.since AND p.occurred_at < w.before)
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS w (id, since, before, place)
            JOIN loyalty_membership m ON m.id = w.id
        ORDER BY w.place
    """,
}

MEMBERS = """
SELECT m.id, m.joined_on, m.tier, m.tier_until, m.tier_invited, m.status = 'active', m.programme_id
FROM loyalty_membership m WHERE m.id = ANY(%s) ORDER BY m.id
"""

HOLD = """
UPDATE loyalty_membership m SET tier = c.tier, tier_until = c.until, tier_invited = false,
    tier_since = CASE WHEN c.tier = '' THEN NULL WHEN m.tier = c.tier THEN m.tier_since ELSE c.since END
FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::date[]) AS c (id, tier, since, until)
WHERE m.id = c.id
"""

OWN = """
SELECT DISTINCT ON (t.membership_id) t.membership_id, t.after, t.until FROM loyalty_tierchange t
WHERE t.membership_id = ANY(%s) AND t.reason <> 'invited'
ORDER BY t.membership_id, t.effective_at DESC, t.id DESC
"""

VERSIONS = f"""
SELECT r.programme_id, r.valid_from, r.id, {DIGEST} FROM loyalty_programmeversion r
    JOIN loyalty_programme g ON g.id = r.programme_id AND g.is_active
ORDER BY r.programme_id, r.valid_from, r.version
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member as a review or a placement sees them."""

    membership_id: int
    joined_on: date
    standing: Standing
    is_active: bool
    programme_id: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to be written: by which version and measure, and since when it counts."""

    membership_id: int
    verdict: Verdict
    effective_at: datetime
    version: int
    measure: str


class Editions:
    """The versions of a programme over time, and by which of them a tier is reviewed.

    The days of grace are those of the version in force when the tier's time was up; the decision is made by the
    version in force at the first moment of the review's day. So a review that comes late decides as one in time.
    """

    def __init__(self, versions: Sequence[tuple[datetime, Rulebook]]) -> None:
        self._versions = versions
        self._judged: dict[date, tuple[Rulebook, TierTerms, date]] = {}

    def at(self, instant: datetime) -> Rulebook:
        """The rulebook in force at an instant: the first, before any was."""
        found = self._versions[0][1]
        for since, rulebook in self._versions:
            if since > instant:
                break
            found = rulebook
        return found

    def judging(self, until: date) -> tuple[Rulebook, TierTerms, date]:
        """By which rules a tier kept until `until` is reviewed, and on which day."""
        if until not in self._judged:
            grace = self.at(midnight(until + DAY)).terms.tiers.grace_days
            due_on = until + timedelta(days=grace + 1)
            rulebook = self.at(midnight(due_on))
            self._judged[until] = rulebook, replace(rulebook.terms.tiers, grace_days=grace), due_on
        return self._judged[until]

    def due_spans(self, as_of: date) -> list[tuple[date, date]]:
        """The last days of tiers that are due for review by `as_of`: from the first to before the second of each."""
        spans = []
        for place, (_, rulebook) in enumerate(self._versions):
            since = date.min if place == 0 else _first_end(self._versions[place][0])
            last = place + 1 == len(self._versions)
            before = date.max if last else _first_end(self._versions[place + 1][0])
            before = min(before, as_of - timedelta(days=rulebook.terms.tiers.grace_days))
            if since < before:
                spans.append((since, before))
        return spans


def editions() -> dict[int, Editions]:
    """The versions of every active programme. One query."""
    found: dict[int, list[tuple[datetime, Rulebook]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS)
        for programme_id, valid_from, *version in cursor.fetchall():
            found.setdefault(programme_id, []).append((valid_from, rulebook_of(*version)))
    return {programme_id: Editions(versions) for programme_id, versions in found.items()}


def midnight(day: date) -> datetime:
    """The first moment of the organisation's day."""
    return datetime.combine(day, time(), house_zone())


def _first_end(instant: datetime) -> date:
    """The earliest last day of a tier whose following midnight is not before `instant`."""
    day = today(instant)
    return day - DAY if midnight(day) == instant else day


def _array(values: Iterable[object]) -> str:
    """Numbers, days, instants and codes as the text of an array: of many values, much faster than one by one."""
    written = ("NULL" if value is None else _quoted(str(value)) for value in values)
    return "{" + ",".join(written) + "}"


@functools.lru_cache(maxsize=20_000)
def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def measured(measure: str, windows: Sequence[tuple[int, tuple[date, date]]]) -> list[Decimal]:
    """What counts towards a tier for each membership and window (first and last day included), in their order."""
    if not windows:
        return []
    days = {day for _, window in windows for day in (window[0], window[1] + DAY)}
    starts = {day: midnight(day) for day in days}
    with connection.cursor() as cursor:
        cursor.execute(
            MEASURED[measure],
            [
                _array(membership_id for membership_id, _ in windows),
                _array(starts[since] for _, (since, _) in windows),
                _array(starts[until + DAY] for _, (_, until) in windows),
            ],
        )
        return [Decimal(value) for (value,) in cursor.fetchall()]


def candidates(membership_ids: Collection[int]) -> list[Candidate]:
    """The members as they are now, by id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [list(membership_ids)])
        return [
            Candidate(membership_id, joined_on, Standing(tier, until, invited), is_active, programme_id)
            for membership_id, joined_on, tier, until, invited, is_active, programme_id in cursor.fetchall()
        ]


def own_tiers(membership_ids: Collection[int]) -> dict[int, Standing]:
    """The tier that members under invitation held in their own right before. One query."""
    if not membership_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(OWN, [list(membership_ids)])
        return {membership_id: Standing(after, until) for membership_id, after, until in cursor.fetchall()}


def decide_reviews(found: Sequence[tuple[Candidate, Rulebook, TierTerms, datetime]]) -> list[Decided]:
    """Measure members whose tier has come to its end, and decide: under which rules, since when. At most four queries.

    An invitation that ends leaves a member the tier held in their own right before, where that still has time to run.
    """
    values: dict[int, Decimal] = {}
    for measure in {terms.measure for _, _, terms, _ in found}:
        windows = [(c.membership_id, review_span(terms, c)) for c, _, terms, _ in found if terms.measure == measure]
        values |= dict(zip((one for one, _ in windows), measured(measure, windows), strict=True))
    own = own_tiers([c.membership_id for c, *_ in found if c.standing.invited])
    decided = []
    for candidate, rulebook, terms, at in found:
        value = values[candidate.membership_id]
        verdict = decide_review(terms, candidate.standing, value=value, joined_on=candidate.joined_on)
        if (held := own.get(candidate.membership_id)) is not None and candidate.standing.invited:
            verdict = falling_back(terms, verdict, held, after=candidate.standing.until)
        decided.append(Decided(candidate.membership_id, verdict, at, rulebook.version, terms.measure))
    return decided


def review_span(terms: TierTerms, candidate: Candidate) -> tuple[date, date]:
    """The window that counts at the review of a member's tier."""
    assert candidate.standing.until is not None, "only a tier that ends is reviewed"  # noqa: S101
    return review_window(terms, candidate.standing.until, candidate.joined_on)


def falling_back(terms: TierTerms, verdict: Verdict, held: Standing, *, after: date | None) -> Verdict:
    """`verdict`, or the tier held before where that one is higher and has time to run beyond `after`."""
    outlasts = held.until is not None and after is not None and held.until > after
    tier = terms.tier(held.tier)
    if tier is None or not outlasts or terms.rank(held.tier) <= terms.rank(verdict.after):
        return verdict
    return replace(verdict, after=held.tier, until=held.until, threshold=tier.threshold)


def lock_members(membership_ids: Iterable[int], *, skip_locked: bool) -> list[int]:
    """Lock members as every posting does (their available points), in key order; the ids of those held."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT membership_id FROM loyalty_account WHERE membership_id = ANY(%s) AND unit = 'points' "
            f"AND bucket = 'available' ORDER BY id FOR NO KEY UPDATE{' SKIP LOCKED' if skip_locked else ''}",
            [sorted(membership_ids)],
        )
        return [membership_id for (membership_id,) in cursor.fetchall()]


def write_decided(decided: Sequence[Decided], *, actor: Actor, now: datetime) -> dict[int, Decided]:
    """Write decisions, one of each member; return those that changed the tier, by the id of the row of history.

    The caller holds the locks.
    """
    if not decided:
        return {}
    verdicts = [one.verdict for one in decided]
    days = {at: today(at) for at in {one.effective_at for one in decided}}
    with connection.cursor() as cursor:
        cursor.execute(
            HISTORY + " RETURNING membership_id, id",
            [
                actor.reference,
                _array(one.membership_id for one in decided),
                _array(v.before for v in verdicts),
                _array(v.after for v in verdicts),
                _array(v.reason for v in verdicts),
                _array(one.effective_at for one in decided),
                _array(v.until for v in verdicts),
                _array(one.version for one in decided),
                _array(one.measure for one in decided),
                _array(v.value for v in verdicts),
                _array(v.threshold for v in verdicts),
                _array(v.window[0] for v in verdicts),
                _array(v.window[1] for v in verdicts),
                _array(None for _ in verdicts),
            ],
        )
        ids = dict(cursor.fetchall())
        cursor.execute(
            HOLD,
            [
                _array(one.membership_id for one in decided),
                _array(v.after for v in verdicts),
                _array(days[one.effective_at] for one in decided),
                _array(v.until for v in verdicts),
            ],
        )
    changed = [one for one in decided if one.verdict.before != one.verdict.after]
    if changed:
        log_activities_from(
            TELL,
            [
                _array(one.membership_id for one in changed),
                _array(one.verdict.before for one in changed),
                _array(one.verdict.after for one in changed),
                _array(one.verdict.reason for one in changed),
                _array(one.effective_at for one in changed),
            ],
            actor=actor,
            now=now,
        )
    return {ids[one.membership_id]: one for one in changed}
