"""Setting up the programme and its earning rules."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import RuleInThePast
from patron.business.loyalty.models import EarningRule, LedgerTransaction, Programme
from patron.kernel.actor import Actor
from patron.kernel.clock import require_aware
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import operation

LONGEST_EXPIRY_MONTHS = 1200


@operation(permission="loyalty.manage")
def create_programme(
    *,
    code: str,
    name: str,
    currency: str,
    rules_from: datetime,
    actor: Actor,
    now: datetime,
    points_per_unit: Decimal = Decimal(1),
    unit_amount: Decimal = Decimal(1),
    expiry_months: int | None = 12,
    card_prefix: str = "8800",
    allow_debt: bool = True,
) -> Programme:
    """Create a programme with the first version of its base rule, in force from `rules_from`.

    By default one point for each whole 1.00, usable to the end of the month twelve months later. `allow_debt` says
    whether points taken back after they were spent put the balance below zero.

    Raises InvalidInput naming the field; Conflict where the code is taken.
    """
    if not code.strip() or not name.strip():
        raise InvalidInput(_("A programme needs a code and a name."), details={"field": "name"})
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha() or not currency.isupper():
        raise InvalidInput(_("A currency is three capital letters, such as HKD."), details={"field": "currency"})
    if not (1 <= len(card_prefix) <= 8 and card_prefix.isascii() and card_prefix.isdigit()):
        raise InvalidInput(_("A card prefix is one to eight digits."), details={"field": "card_prefix"})
    try:
        with transaction.atomic():
            programme = Programme.objects.create(
                code=code.strip(),
                name=name.strip(),
                currency=currency,
                card_prefix=card_prefix,
                allow_debt=allow_debt,
                created_at=now,
            )
    except IntegrityError as error:
        raise Conflict(_("There is a programme with this code already."), details={"field": "code"}) from error
    _add_rule(
        programme,
        points_per_unit=points_per_unit,
        unit_amount=unit_amount,
        expiry_months=expiry_months,
        valid_from=rules_from,
        actor=actor,
    )
    return programme


@operation(permission="loyalty.manage")
def set_earning_rule(
    programme: Programme,
    *,
    points_per_unit: Decimal,
    unit_amount: Decimal,
    expiry_months: int | None,
    valid_from: datetime,
    actor: Actor,
    now: datetime,
) -> EarningRule:
    """Add a version of the base rule, in force from `valid_from` on; earlier purchases keep theirs.

    Returns of a purchase go by the version that it earned under, whenever they come. Raises InvalidInput naming the
    field, and RuleInThePast where points have been posted for purchases since `valid_from`.
    """
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if (
        valid_from < now
        and LedgerTransaction.objects.filter(
            membership__programme=programme, kind=LedgerTransaction.Kind.EARN, occurred_at__gte=valid_from
        ).exists()
    ):
        raise RuleInThePast(details={"field": "valid_from"})
    return _add_rule(
        programme,
        points_per_unit=points_per_unit,
        unit_amount=unit_amount,
        expiry_months=expiry_months,
        valid_from=valid_from,
        actor=actor,
    )


def _add_rule(
    programme: Programme,
    *,
    points_per_unit: Decimal,
    unit_amount: Decimal,
    expiry_months: int | None,
    valid_from: datetime,
    actor: Actor,
) -> EarningRule:
    for field, value, least, most, places in (
        ("points_per_unit", points_per_unit, Decimal(0), Decimal("9999.9999"), 4),
        ("unit_amount", unit_amount, Decimal("0.01"), Decimal("99999999999999.99"), 2),
    ):
        if not value.is_finite() or not least <= value <= most or value != round(value, places):
            raise InvalidInput(
                _("This must lie between %(least)s and %(most)s, with at most %(places)s decimals.")
                % {"least": least, "most": most, "places": places},
                details={"field": field},
            )
    if expiry_months is not None and not 0 <= expiry_months <= LONGEST_EXPIRY_MONTHS:
        raise InvalidInput(
            _("Points expire after 0 to %(most)s months, or never.") % {"most": LONGEST_EXPIRY_MONTHS},
            details={"field": "expiry_months"},
        )
    return EarningRule.objects.create(
        programme=programme,
        version=programme.rules.count() + 1,
        points_per_unit=points_per_unit,
        unit_amount=unit_amount,
        expiry_months=expiry_months,
        valid_from=require_aware(valid_from),
        created_by=actor.reference,
    )
