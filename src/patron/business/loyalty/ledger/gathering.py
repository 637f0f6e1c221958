"""Gathering what is needed to decide many sales: the sales in the order of time, each with its rules and its member."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from patron.business.loyalty.ledger.rulebooks import DIGEST, marked_products, rulebook_of
from patron.business.loyalty.ledger.states import load_states, tenders_of
from patron.business.loyalty.rules.earning import Part, Rulebook
from patron.business.loyalty.rules.sales import MemberState, Sale
from patron.kernel.clock import house_zone

IN_FORCE = f"""
WITH version AS (
    SELECT DISTINCT ON (programme_id, valid_from) * FROM loyalty_programmeversion
    ORDER BY programme_id, valid_from, version DESC
), rule AS (
    SELECT r.id, {DIGEST} AS digest, r.programme_id, r.valid_from,
        lead(valid_from, 1, 'infinity') OVER (PARTITION BY programme_id ORDER BY valid_from) AS valid_until
    FROM version r
)
"""
"""Each sale goes by the version in force at its moment."""

ON_TRIAL = """
WITH rule AS (
    SELECT 0 AS id, '' AS digest, %(programme)s::bigint AS programme_id, '-infinity'::timestamptz AS valid_from,
        'infinity'::timestamptz AS valid_until
)
"""
"""Every sale goes by the terms on trial, in one programme."""

SALES = """
{rules}
SELECT p.purchase_id, m.id, m.programme_id, r.id, r.digest, p.occurred_at,
    (p.occurred_at AT TIME ZONE %(zone)s)::date AS day, p.net_amount, coalesce(b.code, ''), p.customer_id
FROM {table} p
    JOIN loyalty_membership m ON m.customer_id = p.customer_id AND m.status = 'active'
    JOIN loyalty_programme g ON g.id = m.programme_id AND g.is_active AND g.currency = p.currency
    JOIN rule r ON r.programme_id = g.id AND p.occurred_at >= r.valid_from AND p.occurred_at < r.valid_until
    LEFT JOIN accounts_branch b ON b.id = p.branch_id
WHERE p.kind = 'sale' AND p.net_amount > 0 AND m.joined_on <= (p.occurred_at AT TIME ZONE %(zone)s)::date
ORDER BY p.occurred_at, p.purchase_id, m.id
"""

VISITS = """
SELECT id, visits FROM (
    SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY occurred_at, id) - 1 AS visits
    FROM purchases_purchase
    WHERE customer_id IN (SELECT customer_id FROM {table}) AND kind = 'sale' AND status = 'completed'
) numbered WHERE id IN (SELECT purchase_id FROM {table})
"""

CHANNELS = "SELECT id, channel FROM purchases_purchase WHERE id IN (SELECT purchase_id FROM {table})"

LINES = """
SELECT l.purchase_id, coalesce(k.place, 0), sum(l.net_amount), sum(l.quantity)
FROM purchases_purchaseline l
    LEFT JOIN unnest(%s::bigint[], %s::int[]) AS k (product_id, place) ON k.product_id = l.product_id
WHERE l.purchase_id IN (SELECT purchase_id FROM {table} WHERE kind = 'sale')
GROUP BY 1, 2 ORDER BY 1, 2
"""

BATCH = "SELECT purchase_id FROM {table}"

TO_COME = """
SELECT purchase_id FROM {table} WHERE kind = 'return' OR occurred_at >= %s AND net_amount > 0
"""
"""What is on file but counts towards a tier only once it is decided. Sales worth nothing are not, and count at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sale to be decided, for one member of one programme."""

    programme_id: int
    rulebook: Rulebook
    state: MemberState
    sale: Sale


@dataclass(frozen=True, slots=True)
class Trial:
    """Terms to be tried on past sales of one programme: of members counts what happened `before`, while the tiers that
    they held are theirs of today, for the caller to set back."""

    programme_id: int
    rulebook: Rulebook
    before: datetime


def gather(cursor: Any, table: str, *, trial: Trial | None = None, whole: str = "") -> Iterator[Entry]:
    """The sales of temp table `table` (see `PurchaseFollower.on_batch`), with what is on file apart from them.

    With a `trial` they all go by its terms. `whole` names the batch that `table` is the next slice of.
    """
    cursor.execute(
        SALES.format(rules=ON_TRIAL if trial else IN_FORCE, table=table),
        {"zone": settings.TIME_ZONE, "programme": trial.programme_id if trial else None},
    )
    rows = cursor.fetchall()
    if not rows:
        return
    if trial is None:
        rulebooks = {version: rulebook_of(version, digest) for version, digest in {(row[3], row[4]) for row in rows}}
    else:
        rulebooks = {rows[0][3]: trial.rulebook}
    states = _states(cursor, whole or table, rows, rulebooks, before=trial.before if trial else None)
    bonuses = [bonus for rulebook in rulebooks.values() for bonus in rulebook.bonuses]
    visits: Mapping[int, int] = {}
    if any(bonus.first_purchase or bonus.every_nth_visit for bonus in bonuses):
        visits = _pairs(cursor, VISITS.format(table=table))
    channels: Mapping[int, str] = {}
    if any(bonus.channels for bonus in bonuses):
        channels = _pairs(cursor, CHANNELS.format(table=table))
    parts = {version: _parts(cursor, table, rulebook) for version, rulebook in rulebooks.items()}
    paid = _tenders(cursor, table)
    zone = house_zone()
    for purchase_id, membership_id, programme_id, version, _, at, day, net_amount, branch, _ in rows:
        yield Entry(
            programme_id,
            rulebooks[version],
            states[membership_id],
            Sale(
                purchase_id,
                at,
                day,
                at.astimezone(zone),
                parts[version].get(purchase_id) or (Part(0, net_amount),),
                net_amount,
                branch,
                channels.get(purchase_id, ""),
                paid.get(purchase_id, ()),
                visits.get(purchase_id, 0),
            ),
        )


def _states(
    cursor: Any, table: str, rows: list[Any], rulebooks: Mapping[int, Rulebook], *, before: datetime | None
) -> dict[int, MemberState]:
    """The members before the batch. Where a batch spans versions, what the latest asks is read for all."""
    first: dict[int, date] = {}
    members: dict[int, set[int]] = defaultdict(set)
    latest: dict[int, int] = {}
    for _, membership_id, programme_id, version, _, _, day, *_ in rows:
        first[programme_id] = min(first.get(programme_id, day), day)
        latest[programme_id] = version
        members[programme_id].add(membership_id)
    not_yet: list[int] = []
    ladders = [rulebook.terms.tiers for rulebook in rulebooks.values()]
    if before is None and any(ladder.ladder and ladder.measure != "qualifying" for ladder in ladders):
        cursor.execute(TO_COME.format(table=table), [rows[0][5]])
        not_yet = [purchase_id for (purchase_id,) in cursor.fetchall()]
    states: dict[int, MemberState] = {}
    for programme_id, those in members.items():
        states |= load_states(
            rulebooks[latest[programme_id]], those, first=first[programme_id], not_yet=not_yet, before=before
        )
    return states


def _parts(cursor: Any, table: str, rulebook: Rulebook) -> dict[int, list[Part]]:
    """The lines of the sales put together by what the rules make of them; nothing where no rule looks at lines."""
    marks = marked_products(rulebook)
    if not marks and not rulebook.needs_lines:
        return {}
    kinds = sorted({0, *marks.values()})  # a mark has a bit for each bonus: more than a number of the database holds
    place = {mark: number for number, mark in enumerate(kinds)}
    cursor.execute(LINES.format(table=table), [list(marks), [place[mark] for mark in marks.values()]])
    found: dict[int, list[Part]] = {}
    for purchase_id, number, net, quantity in cursor:
        found.setdefault(purchase_id, []).append(Part(kinds[number], net, quantity))
    return found


def _tenders(cursor: Any, table: str) -> dict[int, list[tuple[str, Decimal]]]:
    cursor.execute(f"SELECT EXISTS (SELECT FROM purchases_tender t JOIN {table} p ON p.purchase_id = t.purchase_id)")
    ((known,),) = cursor.fetchall()
    if not known:
        return {}
    cursor.execute(BATCH.format(table=table))
    return tenders_of([purchase_id for (purchase_id,) in cursor.fetchall()])


def _pairs(cursor: Any, sql: str) -> dict[int, Any]:
    cursor.execute(sql)
    return dict(cursor.fetchall())
