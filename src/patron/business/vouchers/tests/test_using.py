"""A voucher at the till: reserved, used, released, undone; once, whatever is sent again."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import set_membership_status
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.testing import make_purchase
from patron.business.vouchers import errors
from patron.business.vouchers.models import Voucher, VoucherDefinition, VoucherHold, VoucherTally, VoucherUse
from patron.business.vouchers.operations import (
    Given,
    Limits,
    cancel_voucher,
    commit_vouchers,
    issue_word,
    note_wrong_codes,
    release_vouchers,
    reserve_vouchers,
    undo_vouchers,
    use_vouchers,
)
from patron.business.vouchers.queries import check_codes, usable_vouchers
from patron.business.vouchers.testing import (
    CASH,
    PLAIN_MEMBER,
    TEN_OFF,
    TENTH_OFF,
    make_basket,
    make_code,
    make_definition,
    make_line,
    make_voucher,
)
from patron.core.accounts.testing import NOW
from patron.core.activities.models import Activity
from patron.core.customers.testing import APPLEBY, CHAN, WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import DomainError, InvalidInput

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=10)


def use(*vouchers: Voucher, key: str = "k1", member: Membership | None = None, **more: Any) -> list[Given]:
    values: dict[str, Any] = {"basket": make_basket(), "now": NOW, **more}
    return use_vouchers(
        [voucher.shown_code for voucher in vouchers],
        request_key=key,
        membership=member,
        member=PLAIN_MEMBER if member else None,
        actor=SYSTEM,
        **values,
    )


def reserve(*vouchers: Voucher, key: str = "k1", member: Membership | None = None, **more: Any) -> list[Given]:
    values: dict[str, Any] = {"basket": make_basket(), "now": NOW, "until": SOON, **more}
    return reserve_vouchers(
        [voucher.shown_code for voucher in vouchers],
        request_key=key,
        membership=member,
        member=PLAIN_MEMBER if member else None,
        actor=SYSTEM,
        **values,
    )


def state(voucher: Voucher) -> tuple[str, int, int]:
    """(status, uses left, held) now."""
    return Voucher.objects.values_list("status", "uses_left", "held").get(pk=voucher.pk)


def test_a_members_voucher_is_used_once_and_told() -> None:
    member = make_member()
    voucher = make_voucher(member)
    purchase = make_purchase(member.customer)

    (given,) = use(voucher, member=member, purchase=purchase, terminal="T1")

    assert (given.code, given.amount, given.by_line) == (voucher.code, Decimal("10.00"), {1: Decimal(4), 2: Decimal(6)})
    assert state(voucher) == ("used", 0, 0)
    (written,) = VoucherUse.objects.all()
    assert (written.purchase, written.terminal, written.basket_amount) == (purchase, "T1", Decimal(100))
    told = Activity.objects.filter(kind="voucher.used").get()
    assert (told.customer_id, told.facts) == (
        member.customer_id,
        {"name": voucher.definition.name, "amount": "10.00"},
    )


def test_the_same_request_again_gives_the_first_answer() -> None:
    member = make_member()
    voucher = make_voucher(member)
    first = use(voucher, member=member)
    assert use(voucher, member=member) == first
    assert VoucherUse.objects.count() == 1


def test_another_request_under_the_key_is_refused() -> None:
    member = make_member()
    first, second = make_voucher(member), make_voucher(member)
    use(first, member=member)
    with pytest.raises(errors.RequestKeyReused):
        use(second, member=member)
    with pytest.raises(errors.RequestKeyReused):
        use(first, member=member, basket=make_basket(make_line(1, net="50")))
    assert state(second) == ("issued", 1, 0)


def test_a_used_voucher_is_refused_under_another_key() -> None:
    member = make_member()
    voucher = make_voucher(member)
    use(voucher, member=member)
    with pytest.raises(errors.VoucherUsed):
        use(voucher, member=member, key="k2")


def test_a_reserved_voucher_is_kept_from_others_and_then_used() -> None:
    member = make_member()
    voucher = make_voucher(member)
    reserved = reserve(voucher, member=member)
    assert reserve(voucher, member=member) == reserved
    with pytest.raises(errors.VoucherInUse):
        use(voucher, member=member, key="k2")
    with pytest.raises(errors.VoucherInUse):
        reserve(voucher, member=member, key="k3")

    used = commit_vouchers(request_key="k1", purchase=make_purchase(member.customer), actor=SYSTEM, now=NOW)

    assert used == reserved
    assert commit_vouchers(request_key="k1", actor=SYSTEM, now=NOW) == used
    assert state(voucher) == ("used", 0, 0)
    assert VoucherHold.objects.count() == 0


def test_a_reservation_may_be_used_for_less_and_the_rest_is_released() -> None:
    member = make_member()
    cash, other = make_voucher(member, make_definition(CASH)), make_voucher(member)
    reserve(other, cash, member=member)
    with pytest.raises(InvalidInput):
        commit_vouchers(request_key="k1", amounts={cash.code: Decimal("90.01")}, actor=SYSTEM, now=NOW)

    (used,) = commit_vouchers(request_key="k1", amounts={cash.shown_code: Decimal("25.50")}, actor=SYSTEM, now=NOW)

    assert used.amount == Decimal("25.50")
    cash.refresh_from_db()
    assert (cash.remaining, cash.status, state(other)) == (Decimal("74.50"), "issued", ("issued", 1, 0))


def test_a_released_voucher_is_free_and_releasing_again_changes_nothing() -> None:
    member = make_member()
    voucher = make_voucher(member)
    reserve(voucher, member=member)
    assert release_vouchers(request_key="k1", actor=SYSTEM, now=NOW) == 1
    assert release_vouchers(request_key="k1", actor=SYSTEM, now=NOW) == 0
    with pytest.raises(errors.NoReservation):
        commit_vouchers(request_key="k1", actor=SYSTEM, now=NOW)
    use(voucher, member=member, key="k2")


def test_an_ended_reservation_gives_way_but_counts_while_nobody_came() -> None:
    member = make_member()
    voucher, other = make_voucher(member), make_voucher(member)
    reserve(voucher, member=member)
    reserve(other, member=member, key="k2")
    later = SOON + timedelta(seconds=1)

    use(voucher, member=member, key="k3", now=later)
    with pytest.raises(errors.NoReservation):
        commit_vouchers(request_key="k1", actor=SYSTEM, now=later)
    commit_vouchers(request_key="k2", actor=SYSTEM, now=later)
    assert (state(voucher), state(other)) == (("used", 0, 0), ("used", 0, 0))


def test_a_cash_voucher_keeps_its_remainder_until_it_is_empty() -> None:
    voucher = make_code(make_definition(CASH))
    use(voucher, basket=make_basket(make_line(1, net="62.30")))
    voucher.refresh_from_db()
    assert (voucher.remaining, voucher.status) == (Decimal("37.70"), "issued")
    (given,) = use(voucher, key="k2")
    assert given.amount == Decimal("37.70")
    voucher.refresh_from_db()
    assert (voucher.remaining, voucher.status) == (Decimal(0), "used")


def test_undoing_a_purchase_gives_vouchers_back_once() -> None:
    member = make_member()
    cash, ten = make_voucher(member, make_definition(CASH)), make_voucher(member)
    purchase = make_purchase(member.customer)
    use(ten, cash, member=member, purchase=purchase)
    cash.refresh_from_db()
    assert cash.remaining == Decimal(10)

    done = undo_vouchers(purchase=purchase, actor=SYSTEM, now=NOW)

    assert {(each.code, each.amount, each.is_back) for each in done} == {
        (ten.code, Decimal(10), True),
        (cash.code, Decimal(90), True),
    }
    assert undo_vouchers(purchase=purchase, actor=SYSTEM, now=NOW) == []
    cash.refresh_from_db()
    assert (cash.remaining, state(ten)) == (Decimal(100), ("issued", 1, 0))
    assert Activity.objects.filter(kind="voucher.given_back", customer=member.customer).count() == 2
    use(ten, member=member, key="again")


def test_undone_after_its_last_day_it_does_not_come_back() -> None:
    member = make_member()
    voucher = make_voucher(member, make_definition(limits=Limits(valid_days=3)))
    use(voucher, member=member)
    (done,) = undo_vouchers(request_key="k1", actor=SYSTEM, now=NOW + timedelta(days=3))
    assert not done.is_back
    assert state(voucher) == ("expired", 1, 0)


def test_three_days_are_the_day_of_issue_and_two_more() -> None:
    member = make_member()
    voucher = make_voucher(member, make_definition(limits=Limits(valid_days=3)))
    assert (voucher.valid_from, voucher.valid_until) == (date(2026, 3, 2), date(2026, 3, 4))
    late = NOW + timedelta(days=3)
    with pytest.raises(errors.VoucherExpired):
        use(voucher, member=member, basket=make_basket(at=late), now=late)
    use(voucher, member=member, basket=make_basket(at=NOW + timedelta(days=2)), now=late)  # an offline till, sent later


@pytest.mark.parametrize(
    ("prepare", "refusal"),
    [
        (lambda v: cancel_voucher(v, reason="Misprint", actor=SYSTEM, now=NOW), errors.VoucherCancelled),
        (lambda v: reserve(v, member=v.membership, key="other"), errors.VoucherInUse),
        (lambda v: use(v, member=v.membership, key="other"), errors.VoucherUsed),
        (
            lambda v: set_membership_status(v.membership, "suspended", actor=SYSTEM, now=NOW),
            errors.VoucherOfAnother,
        ),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_changes(prepare: Any, refusal: type[DomainError]) -> None:
    voucher = make_voucher(make_member())
    prepare(voucher)
    before = state(voucher)
    with pytest.raises(refusal):
        use(voucher, member=Membership.objects.get())
    assert state(voucher) == before


def test_a_members_voucher_is_not_for_others() -> None:
    programme = make_programme()
    voucher = make_voucher(make_member(programme))
    for other in (None, make_member(programme, character=WANG)):
        with pytest.raises(errors.VoucherOfAnother):
            use(voucher, member=other)


def test_a_basket_that_is_too_small_is_told_how_much_is_missing() -> None:
    voucher = make_code(make_definition({**TEN_OFF, "minimum_spend": "150"}))
    with pytest.raises(errors.VoucherNotApplicable) as refused:
        use(voucher)
    assert refused.value.details == {"code": voucher.shown_code, "reason": "minimum_spend", "missing": "50.00"}


def test_two_vouchers_share_a_basket_and_are_not_used_twice_in_it() -> None:
    percent, ten = make_code(make_definition(TENTH_OFF)), make_code()
    given = use(ten, percent)
    assert [each.amount for each in given] == [Decimal(10), Decimal(10)]
    with pytest.raises(InvalidInput):
        use(ten, ten, key="k2")


def test_a_word_for_all_is_used_as_often_as_it_says_but_once_by_each_member() -> None:
    definition = make_definition({**TEN_OFF, "uses": 3, "member_limit": 1})
    word = issue_word(definition, "Summer-26", actor=SYSTEM, now=NOW)
    programme = make_programme()
    chan, wang, john = (make_member(programme, character=each) for each in (CHAN, WANG, APPLEBY))
    assert word.shown_code == "SUMMER-26"
    use(word, member=chan)
    with pytest.raises(errors.VoucherLimitReached):
        use(word, member=chan, key="k2")
    reserve(word, member=wang, key="k3")
    use(word, member=john, key="k4")
    assert state(word) == ("issued", 1, 1)
    with pytest.raises(errors.VoucherInUse):
        use(word, member=make_member(programme), key="k5")
    release_vouchers(request_key="k3", actor=SYSTEM, now=NOW)
    use(word, member=wang, key="k6")
    assert state(word) == ("used", 0, 0)


def test_a_budget_holds_for_reservations_too() -> None:
    definition = make_definition(limits=Limits(budget=Decimal(25)))
    vouchers = [make_code(definition) for _ in range(3)]
    use(vouchers[0])
    reserve(vouchers[1], key="k2")
    with pytest.raises(errors.VoucherLimitReached) as refused:
        use(vouchers[2], key="k3")
    assert refused.value.details == {"limit": "budget"}
    release_vouchers(request_key="k2", actor=SYSTEM, now=NOW)
    use(vouchers[2], key="k3")
    undo_vouchers(request_key="k1", actor=SYSTEM, now=NOW)
    assert VoucherDefinition.objects.get(pk=definition.pk).spent == Decimal(10)


def test_a_member_and_a_terminal_have_limits_a_day() -> None:
    definition = make_definition(limits=Limits(member_day_limit=2, terminal_day_limit=3))
    programme = make_programme()
    chan, wang = make_member(programme), make_member(programme, character=WANG)
    for number in range(2):
        use(make_voucher(chan, definition), member=chan, key=f"c{number}", terminal="T1")
    with pytest.raises(errors.VoucherLimitReached):
        use(make_voucher(chan, definition), member=chan, key="c2", terminal="T2")
    use(make_voucher(wang, definition), member=wang, key="w0", terminal="T1")
    with pytest.raises(errors.VoucherLimitReached):
        use(make_voucher(wang, definition), member=wang, key="w1", terminal="T1")
    tomorrow = NOW + timedelta(days=1)
    use(make_voucher(chan, definition), member=chan, key="c3", terminal="T1", basket=make_basket(at=tomorrow))
    undo_vouchers(request_key="c0", actor=SYSTEM, now=tomorrow)
    assert dict(VoucherTally.objects.filter(scope__endswith="2026-03-02").values_list("scope", "uses")) == {
        f"member:{chan.pk}:2026-03-02": 1,
        f"member:{wang.pk}:2026-03-02": 1,
        "terminal:T1:2026-03-02": 2,
    }


def test_codes_that_do_not_exist_are_counted_and_stop_the_terminal() -> None:
    voucher = make_code()
    with pytest.raises(errors.NoSuchVoucher) as refused:
        use_vouchers(
            ["7777-7777-7777"],
            request_key="k",
            basket=make_basket(),
            membership=None,
            member=None,
            actor=SYSTEM,
            now=NOW,
        )
    assert refused.value.details == {"codes": ["7777-7777-7777"]}
    assert note_wrong_codes(terminal="T1", count=9, actor=SYSTEM, now=NOW) == 9
    assert note_wrong_codes(terminal="T1", count=1, actor=SYSTEM, now=NOW) == 10
    with pytest.raises(errors.TooManyWrongCodes):
        use(voucher, terminal="T1")
    use(voucher, terminal="T2")


def test_a_code_is_found_however_it_is_typed() -> None:
    voucher = make_code()
    typed = voucher.code.lower().replace("0", "o").replace("1", "l").replace("V", "u")
    (given,) = use_vouchers(
        [f" {typed[:5]} {typed[5:]}"],
        request_key="k",
        basket=make_basket(),
        membership=None,
        member=None,
        actor=SYSTEM,
        now=NOW,
    )
    assert given.code == voucher.code


def test_the_till_asks_the_database_little(django_assert_num_queries: Any) -> None:
    member = make_member()
    voucher, other = make_voucher(member), make_voucher(member)
    with django_assert_num_queries(1):
        usable_vouchers(member, make_basket(), member=PLAIN_MEMBER, now=NOW)
    with django_assert_num_queries(2):
        check_codes([voucher.code], make_basket(), membership=member, member=PLAIN_MEMBER, now=NOW, terminal="T1")
    with django_assert_num_queries(8):  # savepoint, vouchers, earlier uses, wrong codes, use, activity, audit, release
        use(voucher, member=member, terminal="T1")
    with django_assert_num_queries(8):
        reserve(other, member=member, key="k2", terminal="T1")
