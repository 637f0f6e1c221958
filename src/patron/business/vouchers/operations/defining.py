"""Kinds of vouchers: what they promise, their limits, whether they are issued."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Programme
from patron.business.vouchers.errors import InvalidTerms, TermsFrozen
from patron.business.vouchers.models import VoucherDefinition
from patron.business.vouchers.rules import RuleError, VoucherTerms
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import operation

IssueOn = VoucherDefinition.IssueOn
MOST_DAYS_BEFORE = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """How long vouchers are valid and how many there may be. None: without a limit. See `VoucherDefinition`."""

    valid_days: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    stock: int | None = None
    budget: Decimal | None = None
    member_day_limit: int | None = None
    terminal_day_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """When vouchers are issued by themselves, or what they cost. See `VoucherDefinition.issue_terms`."""

    on: str = "manual"
    tiers: tuple[str, ...] = ()
    days_before: int = 0
    points_price: Decimal | None = None
    programme: Programme | None = None

    def as_json(self) -> dict[str, Any]:
        terms: dict[str, Any] = {}
        if self.on == IssueOn.TIER and self.tiers:
            terms["tiers"] = sorted(self.tiers)
        if self.on == IssueOn.BIRTHDAY and self.days_before:
            terms["days_before"] = self.days_before
        return terms


@operation(permission="vouchers.manage")
def define_vouchers(
    *,
    code: str,
    name: str,
    terms: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    description: str = "",
    limits: Limits = Limits(),
    issue: Issue = Issue(),
) -> VoucherDefinition:
    """Make a kind of voucher. `terms` is `rules.VoucherTerms` as JSON; its currency is the house's.

    Raises InvalidTerms naming the place, InvalidInput naming the field, Conflict for a code that is taken.
    """
    read = _checked_terms(terms)
    _check(code=code, name=name, limits=limits, issue=issue)
    try:
        with transaction.atomic():
            return VoucherDefinition.objects.create(
                code=code,
                name=name.strip(),
                description=description.strip(),
                terms=read.as_json(),
                member_limit=read.member_limit,
                programme=issue.programme,
                issue_on=issue.on,
                issue_terms=issue.as_json(),
                points_price=issue.points_price,
                created_by=actor.reference,
                **_columns(limits),
            )
    except IntegrityError as error:
        raise Conflict(
            _("Another kind of voucher has this code. Choose one of its own."), details={"field": "code"}
        ) from error


@operation(permission="vouchers.manage")
def change_definition(
    definition: VoucherDefinition,
    *,
    name: str,
    terms: Mapping[str, Any],
    limits: Limits,
    issue: Issue,
    actor: Actor,
    now: datetime,
    description: str = "",
) -> VoucherDefinition:
    """Change a kind of voucher. Its terms only while none is issued; days and limits count for those issued from now.

    Raises TermsFrozen, InvalidTerms, InvalidInput naming the field: also for a stock or budget below what is taken.
    """
    read = _checked_terms(terms)
    _check(code=definition.code, name=name, limits=limits, issue=issue)
    locked = VoucherDefinition.objects.select_for_update().get(pk=definition.pk)
    if locked.issued and read != VoucherTerms.read(locked.terms):
        raise TermsFrozen(details={"definition": locked.code})
    if limits.stock is not None and limits.stock < locked.issued:
        raise InvalidInput(
            _("%(count)s are issued already: the number cannot be less.") % {"count": locked.issued},
            details={"field": "stock"},
        )
    values = {
        "name": name.strip(),
        "description": description.strip(),
        "programme": issue.programme,
        "issue_on": issue.on,
        "issue_terms": issue.as_json(),
        "points_price": issue.points_price,
        **_columns(limits),
    }
    if not locked.issued:
        values |= {"terms": read.as_json(), "member_limit": read.member_limit}
    for column, value in values.items():
        setattr(locked, column, value)
    try:
        with transaction.atomic():
            locked.save(update_fields=list(values))
    except IntegrityError as error:
        raise InvalidInput(
            _("More than this has been given already: the budget cannot be less."), details={"field": "budget"}
        ) from error
    locked.refresh_from_db()
    return locked


@operation(permission="vouchers.manage")
def set_issuing(
    definition: VoucherDefinition,
    *,
    active: bool,
    actor: Actor,
    now: datetime,
) -> VoucherDefinition:
    """Begin or stop issuing. Vouchers that are out are honoured in any case; cancel them to take them back."""
    locked = VoucherDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    if locked.is_active != active:
        locked.is_active = active
        locked.save(update_fields=["is_active"])
    return locked


def _checked_terms(terms: Mapping[str, Any]) -> VoucherTerms:
    try:
        return VoucherTerms.read({"currency": settings.CURRENCY, **terms})
    except RuleError as error:
        raise InvalidTerms(gettext(str(error)), details={"field": error.place}) from error


def _check(*, code: str, name: str, limits: Limits, issue: Issue) -> None:
    if not code or len(code) > 40 or not all(c.isalnum() or c in "-_." for c in code) or not code.isascii():
        raise InvalidInput(
            _("A code has 1 to 40 letters, digits, hyphens, dots or underscores."), details={"field": "code"}
        )
    if not name.strip() or len(name) > 150:
        raise InvalidInput(_("Give it a name of at most 150 characters."), details={"field": "name"})
    if limits.valid_from and limits.valid_until and limits.valid_until < limits.valid_from:
        raise InvalidInput(_("The last day comes before the first."), details={"field": "valid_until"})
    for column in ("valid_days", "stock", "budget", "member_day_limit", "terminal_day_limit"):
        value = getattr(limits, column)
        if value is not None and not 0 < value < 1_000_000_000:
            raise InvalidInput(_("More than zero, or nothing for no limit."), details={"field": column})
    if issue.on not in IssueOn.values:
        raise InvalidInput(_("Choose when these vouchers are issued."), details={"field": "issue_on"})
    if (issue.on == IssueOn.POINTS) != (issue.points_price is not None and issue.points_price > 0):
        raise InvalidInput(
            _("A voucher bought with points has a price in points; any other has none."),
            details={"field": "points_price"},
        )
    if not 0 <= issue.days_before <= MOST_DAYS_BEFORE:
        raise InvalidInput(
            _("At most %(most)s days before the birthday.") % {"most": MOST_DAYS_BEFORE},
            details={"field": "days_before"},
        )


def _columns(limits: Limits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
