"""Setting up terminals."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from patron.business.tills.models import Terminal
from patron.core.accounts.models import Branch, IntegrationKey
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.operation import operation

MOST_OFFLINE_DAYS = 366


@operation(permission="tills.manage")
def create_terminal(
    branch: Branch,
    *,
    code: str,
    actor: Actor,
    now: datetime,
    name: str = "",
    key: IntegrationKey | None = None,
    most_amount: Decimal | None = None,
    most_points: Decimal | None = None,
    most_voucher_amount: Decimal | None = None,
    offline_days: int = 14,
) -> Terminal:
    """Set up a till of `branch`. A key of its own must be bound to that branch. Limits left out are none.

    Raises InvalidInput naming the field, Conflict where the code or the key is taken, NotFound for a branch that the
    actor does not serve.
    """
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(_("This branch is not one of yours."), details={"field": "branch"})
    if not code or len(code) > 40 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in code):
        raise InvalidInput(
            _("A terminal's code has letters, digits, dots and hyphens, at most 40."), details={"field": "code"}
        )
    _require_bound(key, branch.pk)
    limits = _checked(most_amount, most_points, most_voucher_amount, offline_days)
    try:
        with transaction.atomic():
            return Terminal.objects.create(
                branch=branch, code=code, name=name.strip()[:100], key=key, created_at=now, **limits
            )
    except IntegrityError as error:
        raise Conflict(_("There is a terminal with this code, or with this key, already.")) from error


@operation(permission="tills.manage")
def change_terminal(
    terminal: Terminal,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    is_active: bool,
    key: IntegrationKey | None,
    most_amount: Decimal | None,
    most_points: Decimal | None,
    most_voucher_amount: Decimal | None,
    offline_days: int,
) -> Terminal:
    """Change a terminal's name, key and limits, or take it out of use.

    Raises InvalidInput naming the field, Conflict where the key is taken, NotFound.
    """
    if actor.branch_ids is not None and terminal.branch_id not in actor.branch_ids:
        raise NotFound(details={"terminal": terminal.code})
    _require_bound(key, terminal.branch_id)
    locked = Terminal.objects.select_for_update(no_key=True).get(pk=terminal.pk)
    locked.name, locked.is_active, locked.key = name.strip()[:100], is_active, key
    for field, value in _checked(most_amount, most_points, most_voucher_amount, offline_days).items():
        setattr(locked, field, value)
    try:
        with transaction.atomic():
            locked.save()
    except IntegrityError as error:
        raise Conflict(_("Another terminal has this key already."), details={"field": "key"}) from error
    return locked


def _require_bound(key: IntegrationKey | None, branch_id: int) -> None:
    if key is not None and key.branch_id != branch_id:
        raise InvalidInput(_("The key of a terminal is bound to the terminal's branch."), details={"field": "key"})


def _checked(
    most_amount: Decimal | None, most_points: Decimal | None, most_voucher_amount: Decimal | None, offline_days: int
) -> dict[str, Decimal | int | None]:
    for field, value in (
        ("most_amount", most_amount), ("most_points", most_points), ("most_voucher_amount", most_voucher_amount),
    ):  # fmt: skip
        if value is not None and (not value.is_finite() or not 0 <= value < 10**14):
            raise InvalidInput(_("A limit is a number of zero or more."), details={"field": field})
    if most_amount is not None and not most_amount:
        raise InvalidInput(_("A limit is a number of zero or more."), details={"field": "most_amount"})
    if not 0 <= offline_days <= MOST_OFFLINE_DAYS:
        raise InvalidInput(_("A till may be offline for 0 to 366 days."), details={"field": "offline_days"})
    return {
        "most_amount": most_amount,
        "most_points": most_points,
        "most_voucher_amount": most_voucher_amount,
        "offline_days": offline_days,
    }
