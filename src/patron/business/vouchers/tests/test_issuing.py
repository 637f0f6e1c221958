"""Issuing: to members once for an occasion, as codes, for points; and what becomes of vouchers besides their use."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from patron.business.loyalty.errors import InsufficientPoints
from patron.business.loyalty.models import TierChange
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.queries import points_balance
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.operations import record_return, void_purchase
from patron.business.purchases.receipts import Receipt
from patron.business.purchases.rules import ReturnedLine
from patron.business.purchases.testing import make_purchase
from patron.business.vouchers import errors, following, handlers, jobs
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.operations import (
    Issue,
    Limits,
    buy_voucher,
    cancel_all,
    cancel_voucher,
    change_definition,
    define_vouchers,
    drop_ended_holds,
    expire_vouchers,
    give_voucher,
    issue_birthday_vouchers,
    issue_codes,
    issue_vouchers,
    issue_word,
    reserve_vouchers,
    set_issuing,
    transfer_voucher,
    use_vouchers,
)
from patron.business.vouchers.rules import is_well_formed
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
from patron.core.activities.models import Activity
from patron.core.customers.testing import CAST, CHAN, LI, WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import Conflict, InvalidInput, PermissionRefused

pytestmark = pytest.mark.django_db


def test_members_get_one_each_however_often_it_is_asked() -> None:
    programme, other = make_programme(), make_programme()
    members = [make_member(programme, character=each) for each in CAST[:3]]
    stranger = make_member(other)
    definition = make_definition(issue=Issue(on="campaign", programme=programme))
    ids = [*(member.pk for member in members), stranger.pk, members[0].pk]

    assert issue_vouchers(definition, ids, occasion="campaign:1", actor=SYSTEM, now=NOW) == 3
    assert issue_vouchers(definition, ids, occasion="campaign:1", actor=SYSTEM, now=NOW) == 0
    assert issue_vouchers(definition, ids, occasion="campaign:2", actor=SYSTEM, now=NOW) == 3

    assert all(is_well_formed(code) for code in Voucher.objects.values_list("code", flat=True))
    assert VoucherDefinition.objects.get(pk=definition.pk).issued == 6
    assert Activity.objects.filter(kind="voucher.issued").count() == 6


def test_one_is_given_by_hand_once_for_a_request() -> None:
    member, definition = make_member(), make_definition(limits=Limits(stock=1))
    given = give_voucher(definition, member, request_key="k", actor=SYSTEM, now=NOW)
    assert give_voucher(definition, member, request_key="k", actor=SYSTEM, now=NOW) == given
    with pytest.raises(errors.NoneLeft):
        give_voucher(definition, member, request_key="l", actor=SYSTEM, now=NOW)
    with pytest.raises(InvalidInput):
        give_voucher(make_definition(issue=Issue(programme=make_programme())), member, request_key="m", actor=SYSTEM,
                     now=NOW)  # fmt: skip


def test_a_stock_that_does_not_suffice_gives_nobody_any() -> None:
    programme = make_programme()
    members = [make_member(programme, character=each) for each in CAST[:3]]
    definition = make_definition(limits=Limits(stock=2))
    with pytest.raises(errors.NoneLeft) as refused:
        issue_vouchers(definition, [m.pk for m in members], occasion="x", actor=SYSTEM, now=NOW)
    assert refused.value.details["left"] == 2
    assert Voucher.objects.count() == 0
    issue_vouchers(definition, [m.pk for m in members[:2]], occasion="x", actor=SYSTEM, now=NOW)
    with pytest.raises(errors.NoneLeft):
        issue_codes(definition, 1, request_key="k", actor=SYSTEM, now=NOW)


def test_a_kind_that_is_off_or_past_is_not_issued_but_honoured() -> None:
    member = make_member()
    definition = make_definition(limits=Limits(valid_until=date(2026, 3, 2)))
    voucher = make_voucher(member, definition)
    set_issuing(definition, active=False, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.NotIssued):
        make_voucher(member, definition)
    set_issuing(definition, active=True, actor=SYSTEM, now=NOW)
    with pytest.raises(errors.NotIssued):
        make_voucher(member, definition, now=NOW + timedelta(days=1))
    use_vouchers(
        [voucher.code], request_key="k", basket=make_basket(), membership=member, member=PLAIN_MEMBER, actor=SYSTEM,
        now=NOW,
    )  # fmt: skip


def test_codes_are_made_once_for_a_request() -> None:
    definition = make_definition()
    assert issue_codes(definition, 5001, request_key="b1", actor=SYSTEM, now=NOW) == 5001
    assert issue_codes(definition, 5001, request_key="b1", actor=SYSTEM, now=NOW) == 5001
    assert Voucher.objects.filter(definition=definition, membership=None).count() == 5001
    with pytest.raises(errors.RequestKeyReused):
        issue_codes(definition, 5, request_key="b1", actor=SYSTEM, now=NOW)
    for wrong in (0, 100_001):
        with pytest.raises(InvalidInput):
            issue_codes(definition, wrong, request_key="b2", actor=SYSTEM, now=NOW)


def test_a_word_is_taken_once() -> None:
    definition = make_definition({**TEN_OFF, "uses": 9})
    word = issue_word(definition, " hello-26 ", actor=SYSTEM, now=NOW)
    assert (word.code, word.shown_code, word.uses_left) == ("HE11026", "HELLO-26", 9)
    assert issue_word(definition, "HELLO26", actor=SYSTEM, now=NOW) == word
    with pytest.raises(Conflict):
        issue_word(make_definition(), "HELLO26", actor=SYSTEM, now=NOW)
    with pytest.raises(InvalidInput):
        issue_word(definition, "ab", actor=SYSTEM, now=NOW)


def test_a_voucher_is_bought_with_points_once() -> None:
    member = make_member()
    definition = make_definition(CASH, issue=Issue(on="points", points_price=Decimal(80)))
    adjust_points(member, Decimal(100), reason="Test", request_key="a", actor=SYSTEM, now=NOW)

    bought = buy_voucher(definition, member, request_key="b1", actor=SYSTEM, now=NOW)

    assert buy_voucher(definition, member, request_key="b1", actor=SYSTEM, now=NOW) == bought
    assert (bought.membership, bought.remaining) == (member, Decimal(100))
    assert points_balance(member, now=NOW).available == 20
    with pytest.raises(InsufficientPoints):
        buy_voucher(definition, member, request_key="b2", actor=SYSTEM, now=NOW)
    assert Voucher.objects.count() == 1
    with pytest.raises(errors.NotForSale):
        buy_voucher(make_definition(), member, request_key="b3", actor=SYSTEM, now=NOW)


def test_a_definition_says_what_is_wrong_with_it() -> None:
    def refused(**given: object) -> str:
        values = {"code": "x", "name": "X", "terms": TEN_OFF, **given}
        with pytest.raises(InvalidInput) as error:
            define_vouchers(actor=SYSTEM, now=NOW, **values)  # type: ignore[arg-type]
        return str(error.value.details["field"])

    assert refused(code="a b") == "code"
    assert refused(name=" ") == "name"
    assert refused(terms={"kind": "amount"}) == "terms.value"
    assert refused(limits=Limits(stock=0)) == "stock"
    assert refused(limits=Limits(valid_from=date(2026, 2, 2), valid_until=date(2026, 2, 1))) == "valid_until"
    assert refused(issue=Issue(on="points")) == "points_price"
    assert refused(issue=Issue(points_price=Decimal(1))) == "points_price"
    assert refused(issue=Issue(on="birthday", days_before=61)) == "days_before"
    make_definition(code="taken")
    with pytest.raises(Conflict):
        make_definition(code="taken")


def test_terms_are_frozen_with_the_first_voucher() -> None:
    definition = make_definition(TENTH_OFF)

    def change(**given: object) -> VoucherDefinition:
        values = {"name": "New", "terms": TENTH_OFF, "limits": Limits(), "issue": Issue(), **given}
        return change_definition(definition, actor=SYSTEM, now=NOW, **values)  # type: ignore[arg-type]

    assert change(terms=TEN_OFF).terms["kind"] == "amount"
    assert change().name == "New"
    codes = [make_code(definition) for _ in range(2)]
    with pytest.raises(errors.TermsFrozen):
        change(terms=TEN_OFF)
    with pytest.raises(InvalidInput):
        change(limits=Limits(stock=1))
    use_vouchers(
        [codes[0].code], request_key="k", basket=make_basket(), membership=None, member=None, actor=SYSTEM, now=NOW
    )
    with pytest.raises(InvalidInput):
        change(limits=Limits(budget=Decimal("9.99")))
    assert change(limits=Limits(budget=Decimal(15))).spent == 10  # what was given before counts
    with pytest.raises(errors.VoucherLimitReached):
        use_vouchers(
            [codes[1].code], request_key="l", basket=make_basket(), membership=None, member=None, actor=SYSTEM, now=NOW
        )


def test_a_voucher_is_handed_over_where_its_terms_allow() -> None:
    programme = make_programme()
    chan, wang = make_member(programme), make_member(programme, character=WANG)
    cash, ten = make_voucher(chan, make_definition(CASH), occasion="x"), make_voucher(chan)
    make_voucher(wang, cash.definition, occasion="x")
    assert transfer_voucher(cash, wang, actor=SYSTEM, now=NOW).membership == wang
    assert transfer_voucher(cash, wang, actor=SYSTEM, now=NOW).membership == wang
    with pytest.raises(errors.NotTransferable):
        transfer_voucher(ten, wang, actor=SYSTEM, now=NOW)
    assert issue_vouchers(cash.definition, [chan.pk], occasion="x", actor=SYSTEM, now=NOW) == 0  # had it already
    assert set(Activity.objects.filter(kind="voucher.transferred").values_list("customer_id", "facts__way")) == {
        (chan.customer_id, "out"), (wang.customer_id, "in"),
    }  # fmt: skip


def test_cancelled_with_a_reason() -> None:
    member = make_member()
    definition = make_definition()
    vouchers = [make_voucher(member, definition) for _ in range(3)]
    with pytest.raises(InvalidInput):
        cancel_voucher(vouchers[0], reason=" ", actor=SYSTEM, now=NOW)
    first = cancel_voucher(vouchers[0], reason="Sent twice", actor=SYSTEM, now=NOW)
    assert (first.status, first.closed_reason) == ("cancelled", "Sent twice")
    assert cancel_all(definition, reason="Leaked", actor=SYSTEM, now=NOW) == 2
    assert not VoucherDefinition.objects.get(pk=definition.pk).is_active
    assert Activity.objects.filter(kind="voucher.cancelled").count() == 3


def test_expiry_in_slices_marks_what_is_past_and_nothing_twice() -> None:
    member = make_member()
    past = [make_voucher(member, make_definition(limits=Limits(valid_days=days))) for days in (1, 2, 3)]
    day = date(2026, 3, 4)
    assert [expire_vouchers(as_of=day, batch=1, actor=SYSTEM, now=NOW) for _ in range(3)] == [1, 1, 0]
    assert [Voucher.objects.get(pk=each.pk).status for each in past] == ["expired", "expired", "issued"]
    assert Activity.objects.filter(kind="voucher.expired", customer=member.customer).count() == 2


def test_ended_reservations_are_given_back() -> None:
    voucher = make_code(make_definition(limits=Limits(budget=Decimal(10))))
    reserve_vouchers(
        [voucher.code], request_key="k", basket=make_basket(), membership=None, member=None,
        until=NOW + timedelta(minutes=5), actor=SYSTEM, now=NOW,
    )  # fmt: skip
    assert drop_ended_holds(actor=SYSTEM, now=NOW) == 0
    assert drop_ended_holds(actor=SYSTEM, now=NOW + timedelta(minutes=5)) == 1
    assert VoucherDefinition.objects.get().spent == 0
    assert Voucher.objects.get().held == 0


def test_birthdays_give_one_voucher_a_year_and_leaplings_have_theirs() -> None:
    programme = make_programme()
    chan = make_member(programme)  # 6 March
    leapling = make_member(programme, customer=make_customer(LI, birth_on=date(2004, 2, 29)))
    make_member(programme, character=WANG)
    definition = make_definition(issue=Issue(on="birthday", days_before=7), limits=Limits(valid_days=14))
    february = datetime(2026, 2, 26, 2, tzinfo=UTC)

    assert issue_birthday_vouchers(definition, actor=SYSTEM, now=february).issued == 1
    assert issue_birthday_vouchers(definition, actor=SYSTEM, now=NOW).issued == 1
    assert issue_birthday_vouchers(definition, actor=SYSTEM, now=NOW).issued == 0
    assert {v.membership_id: v.occasion for v in Voucher.objects.all()} == {
        leapling.pk: "birthday:2026", chan.pk: "birthday:2026",
    }  # fmt: skip
    assert issue_birthday_vouchers(definition, actor=SYSTEM, now=NOW + timedelta(days=365)).issued == 1


def test_birthdays_across_new_year_belong_to_their_own_year() -> None:
    member = make_member(customer=make_customer(CHAN, birth_on=date(1980, 1, 2)))
    definition = make_definition(issue=Issue(on="birthday", days_before=5), limits=Limits(stock=1))
    done = issue_birthday_vouchers(definition, actor=SYSTEM, now=datetime(2026, 12, 30, 2, tzinfo=UTC))
    assert (done.issued, Voucher.objects.get(membership=member).occasion) == (1, "birthday:2027")
    later = issue_birthday_vouchers(definition, actor=SYSTEM, now=datetime(2027, 12, 30, 2, tzinfo=UTC))
    assert (later.issued, later.without) == (0, 1)


def test_new_members_get_what_is_for_them_while_it_lasts() -> None:
    programme = make_programme()
    make_definition(issue=Issue(on="enrolment"), limits=Limits(valid_days=3, stock=1))
    make_definition(issue=Issue(on="enrolment", programme=make_programme()))
    chan, wang = make_member(programme), make_member(programme, character=WANG)
    given = [following.welcome(member, actor=SYSTEM, now=NOW) for member in (chan, chan, wang)]
    assert given in ([1, 0, 0], [0, 0, 0])  # enrolling may have given them already
    (voucher,) = Voucher.objects.all()
    assert (voucher.membership, voucher.occasion, voucher.valid_until) == (chan, "enrolment", date(2026, 3, 4))


def test_a_tier_gives_what_is_for_it() -> None:
    member = make_member()
    make_definition(code="gold", issue=Issue(on="tier", tiers=("gold",)))
    make_definition(code="any", issue=Issue(on="tier"))
    jobs.give_for_tier(membership_id=member.pk, tier="gold", occasion="tier:gold:2026")
    jobs.give_for_tier(membership_id=member.pk, tier="gold", occasion="tier:gold:2026")
    jobs.give_for_tier(membership_id=member.pk, tier="silver", occasion="tier:silver:2026")
    assert sorted(Voucher.objects.values_list("definition__code", "occasion")) == [
        ("any", "tier:gold:2026"), ("any", "tier:silver:2026"), ("gold", "tier:gold:2026"),
    ]  # fmt: skip


@pytest.mark.parametrize(("reason", "jobs_queued"), [("upgrade", 1), ("invited", 1), ("kept", 0), ("soft_landing", 0)])
def test_only_a_rise_queues_the_vouchers_of_a_tier(reason: str, jobs_queued: int) -> None:
    member = make_member()
    make_definition(issue=Issue(on="tier", tiers=("gold",)))
    TierChange.objects.create(membership=member, before="", after="gold", reason=reason, effective_at=NOW)
    for after in ("gold", "silver", ""):
        handlers._on_tier_changed(member, "", after, actor=SYSTEM, now=NOW)
    assert ProcrastinateJob.objects.filter(task_name="vouchers.tier").count() == jobs_queued


def test_a_purchase_that_comes_back_whole_or_is_voided_gives_its_voucher_back() -> None:
    member = make_member()
    purchases = [make_purchase(member.customer) for _ in range(2)]
    vouchers = [make_voucher(member) for _ in purchases]
    for purchase, voucher in zip(purchases, vouchers, strict=True):
        use_vouchers(
            [voucher.code], request_key=f"sale:{purchase.pk}", basket=make_basket(), membership=member,
            member=PLAIN_MEMBER, purchase=purchase, actor=SYSTEM, now=NOW,
        )  # fmt: skip
    void_purchase(purchase=purchases[0], actor=SYSTEM, now=NOW)
    for number, line in enumerate((ReturnedLine(1, Decimal(2)), ReturnedLine(2, Decimal(1)))):
        assert not following.is_to_be_undone(purchases[1])
        receipt = Receipt(source="test", source_key=f"R{number}", occurred_at=NOW)
        record_return(original=purchases[1], receipt=receipt, lines=[line], actor=SYSTEM, now=NOW)
    assert all(following.is_to_be_undone(purchase) for purchase in purchases[1:])
    for purchase in purchases:
        purchase.refresh_from_db()
        jobs.undo(purchase_id=purchase.pk)
        assert not following.is_to_be_undone(purchase)
    assert set(Voucher.objects.values_list("status", "uses_left")) == {("issued", 1)}


def test_roles_keep_to_their_part() -> None:
    member, definition = make_member(), make_definition()
    cashier = actor_in(Role.CASHIER)
    with pytest.raises(PermissionRefused):
        issue_vouchers(definition, [member.pk], occasion="x", actor=cashier, now=NOW)
    with pytest.raises(PermissionRefused):
        issue_codes(definition, 1, request_key="x", actor=actor_in(Role.BRANCH_MANAGER), now=NOW)
    issue_vouchers(definition, [member.pk], occasion="x", actor=actor_in(Role.MARKETER), now=NOW)
