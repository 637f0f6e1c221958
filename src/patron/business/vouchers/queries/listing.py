"""Vouchers one by one: those of a member, those of a definition, one by its code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.models import Membership
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.queries.words import promise, sentence
from patron.business.vouchers.rules import VoucherTerms, grouped, normalised
from patron.business.vouchers.taking import read_terms
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import NotFound, PermissionRefused

STATES = ("usable", "reserved", "used", "expired", "cancelled")
PAGE = 50
MOST_OF_MEMBER = 200

_SELECT = """
SELECT v.id, v.code, v.printed, d.code, d.name, d.terms::text, m.customer_id,
    CASE WHEN v.status = 'issued' AND v.valid_until < %(day)s THEN 'expired'
        WHEN v.status = 'issued' AND v.held > 0 AND v.held = v.uses_left THEN 'reserved'
        WHEN v.status = 'issued' THEN 'usable' ELSE v.status END,
    v.uses, v.uses_left, v.remaining, v.valid_from, v.valid_until, v.issued_at, v.occasion, v.closed_reason
FROM vouchers_voucher v JOIN vouchers_voucherdefinition d ON d.id = v.definition_id
    LEFT JOIN loyalty_membership m ON m.id = v.membership_id
"""

_OF_MEMBER = (
    _SELECT
    + """
WHERE v.membership_id = %(membership)s
ORDER BY (v.status = 'issued' AND coalesce(v.valid_until, 'infinity') >= %(day)s) DESC,
    CASE WHEN v.status = 'issued' THEN v.valid_until END NULLS LAST, v.id DESC LIMIT %(limit)s
"""
)

_OF_DEFINITION = (
    _SELECT
    + """
WHERE v.definition_id = %(definition)s AND v.id < %(before)s AND (%(state)s = '' OR %(state)s = CASE
        WHEN v.status = 'issued' AND v.valid_until < %(day)s THEN 'expired'
        WHEN v.status = 'issued' THEN 'usable' ELSE v.status END)
ORDER BY v.id DESC LIMIT %(limit)s
"""
)

_BY_CODE = _SELECT + "WHERE v.code = %(code)s"


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """A voucher in a list. `state` is one of STATES on the day asked for; `remaining` is for cash vouchers only.

    `customer_id` is None for a code of whoever holds it.
    """

    id: int
    shown_code: str
    definition_code: str
    name: str
    terms: VoucherTerms
    customer_id: int | None
    state: str
    uses: int
    uses_left: int
    remaining: Decimal | None
    valid_from: date
    valid_until: date | None
    issued_at: datetime
    occasion: str
    reason: str

    @property
    def promise(self) -> str:
        """What it gives, in a few words."""
        return promise(self.terms)

    @property
    def sentence(self) -> str:
        """The whole promise as a sentence."""
        return sentence(self.terms)


@dataclass(frozen=True, slots=True)
class VoucherPage:
    """A page of a list, and the key before which it goes on (None: it ends)."""

    lines: Sequence[VoucherLine]
    next_before: int | None


def vouchers_of(
    membership: Membership, *, now: datetime, usable_only: bool = False, limit: int = MOST_OF_MEMBER
) -> list[VoucherLine]:
    """A member's vouchers: those that can be used first, soonest to end first; then the others, newest first.

    The membership was fetched, so the reader may see it. One query.
    """
    found = _lines(_OF_MEMBER, {"membership": membership.pk, "day": today(now), "limit": limit})
    return [line for line in found if line.state == "usable"] if usable_only else found


def vouchers_of_definition(
    definition: VoucherDefinition, *, day: date, state: str = "", before: int | None = None, limit: int = PAGE
) -> VoucherPage:
    """A definition's vouchers, newest first, by key. `state` is one of STATES but `reserved`, or empty for all."""
    values = {
        "definition": definition.pk,
        "day": day,
        "state": state,
        "before": 2**62 if before is None else before,
        "limit": limit + 1,
    }
    lines = _lines(_OF_DEFINITION, values)
    following = lines[limit - 1].id if len(lines) > limit else None
    return VoucherPage(lines=lines[:limit], next_before=following)


def codes_of_definition(definition: VoucherDefinition, actor: Actor, *, day: date) -> Iterator[VoucherLine]:
    """Every code that nobody in particular owns and that can be used, newest first, read page by page.

    Raises PermissionRefused without `vouchers.codes`.
    """
    if not actor.can("vouchers.codes"):
        raise PermissionRefused(details={"permission": "vouchers.codes"})
    return _codes(definition, day)


def _codes(definition: VoucherDefinition, day: date) -> Iterator[VoucherLine]:
    before = None
    while True:
        found = vouchers_of_definition(definition, day=day, state="usable", before=before, limit=5000)
        yield from (line for line in found.lines if line.customer_id is None)
        if found.next_before is None:
            return
        before = found.next_before


def find_voucher(code: str, actor: Actor, *, now: datetime) -> VoucherLine:
    """The voucher with this code, however it is typed. Raises NotFound, PermissionRefused without `vouchers.view`."""
    _require_permission(actor)
    found = _lines(_BY_CODE, {"code": normalised(code), "day": today(now)})
    if not found:
        raise NotFound(details={"voucher": code})
    return found[0]


def get_voucher(voucher_id: int, actor: Actor) -> Voucher:
    """The voucher of a line, for an operation on it. Raises NotFound, PermissionRefused without `vouchers.view`."""
    _require_permission(actor)
    voucher = Voucher.objects.select_related("definition", "membership").filter(pk=voucher_id).first()
    if voucher is None:
        raise NotFound(details={"voucher": voucher_id})
    return voucher


def _lines(statement: str, values: dict[str, Any]) -> list[VoucherLine]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    return [
        VoucherLine(key, printed or grouped(code), definition, name, read_terms(terms), *rest)
        for key, code, printed, definition, name, terms, *rest in rows
    ]


def _require_permission(actor: Actor) -> None:
    if not actor.can("vouchers.view"):
        raise PermissionRefused(details={"permission": "vouchers.view"})
