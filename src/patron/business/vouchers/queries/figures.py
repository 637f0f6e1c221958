"""What vouchers did: issued, used, and the money they gave and brought. For pages and reports."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from patron.business.vouchers.models import VoucherDefinition
from patron.business.vouchers.rules import VoucherTerms
from patron.business.vouchers.taking import read_terms
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused

# One basket counts once in the sales, however many vouchers of a definition were used on it.
_FIGURES = """
SELECT d.id, d.code, d.name, d.terms::text, d.issue_on, d.is_active, d.valid_from, d.valid_until, d.issued, d.stock,
    d.budget, d.spent, coalesce(u.uses, 0), coalesce(u.amount, 0), coalesce(u.baskets, 0), coalesce(u.sales, 0),
    coalesce(u.members, 0)
FROM vouchers_voucherdefinition d
    LEFT JOIN LATERAL (
        SELECT sum(b.uses)::int AS uses, sum(b.amount) AS amount, count(*)::int AS baskets, sum(b.sales) AS sales,
            count(DISTINCT b.member)::int AS members
        FROM (
            SELECT count(*) AS uses, sum(amount) AS amount, max(basket_amount) AS sales, max(membership_id) AS member
            FROM vouchers_voucheruse c
            WHERE c.definition_id = d.id AND c.state = 'committed' AND c.at < %(until)s AND c.at >= %(since)s
                AND NOT EXISTS (SELECT FROM vouchers_voucheruse n WHERE n.undoes_id = c.id AND n.at < %(until)s)
            GROUP BY c.request_key
        ) b
    ) u ON true
WHERE %(only)s::bigint IS NULL OR d.id = %(only)s
ORDER BY d.is_active DESC, d.id DESC
"""

_STATES = """
SELECT count(*) FILTER (WHERE status = 'issued' AND coalesce(valid_until, 'infinity') >= %(day)s),
    count(*) FILTER (WHERE status = 'used'),
    count(*) FILTER (WHERE status = 'expired' OR status = 'issued' AND valid_until < %(day)s),
    count(*) FILTER (WHERE status = 'cancelled'),
    coalesce(sum(remaining) FILTER (WHERE status = 'issued' AND coalesce(valid_until, 'infinity') >= %(day)s), 0)
FROM vouchers_voucher WHERE definition_id = %(definition)s
"""


@dataclass(frozen=True, slots=True)
class Redemption:
    """A kind of voucher with its figures: `uses` that stand gave `given` money on `baskets` worth `sales` together,
    of `members` (those without a card are not among them). Money is the house's currency; undone uses do not count.
    """

    definition_id: int
    code: str
    name: str
    terms: VoucherTerms
    issue_on: str
    is_active: bool
    valid_from: date | None
    valid_until: date | None
    issued: int
    stock: int | None
    budget: Decimal | None
    spent: Decimal
    uses: int
    given: Decimal
    baskets: int
    sales: Decimal
    members: int

    @property
    def used_share(self) -> Decimal | None:
        """Uses for each voucher issued; None where none is."""
        return Decimal(self.uses) / self.issued if self.issued else None

    @property
    def issued_when(self) -> str:
        """When vouchers of this kind are issued, in words."""
        return str(VoucherDefinition.IssueOn(self.issue_on).label)

    @property
    def stock_left(self) -> int | None:
        """How many may still be issued; None: without a limit."""
        return None if self.stock is None else self.stock - self.issued

    @property
    def budget_left(self) -> Decimal | None:
        """What of the budget is neither spent nor held; None: without a limit."""
        return None if self.budget is None else self.budget - self.spent


@dataclass(frozen=True, slots=True)
class States:
    """How many vouchers of a definition are in each state; `owed` is the money still on cash vouchers."""

    usable: int
    used: int
    expired: int
    cancelled: int
    owed: Decimal


def redemption(actor: Actor, *, since: datetime, until: datetime, definition_id: int | None = None) -> list[Redemption]:
    """Every kind of voucher with the uses from `since` up to, not including, `until`; those issued now first.

    One query. Raises PermissionRefused without `vouchers.view`.
    """
    _require_permission(actor)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"since": since, "until": until, "only": definition_id})
        return [_redemption(row) for row in cursor.fetchall()]


def states(definition: VoucherDefinition, *, day: date) -> States:
    """How the definition's vouchers stand on `day`. Reads all of them, by an index."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, {"definition": definition.pk, "day": day})
        return States(*cursor.fetchone())


def get_definition(code: str, actor: Actor) -> VoucherDefinition:
    """The kind of voucher with this code. Raises NotFound, PermissionRefused without `vouchers.view`."""
    _require_permission(actor)
    definition = VoucherDefinition.objects.select_related("programme").filter(code=code).first()
    if definition is None:
        raise NotFound(details={"definition": code})
    return definition


def definitions_by_hand(actor: Actor) -> list[VoucherDefinition]:
    """The kinds that may be given to a member by hand now: active, not for points only."""
    _require_permission(actor)
    points = VoucherDefinition.IssueOn.POINTS
    return list(VoucherDefinition.objects.filter(is_active=True).exclude(issue_on=points).order_by("name"))


def definitions_for_points(actor: Actor, *, programme_id: int) -> list[VoucherDefinition]:
    """What members of a programme may buy with points now, cheapest first."""
    _require_permission(actor)
    points = VoucherDefinition.IssueOn.POINTS
    found = VoucherDefinition.objects.filter(is_active=True, issue_on=points).order_by("points_price", "name")
    return [each for each in found if each.programme_id in (None, programme_id)]


def definitions_for_birthdays() -> list[VoucherDefinition]:
    """The kinds that are given for birthdays."""
    birthday = VoucherDefinition.IssueOn.BIRTHDAY
    return list(VoucherDefinition.objects.filter(is_active=True, issue_on=birthday).order_by("pk"))


def _redemption(row: tuple[object, ...]) -> Redemption:
    values = list(row)
    values[3] = read_terms(str(values[3]))
    return Redemption(*values)  # type: ignore[arg-type]


def _require_permission(actor: Actor) -> None:
    if not actor.can("vouchers.view"):
        raise PermissionRefused(details={"permission": "vouchers.view"})
