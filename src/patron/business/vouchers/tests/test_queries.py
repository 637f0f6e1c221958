"""What the till, the pages and the reports read."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from patron.business.loyalty.testing import make_member, make_programme
from patron.business.vouchers.errors import TooManyWrongCodes
from patron.business.vouchers.models import Voucher
from patron.business.vouchers.operations import (
    Limits,
    note_wrong_codes,
    reserve_vouchers,
    undo_vouchers,
    use_vouchers,
)
from patron.business.vouchers.queries import (
    check_codes,
    codes_of_definition,
    find_voucher,
    redemption,
    sentence,
    states,
    usable_vouchers,
    vouchers_at_hand,
    vouchers_of,
    vouchers_of_definition,
)
from patron.business.vouchers.rules import VoucherTerms
from patron.business.vouchers.testing import (
    CASH,
    PLAIN_MEMBER,
    TEN_OFF,
    TENTH_OFF,
    make_basket,
    make_code,
    make_definition,
    make_voucher,
)
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in
from patron.core.customers.testing import WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import NotFound, PermissionRefused

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


def use(voucher: Voucher, key: str, **more: object) -> None:
    use_vouchers(
        [voucher.code], request_key=key, basket=make_basket(), membership=voucher.membership,
        member=PLAIN_MEMBER if voucher.membership else None, actor=SYSTEM, now=NOW, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_till_sees_what_a_member_can_use_the_most_worth_first() -> None:
    member = make_member()
    ten = make_voucher(member)
    fifth = make_voucher(member, make_definition({"kind": "percent", "value": "20"}))
    large = make_voucher(member, make_definition({**TEN_OFF, "minimum_spend": "150"}))
    used, held = make_voucher(member), make_voucher(member)
    use(used, "k1")
    reserve_vouchers(
        [held.code], request_key="k2", basket=make_basket(), membership=member, member=PLAIN_MEMBER,
        until=NOW + timedelta(minutes=1), actor=SYSTEM, now=NOW,
    )  # fmt: skip

    with CaptureQueriesContext(
        connection,
    ) as done:
        found = vouchers_at_hand(member, make_basket(), member=PLAIN_MEMBER, now=NOW)
    assert len(done) == 1
    assert [(each.code, each.worth.amount, each.words) for each in found] == [
        (fifth.code, Decimal(20), ""),
        (ten.code, Decimal(10), ""),
        (large.code, Decimal(0), "Spend HK$50 more, and the voucher can be used."),
    ]
    usable = usable_vouchers(member, make_basket(), member=PLAIN_MEMBER, now=NOW, request_key="k2")
    assert {each.code for each in usable} == {fifth.code, ten.code, held.code}
    assert held.code in {
        each.code
        for each in usable_vouchers(member, make_basket(), member=PLAIN_MEMBER, now=NOW + timedelta(minutes=2))
    }


def test_codes_on_the_counter_are_checked_together() -> None:
    programme = make_programme()
    member = make_member(programme)
    ten, theirs = make_code(), make_voucher(make_member(programme, character=WANG))
    tenth = make_code(make_definition({**TENTH_OFF, "combinable": False}))
    found = check_codes(
        [ten.shown_code, "nonsense", theirs.code, tenth.code],
        make_basket(),
        membership=member,
        member=PLAIN_MEMBER,
        now=NOW,
        terminal="T1",
    )
    assert [(each.refusal, each.worth.amount) for each in found] == [
        ("", Decimal(10)), ("no_such_voucher", Decimal(0)), ("voucher_of_another", Decimal(0)),
        ("voucher_not_applicable", Decimal(0)),
    ]  # fmt: skip
    assert all(each.words for each in found[1:])
    note_wrong_codes(terminal="T1", count=10, actor=SYSTEM, now=NOW)
    with pytest.raises(TooManyWrongCodes):
        check_codes([ten.code], make_basket(), membership=None, member=None, now=NOW, terminal="T1")


def test_a_member_sees_what_can_be_used_first() -> None:
    member = make_member()
    late = make_voucher(member)
    soon = make_voucher(member, make_definition(limits=Limits(valid_days=3)))
    used = make_voucher(member)
    use(used, "k1")
    assert [(line.id, line.state) for line in vouchers_of(member, now=NOW)] == [
        (soon.pk, "usable"), (late.pk, "usable"), (used.pk, "used"),
    ]  # fmt: skip
    assert [line.id for line in vouchers_of(member, now=NOW, usable_only=True)] == [soon.pk, late.pk]
    after = {line.id: line.state for line in vouchers_of(member, now=NOW + timedelta(days=3))}
    assert after[soon.pk] == "expired"


def test_the_figures_count_what_stands_and_a_basket_once() -> None:
    member = make_member()
    definition = make_definition(limits=Limits(stock=10, budget=Decimal(100)))
    vouchers = [make_voucher(member, definition) for _ in range(5)]
    basket = make_basket()
    use_vouchers(
        [v.code for v in vouchers[:2]], request_key="both", basket=basket, membership=member, member=PLAIN_MEMBER,
        actor=SYSTEM, now=NOW,
    )  # fmt: skip
    use(vouchers[2], "one")
    use(vouchers[3], "undone")
    undo_vouchers(request_key="undone", actor=SYSTEM, now=NOW)
    tomorrow = NOW + timedelta(days=1)

    (found,) = redemption(SYSTEM, since=NOW, until=tomorrow)

    assert (found.issued, found.uses, found.given, found.baskets, found.sales, found.members) == (
        5, 3, Decimal(30), 2, Decimal(200), 1,
    )  # fmt: skip
    assert (found.stock_left, found.budget_left, found.used_share) == (5, Decimal(70), Decimal("0.6"))
    assert redemption(SYSTEM, since=tomorrow, until=tomorrow)[0].uses == 0
    now = states(definition, day=DAY)
    assert (now.usable, now.used, now.expired, now.cancelled) == (2, 3, 0, 0)


def test_the_money_still_on_cash_vouchers() -> None:
    definition = make_definition(CASH)
    use(make_code(definition), "k")
    vouchers = [make_code(definition) for _ in range(2)]
    basket_use = vouchers[0]
    use_vouchers(
        [basket_use.code], request_key="k2", basket=make_basket(*make_basket().lines[:1]), membership=None, member=None,
        actor=SYSTEM, now=NOW,
    )  # fmt: skip
    assert states(definition, day=DAY).owed == 160


def test_a_definitions_vouchers_page_by_page() -> None:
    member, definition = make_member(), make_definition()
    vouchers = [make_voucher(member, definition) for _ in range(5)]
    first = vouchers_of_definition(definition, day=DAY, limit=3)
    second = vouchers_of_definition(definition, day=DAY, limit=3, before=first.next_before)
    assert [line.id for line in (*first.lines, *second.lines)] == [v.pk for v in reversed(vouchers)]
    assert second.next_before is None
    use(vouchers[0], "k")
    assert [line.id for line in vouchers_of_definition(definition, day=DAY, state="used").lines] == [vouchers[0].pk]


def test_codes_leave_only_by_those_who_may() -> None:
    definition = make_definition()
    code = make_code(definition)
    make_voucher(make_member(), definition)
    assert [line.shown_code for line in codes_of_definition(definition, SYSTEM, day=DAY)] == [code.shown_code]
    with pytest.raises(PermissionRefused):
        codes_of_definition(definition, actor_in(Role.CASHIER), day=DAY)


def test_a_voucher_is_found_by_its_code() -> None:
    voucher = make_code()
    assert find_voucher(voucher.shown_code.lower(), SYSTEM, now=NOW).id == voucher.pk
    with pytest.raises(NotFound):
        find_voucher("7777", SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("given", "english"),
    [
        (TEN_OFF, "HK$10 off."),
        (
            {"kind": "percent", "value": "12.5", "most": "80", "products": {"categories": ["Food > Dairy"]},
             "minimum_spend": "200", "combinable": False},
            "12.5\N{NO-BREAK SPACE}% off, at most HK$80: on Food > Dairy; from HK$200; not together with others.",
        ),
        (
            {"kind": "free_item", "value": "1", "minimum_quantity": "3", "branches": ["KLN"],
             "when": {"weekdays": [2], "from_time": "14:00", "until_time": "17:00"}},
            "The cheapest piece for nothing: from 3 pieces; in KLN; on Tuesday; from 14:00 to 17:00.",
        ),
        (CASH, "HK$100 off: what is left stays on it; may be handed over."),
    ],
)  # fmt: skip
def test_terms_as_a_sentence(given: dict[str, object], english: str) -> None:
    with override("en"):
        assert sentence(VoucherTerms.read(given)) == english
