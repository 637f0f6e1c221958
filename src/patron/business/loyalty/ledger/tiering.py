"""Writing changes of tier: history, membership and timeline, for one member or for many."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from patron.business.loyalty.followers import member_followers
from patron.business.loyalty.models import Membership
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.sales import Rise
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor
from patron.kernel.clock import today

FRESH = timedelta(days=7)
"""How old a change may be when it is learnt of, for others to act on it: a file of last year brings no presents."""

HISTORY = """
INSERT INTO loyalty_tierchange (membership_id, before, after, reason, effective_at, until, version_id, measure, value,
    threshold, window_from, window_until, purchase_id, note, actor)
SELECT *, '', %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::date[],
    %s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::date[], %s::date[], %s::bigint[])
"""

MEMBERS = """
UPDATE loyalty_membership m SET tier = c.tier, tier_since = c.since, tier_until = c.until, tier_invited = false
FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::date[]) AS c (id, tier, since, until)
WHERE m.id = c.id
"""

TELL = """
SELECT m.customer_id, 'loyalty.tier_changed' AS kind, c.at AS occurred_at, '' AS channel, NULL::bigint AS branch_id,
    'loyalty.membership:' || m.id AS source,
    jsonb_build_object('before', c.before, 'after', c.after, 'reason', c.reason) AS facts
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]) AS c (id, before, after, reason, at)
    JOIN loyalty_membership m ON m.id = c.id
ORDER BY c.at, m.id
"""


def write_rises(rulebook: Rulebook, rises: Sequence[tuple[int, Rise]], *, actor: Actor, now: datetime) -> None:
    """Write tiers that members (by membership id) have reached, in the order of time. The caller holds their locks."""
    if not rises:
        return
    ladder = rulebook.terms.tiers
    verdicts = [(membership_id, rise.verdict, rise) for membership_id, rise in rises]
    with connection.cursor() as cursor:
        cursor.execute(
            HISTORY,
            [
                actor.reference,
                [membership_id for membership_id, _, _ in verdicts],
                [v.before for _, v, _ in verdicts],
                [v.after for _, v, _ in verdicts],
                [v.reason for _, v, _ in verdicts],
                [rise.effective_at for _, _, rise in verdicts],
                [v.until for _, v, _ in verdicts],
                [rulebook.version for _ in verdicts],
                [ladder.measure for _ in verdicts],
                [v.value for _, v, _ in verdicts],
                [v.threshold for _, v, _ in verdicts],
                [v.window[0] for _, v, _ in verdicts],
                [v.window[1] for _, v, _ in verdicts],
                [rise.purchase_id for _, _, rise in verdicts],
            ],
        )
        last = {membership_id: (v, rise) for membership_id, v, rise in verdicts}
        cursor.execute(
            MEMBERS,
            [
                list(last),
                [v.after for v, _ in last.values()],
                [today(rise.effective_at) for _, rise in last.values()],
                [v.until for v, _ in last.values()],
            ],
        )
    log_activities_from(
        TELL,
        [
            [membership_id for membership_id, _, _ in verdicts],
            [v.before for _, v, _ in verdicts],
            [v.after for _, v, _ in verdicts],
            [v.reason for _, v, _ in verdicts],
            [rise.effective_at for _, _, rise in verdicts],
        ],
        actor=actor,
        now=now,
    )
    fresh = [(one, v.before, v.after) for one, (v, rise) in last.items() if rise.effective_at >= now - FRESH]
    tell_followers(fresh, actor=actor, now=now)


def tell_followers(changes: Sequence[tuple[int, str, str]], *, actor: Actor, now: datetime) -> None:
    """Tell those who follow members of changes of tier: membership id, tier before, tier after."""
    if not changes or not len(member_followers):
        return
    memberships = Membership.objects.select_related("programme", "customer").in_bulk([change[0] for change in changes])
    for membership_id, before, after in changes:
        for follower in member_followers:
            if follower.on_tier_changed is not None:
                follower.on_tier_changed(memberships[membership_id], before, after, actor=actor, now=now)
