"""Writing vouchers: what every way of issuing does alike. Inside the transaction of an operation."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.vouchers.errors import NoneLeft, NotIssued
from patron.business.vouchers.models import VoucherDefinition
from patron.business.vouchers.rules import VoucherTerms, new_codes
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput

SLICE = 5000
LONGEST_OCCASION = 110

_INSERT = """
INSERT INTO vouchers_voucher (definition_id, membership_id, issued_to_id, occasion, code, printed, status, uses,
    uses_left, amount, remaining, held, valid_from, valid_until, issued_at, closed_reason)
SELECT %(definition)s, g.membership_id, g.membership_id, %(occasion)s, g.code, g.printed, 'issued', %(uses)s, %(uses)s,
    %(amount)s, %(amount)s, 0, %(valid_from)s, %(valid_until)s, %(now)s, ''
FROM unnest(%(members)s::bigint[], %(codes)s::text[], %(printed)s::text[]) AS g (membership_id, code, printed)
"""

_INSERT_ONCE = (
    _INSERT
    + "ON CONFLICT (definition_id, issued_to_id, occasion) WHERE issued_to_id IS NOT NULL DO NOTHING RETURNING id"
)

_WITHOUT = """
SELECT m.id FROM loyalty_membership m
WHERE m.id = ANY(%(members)s) AND m.status = 'active'
    AND (%(programme)s::bigint IS NULL OR m.programme_id = %(programme)s)
    AND NOT EXISTS (SELECT FROM vouchers_voucher v
        WHERE v.definition_id = %(definition)s AND v.issued_to_id = m.id AND v.occasion = %(occasion)s)
ORDER BY m.id
"""

_TELL = """
SELECT m.customer_id, '{kind}' AS kind, v.issued_at AS occurred_at, '' AS channel, NULL::bigint AS branch_id,
    'vouchers.voucher:' || v.id AS source,
    jsonb_strip_nulls(jsonb_build_object('name', d.name, 'until', v.valid_until)) AS facts
FROM vouchers_voucher v JOIN loyalty_membership m ON m.id = v.membership_id
    JOIN vouchers_voucherdefinition d ON d.id = v.definition_id
WHERE v.id = ANY(%s)
"""


def lock_definition(definition_id: int) -> VoucherDefinition:
    """The definition, its row locked: who issues under it comes one after another."""
    return VoucherDefinition.objects.select_for_update(no_key=True, of=("self",)).get(pk=definition_id)


def require_issuable(definition: VoucherDefinition, now: datetime) -> VoucherDefinition:
    """The definition, if vouchers of it may be issued. Raises NotIssued."""
    if not is_issuable(definition, now):
        raise NotIssued(details={"definition": definition.code})
    return definition


def is_issuable(definition: VoucherDefinition, now: datetime) -> bool:
    """Whether it is switched on and its days are not past."""
    return definition.is_active and (definition.valid_until is None or definition.valid_until >= today(now))


def require_stock(definition: VoucherDefinition, count: int) -> None:
    """Raise NoneLeft unless `count` more can be issued."""
    left = stock_left(definition)
    if left is not None and count > left:
        raise NoneLeft(details={"definition": definition.code, "left": left})


def stock_left(definition: VoucherDefinition) -> int | None:
    """How many may still be issued; None: without a limit."""
    return None if definition.stock is None else definition.stock - definition.issued


def validity(definition: VoucherDefinition, now: datetime) -> tuple[date, date | None]:
    """First and last day of a voucher that is issued at `now`.

    `valid_days` are counted from the first day on which it can be used, that day included: three days are that day and
    the two after it.
    """
    first = max(today(now), definition.valid_from or date.min)
    last = definition.valid_until
    if definition.valid_days is not None:
        own = first + timedelta(days=definition.valid_days - 1)
        last = own if last is None else min(own, last)
    return first, last


def without_voucher(definition: VoucherDefinition, membership_ids: Sequence[int], occasion: str) -> list[int]:
    """Those of the members who are active, in the definition's programme, and have none for this occasion."""
    values = {
        "members": list(membership_ids),
        "programme": definition.programme_id,
        "definition": definition.pk,
        "occasion": checked_occasion(occasion),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT, values)
        return [membership_id for (membership_id,) in cursor.fetchall()]


def write_vouchers(
    definition: VoucherDefinition,
    membership_ids: Sequence[int],
    *,
    occasion: str,
    actor: Actor,
    now: datetime,
    kind: str = "voucher.issued",
) -> list[int]:
    """A voucher for each of these members who has none for this occasion, told in the activity log; their keys."""
    written: list[int] = []
    for start in range(0, len(membership_ids), SLICE):
        part = list(membership_ids[start : start + SLICE])
        ids = insert_vouchers(
            definition, part, list(new_codes(len(part))), [""] * len(part), occasion=occasion, now=now, once=True
        )
        log_activities_from(_TELL.format(kind=kind), [ids], actor=actor, now=now)
        written += ids
    return written


def insert_vouchers(
    definition: VoucherDefinition,
    members: Sequence[int | None],
    codes: Sequence[str],
    printed: Sequence[str],
    *,
    occasion: str,
    now: datetime,
    once: bool,
) -> list[int]:
    """Write vouchers in one statement. `once` passes over members who have one for the occasion, and gives keys."""
    terms = VoucherTerms.read(definition.terms)
    first, last = validity(definition, now)
    values: dict[str, Any] = {
        "definition": definition.pk,
        "occasion": occasion,
        "uses": terms.uses,
        "amount": terms.value if terms.partial_use else None,
        "valid_from": first,
        "valid_until": last,
        "now": now,
        "members": list(members),
        "codes": list(codes),
        "printed": list(printed),
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ONCE if once else _INSERT, values)
        return [voucher_id for (voucher_id,) in cursor.fetchall()] if once else []


def checked_occasion(occasion: str) -> str:
    """Raise InvalidInput for an occasion that cannot be kept."""
    if not 0 < len(occasion) <= LONGEST_OCCASION:
        raise InvalidInput(
            _("Name the occasion in 1 to %(most)s characters.") % {"most": LONGEST_OCCASION},
            details={"field": "occasion"},
        )
    return occasion
