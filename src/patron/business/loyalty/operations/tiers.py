"""Tiers: their review when their time is up, a new ladder for members there already, and grants by hand.

Reviews and placements work in slices, each of one transaction: a till waits for one of them at most, and not long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import NoSuchMember, NoSuchTier, ReasonRequired
from patron.business.loyalty.followers import member_followers
from patron.business.loyalty.ledger import reviewing
from patron.business.loyalty.ledger.reviewing import Candidate, Decided
from patron.business.loyalty.ledger.rulebooks import rulebook_at
from patron.business.loyalty.ledger.tiering import FRESH, tell_followers
from patron.business.loyalty.models import Membership, Programme, TierChange
from patron.business.loyalty.rules.tiers import Standing, TierTerms, decide_upgrade, kept_until, window_at
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.jobs import defer
from patron.kernel.operation import operation

SLICE = 200
"""Members of one slice: some 20 ms of work, which is how long a till may have to wait for a member among them."""

ANY_DUE = "SELECT FROM loyalty_membership WHERE tier_until < %s LIMIT 1"

CHOOSE = """
SELECT due.tier_until, due.id
FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS r (programme, since, before)
    CROSS JOIN LATERAL (
        SELECT m.tier_until, m.id FROM loyalty_membership m
        WHERE m.tier_until >= r.since AND m.tier_until < r.before AND (m.tier_until, m.id) > (%s, %s)
            AND m.programme_id = r.programme
        ORDER BY m.tier_until, m.id LIMIT %s
    ) due
ORDER BY due.tier_until, due.id LIMIT %s
"""

NEXT_MEMBERS = """
SELECT id FROM loyalty_membership
WHERE programme_id = %s AND status = 'active' AND id > %s AND joined_on <= %s ORDER BY id LIMIT %s
"""

START = (date.min, 0)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a slice did. `due` counts the members it chose, `reviewed` those it could decide on, `changed` those whose
    tier is another one now; the next slice goes on after `last`."""

    due: int
    reviewed: int
    changed: int
    last: tuple[date, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """What a slice did: how many members it looked at, how many have risen; the next one goes on after `last`."""

    seen: int
    risen: int
    last: int


@operation(permission="loyalty.tiers")
def review_tiers(
    *, as_of: date, actor: Actor, now: datetime, batch: int = SLICE, after: tuple[date, int] = START
) -> Reviewed:
    """Review up to `batch` members whose tier, and the days of grace after it, ended before day `as_of`.

    Each review counts from the first moment of the day after the grace, by the rules in force then, however late it is
    made; so a member whose review is several periods late is due again, after `last`. Members whom a till serves just
    now are skipped. Call it with `after=last` until `due` is 0, then again from the start where some were skipped;
    repeating it finds nothing. Those who follow members are told by a job of their own.
    """
    nothing = Reviewed(0, 0, 0, after)
    with connection.cursor() as cursor:
        if after == START:
            cursor.execute(ANY_DUE, [as_of])
            if cursor.fetchone() is None:
                return nothing
        editions = reviewing.editions()
        spans = [(one, *span) for one, edition in editions.items() for span in edition.due_spans(as_of)]
        if not spans:
            return nothing
        cursor.execute(CHOOSE, [*(list(column) for column in zip(*spans, strict=True)), *after, batch, batch])
        chosen = cursor.fetchall()
    if not chosen:
        return nothing
    held = reviewing.lock_members([membership_id for _, membership_id in chosen], skip_locked=True)
    due = []
    for candidate in reviewing.candidates(held):
        until = candidate.standing.until
        if until is None:  # changed while the lock was taken
            continue
        rulebook, terms, due_on = editions[candidate.programme_id].judging(until)
        if due_on <= as_of:
            due.append((candidate, rulebook, terms, reviewing.midnight(due_on)))
    decided = reviewing.decide_reviews(due)
    changed = reviewing.write_decided(decided, actor=actor, now=now)
    _announce(changed, [candidate for candidate, *_ in due], now=now)
    return Reviewed(due=len(chosen), reviewed=len(held), changed=len(changed), last=chosen[-1])


@operation(permission="loyalty.tiers")
def place_members(programme: Programme, *, actor: Actor, now: datetime, after: int = 0, batch: int = SLICE) -> Placed:
    """Give the next `batch` active members after id `after` the tier that they have reached already.

    For a ladder that is new or has lower thresholds; nobody falls. Only those who rise are locked, and measured again
    under the lock. Call it with `after=last` until `seen` is 0. Safe to repeat.
    """
    rulebook = rulebook_at(programme.pk, now)
    if rulebook is None or not rulebook.terms.tiers.ladder:
        return Placed(0, 0, after)
    day = today(now)
    with connection.cursor() as cursor:
        cursor.execute(NEXT_MEMBERS, [programme.pk, after, day, batch])
        found = [membership_id for (membership_id,) in cursor.fetchall()]
    if not found:
        return Placed(0, 0, after)
    terms, version = rulebook.terms.tiers, rulebook.version
    likely = _reached(terms, reviewing.candidates(found), day, version, now)
    held = reviewing.lock_members([one.membership_id for one in likely], skip_locked=False) if likely else []
    members = reviewing.candidates(held) if held else []
    changed = reviewing.write_decided(_reached(terms, members, day, version, now), actor=actor, now=now)
    _announce(changed, members, now=now)
    return Placed(seen=len(found), risen=len(changed), last=found[-1])


@operation(permission="loyalty.tiers")
def announce_tiers(change_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Tell those who follow members of changes of tier, by the ids of their history, and return how many."""
    changes = TierChange.objects.filter(pk__in=change_ids).order_by("pk")
    told = list(changes.values_list("membership_id", "before", "after"))
    tell_followers(told, actor=actor, now=now)
    return len(told)


@operation(permission="loyalty.tiers")
def grant_tier(
    membership: Membership, tier: str, *, until: date | None, note: str, actor: Actor, now: datetime
) -> TierChange:
    """Give a member a tier by invitation, up to and on `until` (None: until it is revoked), and say why.

    Any tier of the ladder, also one that others reach by themselves. When the time is up, the member keeps what they
    have earned meanwhile. The same grant again gives the first one. Raises NoSuchTier, ReasonRequired, InvalidInput
    for a day gone by.
    """
    terms, version = _ladder_of(membership, now)
    if terms.tier(tier) is None:
        raise NoSuchTier(details={"field": "tier"})
    if until is not None and until < today(now):
        raise InvalidInput(_("This day has passed already."), details={"field": "until"})
    candidate, why = _locked(membership), _required(note)
    if candidate.standing == Standing(tier, until, invited=True):
        return _last_change(membership)
    return _write(candidate, Standing(tier, until, invited=True), "invited", version, why, actor=actor, now=now)


@operation(permission="loyalty.tiers")
def revoke_tier(membership: Membership, *, note: str, actor: Actor, now: datetime) -> TierChange:
    """Take a member's tier back, and say why.

    One that was granted gives way to what the member has earned; one that was earned, to none: the next purchase gives
    the tier that the member then reaches. Raises Conflict where there is no tier, ReasonRequired.
    """
    terms, version = _ladder_of(membership, now)
    candidate, why = _locked(membership), _required(note)
    if not candidate.standing.tier:
        raise Conflict(_("This member holds no tier."))
    after = _earned(terms, candidate, today(now)) if candidate.standing.invited else Standing()
    return _write(candidate, after, "revoked", version, why, actor=actor, now=now)


def _reached(terms: TierTerms, members: Sequence[Candidate], day: date, version: int, now: datetime) -> list[Decided]:
    """Those who have reached a higher tier by `day` than they hold."""
    windows = [(one.membership_id, window_at(terms, day, one.joined_on)) for one in members]
    decided = []
    for one, value in zip(members, reviewing.measured(terms.measure, windows), strict=True):
        verdict = decide_upgrade(terms, one.standing, value=value, day=day, joined_on=one.joined_on)
        if verdict is not None:
            decided.append(Decided(one.membership_id, verdict, now, version, terms.measure))
    return decided


def _announce(changed: Mapping[int, Decided], members: Sequence[Candidate], *, now: datetime) -> None:
    """Queue the news of fresh changes of active members: followers are told later, when no till waits for it."""
    from patron.business.loyalty import tier_jobs

    active = {one.membership_id for one in members if one.is_active}
    fresh = [
        str(change_id)
        for change_id, one in changed.items()
        if one.membership_id in active and one.effective_at >= now - FRESH
    ]
    if fresh and any(follower.on_tier_changed is not None for follower in member_followers):
        defer(tier_jobs.announce, change_ids=",".join(fresh))


def _ladder_of(membership: Membership, now: datetime) -> tuple[TierTerms, int]:
    rulebook = rulebook_at(membership.programme_id, now)
    return (TierTerms(), 0) if rulebook is None else (rulebook.terms.tiers, rulebook.version)


def _locked(membership: Membership) -> Candidate:
    """The member as they are now, locked as for a posting. Raises NoSuchMember."""
    reviewing.lock_members([membership.pk], skip_locked=False)
    for found in reviewing.candidates([membership.pk]):
        return found
    raise NoSuchMember(details={"membership": membership.pk})


def _required(note: str) -> str:
    if not note.strip():
        raise ReasonRequired(_("Say why: a tier given or taken by hand needs a reason."), details={"field": "note"})
    return note.strip()[:300]


def _earned(terms: TierTerms, candidate: Candidate, day: date) -> Standing:
    """What a member under invitation holds in their own right on `day`: held before and not over yet, or reached."""
    window = window_at(terms, day, candidate.joined_on)
    (value,) = reviewing.measured(terms.measure, [(candidate.membership_id, window)])
    reached = terms.reached(value)
    held = reviewing.own_tiers([candidate.membership_id]).get(candidate.membership_id, Standing())
    if held.until is not None and held.until >= day and terms.rank(held.tier) >= terms.rank(reached):
        return held
    return Standing(reached, kept_until(terms, day, candidate.joined_on)) if reached else Standing()


def _last_change(membership: Membership) -> TierChange:
    return TierChange.objects.filter(membership=membership).order_by("-effective_at", "-pk")[0]


def _write(
    candidate: Candidate,
    after: Standing,
    reason: str,
    version: int,
    note: str,
    *,
    actor: Actor,
    now: datetime,
) -> TierChange:
    before, pk = candidate.standing.tier, candidate.membership_id
    previous = TierChange.objects.filter(membership_id=pk).order_by("-effective_at", "-pk").first()
    at = max(now, previous.effective_at) if previous else now
    change = TierChange.objects.create(
        membership_id=pk,
        before=before,
        after=after.tier,
        reason=reason,
        effective_at=at,
        until=after.until,
        version_id=version or None,
        note=note,
        actor=actor.reference,
    )
    membership = Membership.objects.select_related("programme", "customer").get(pk=pk)
    membership.tier, membership.tier_until, membership.tier_invited = after.tier, after.until, after.invited
    if before != after.tier:
        membership.tier_since = today(at) if after.tier else None
    membership.save(update_fields=["tier", "tier_since", "tier_until", "tier_invited"])
    if before != after.tier:
        log_activity(
            actor=actor,
            now=now,
            customer_id=membership.customer_id,
            kind="loyalty.tier_changed",
            occurred_at=at,
            source=f"loyalty.membership:{pk}",
            facts={"before": before, "after": after.tier, "reason": reason},
        )
        if candidate.is_active:
            tell_followers([(pk, before, after.tier)], actor=actor, now=now)
    return change
