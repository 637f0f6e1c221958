"""What the database itself refuses, whoever writes: every rule of vouchers stands there too."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from patron.business.loyalty.testing import make_member
from patron.business.vouchers.models import Voucher, VoucherDefinition, VoucherHold, VoucherUse
from patron.business.vouchers.operations import Limits, use_vouchers
from patron.business.vouchers.testing import CASH, TEN_OFF, make_basket, make_code, make_definition, make_voucher
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

pytestmark = pytest.mark.django_db


def write_use(voucher: Voucher, key: str = "raw", **more: Any) -> VoucherUse:
    values: dict[str, Any] = {
        "voucher": voucher,
        "definition_id": voucher.definition_id,
        "membership_id": voucher.membership_id,
        "request_key": key,
        "line_no": 1,
        "amount": Decimal(10),
        "basket_amount": Decimal(100),
        "taken_on": today(NOW),
        "state": "committed",
        "at": NOW,
        **more,
    }
    return VoucherUse.objects.create(**values)


def refused(constraint: str, write: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        write()
    diagnosis = error.value.__cause__.diag  # type: ignore[union-attr]
    assert constraint in f"{diagnosis.constraint_name} {diagnosis.message_primary}"


def sql(statement: str) -> Callable[[], object]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vouchers_voucher SET uses_left = 5",
        "UPDATE vouchers_voucher SET remaining = 5",
        "UPDATE vouchers_voucher SET held = 1",
        "UPDATE vouchers_voucher SET code = 'AAAA'",
        "DELETE FROM vouchers_voucher",
        "UPDATE vouchers_voucherdefinition SET issued = 0",
        "UPDATE vouchers_voucherdefinition SET spent = 0",
        "DELETE FROM vouchers_voucherdefinition",
        "INSERT INTO vouchers_vouchertally (definition_id, scope, uses, most) VALUES (1, 'x', 1, 1)",
        """
        INSERT INTO vouchers_voucher (definition_id, occasion, code, printed, status, uses, uses_left, held, valid_from,
            issued_at, closed_reason)
        SELECT id, 'x', 'AAAAA', '', 'issued', 1, 2, 0, now(), now(), '' FROM vouchers_voucherdefinition
        """,
    ],
)
def test_totals_are_never_set_by_hand(statement: str) -> None:
    make_code()
    refused("by hand refused", sql(statement))


def test_uses_are_append_only() -> None:
    write_use(make_code())
    refused("append-only", sql("UPDATE vouchers_voucheruse SET amount = 1"))
    refused("append-only", sql("DELETE FROM vouchers_voucheruse"))


def test_a_voucher_is_not_used_more_often_than_it_says() -> None:
    word = make_code(make_definition({**TEN_OFF, "uses": 2}))
    write_use(word, "a")
    write_use(word, "b")
    refused("voucher_not_usable", lambda: write_use(word, "c"))
    cash = make_code(make_definition(CASH))
    write_use(cash, "d", amount=Decimal(60))
    refused("vouchers_voucher", lambda: write_use(cash, "e", amount=Decimal("40.01")))


def test_a_cancelled_expired_or_foreign_voucher_is_not_used() -> None:
    cancelled, mine = make_code(), make_voucher(make_member())
    Voucher.objects.filter(pk=cancelled.pk).update(status="cancelled")
    refused("voucher_not_usable", lambda: write_use(cancelled))
    refused("voucher_not_usable", lambda: write_use(mine, membership_id=None))
    refused("voucher_not_usable", lambda: write_use(mine, definition_id=make_definition().pk))
    short = make_code(make_definition(limits=Limits(valid_days=1)))
    refused("voucher_not_usable", lambda: write_use(short, taken_on=today(NOW).replace(day=3)))


def test_what_one_till_holds_another_cannot_use() -> None:
    for voucher in (make_code(), make_code(make_definition(CASH))):
        VoucherHold.objects.create(
            voucher=voucher, definition_id=voucher.definition_id, request_key=voucher.code, line_no=1, until=NOW,
            amount=Decimal(10), basket_amount=Decimal(100), taken_on=today(NOW),
        )  # fmt: skip
        refused("voucher", lambda voucher=voucher: write_use(voucher))  # type: ignore[misc]
    refused("by hand refused", sql("UPDATE vouchers_voucherhold SET amount = 1"))


def test_a_use_is_undone_once_and_as_it_was() -> None:
    first = write_use(make_code())

    def undo(**more: Any) -> VoucherUse:
        return write_use(first.voucher, state="undone", undoes=first, **{"key": "u", **more})

    refused("voucher_use_states", lambda: write_use(first.voucher, "u", state="undone"))
    refused("voucher_not_usable", lambda: undo(amount=Decimal(9)))
    refused("voucher_not_usable", lambda: undo(terminal="T9"))
    undo()
    refused("voucher_undone_once", lambda: undo(key="v"))


def test_a_budget_a_stock_and_limits_hold() -> None:
    definition = make_definition(limits=Limits(budget=Decimal(15), stock=3, terminal_day_limit=1))
    one, two, three = (make_code(definition) for _ in range(3))
    refused("voucher_stock", lambda: Voucher.objects.create(
        definition=definition, occasion="x", code="AAAAA", valid_from=today(NOW), issued_at=NOW))  # fmt: skip
    write_use(one, "a", terminal="T1")
    refused("voucher_budget", lambda: write_use(two, "b"))
    refused("voucher_tally_within", lambda: write_use(two, "b", terminal="T1", amount=Decimal(1)))
    write_use(three, "c", amount=Decimal(5))


def test_terms_cannot_change_once_a_voucher_is_out() -> None:
    definition = make_definition()
    VoucherDefinition.objects.filter(pk=definition.pk).update(terms={**TEN_OFF, "value": "11"})
    make_code(definition)
    refused(
        "voucher_terms_frozen",
        lambda: VoucherDefinition.objects.filter(pk=definition.pk).update(terms={**TEN_OFF, "value": "12"}),
    )


def test_an_operation_leaves_nothing_behind_when_one_of_its_vouchers_is_refused() -> None:
    definition = make_definition(limits=Limits(budget=Decimal(15)))
    codes = [make_code(definition).code for _ in range(2)]
    with pytest.raises(Exception, match="limit"):
        use_vouchers(codes, request_key="k", basket=make_basket(), membership=None, member=None, actor=SYSTEM, now=NOW)
    assert VoucherUse.objects.count() == 0
    assert VoucherDefinition.objects.get().spent == 0
