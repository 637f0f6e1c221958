"""The club of the demo company as its staff would find it: offers set up, and some weeks of life in it.

Everything goes through the operations of the rooms, with members chosen by a seed: the same company every time. One
transaction: it is there wholly or not at all, so that a load that was interrupted begins it anew.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import OuterRef, Subquery

from patron.business.cards.operations import activate_design, create_design
from patron.business.cards.wallets.signing import make_trial_identity
from patron.business.gifts.models import Gift
from patron.business.gifts.operations import (
    cancel_order,
    define_gift,
    deliver,
    hand_over,
    mark_ready,
    order_gift,
    receive_stock,
    set_gift_picture,
    ship,
)
from patron.business.gifts.operations.defining import GiftDetails
from patron.business.loyalty.models import Account, Bucket, Membership, Unit
from patron.business.loyalty.operations import (
    adjust_points,
    award_event,
    change_programme,
    grant_tier,
    open_household,
    publish_version,
    request_adjustment,
    spend_points,
    transfer_points,
)
from patron.business.loyalty.queries.programmes import get_programme, list_versions
from patron.business.storedvalue.models import Tender
from patron.business.storedvalue.operations import deposit, pay, set_policy
from patron.business.tills.models import Terminal
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.operations import (
    buy_voucher,
    define_vouchers,
    issue_birthday_vouchers,
    issue_vouchers,
    issue_word,
)
from patron.config.demo import offers, programme
from patron.config.demo.counters import Sale, sell, set_up_terminals
from patron.core.accounts.models import Branch, Staff
from patron.core.accounts.operations import update_staff
from patron.core.accounts.queries import actor_for
from patron.core.customers.models import ContactPoint
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today

SEED = 20
WORD = "PATRON10"
FOUR_EYES_ABOVE = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Club:
    """Whom the club's life is told about. `rich` are members with at least 3,000 points, in an order drawn by lot."""

    members: Sequence[Membership]
    rich: Sequence[Membership]
    branches: Sequence[Branch]
    actor: Actor
    now: datetime

    @property
    def midnight(self) -> datetime:
        """When today began."""
        return datetime.combine(today(self.now), time(), house_zone())

    def earlier(self, days: float) -> datetime:
        """A moment before today began, so many days."""
        return self.midnight - timedelta(days=days)

    def this_morning(self, part: float) -> datetime:
        """A moment of today that has passed: 0 is midnight, 1 is now."""
        return self.midnight + (self.now - self.midnight) * part


def set_up_club(*, branch_codes: Sequence[str], actor: Actor, now: datetime) -> None:
    """Publish today's terms, set up what members can get, and let some of them get it. Does nothing a second time."""
    make_trial_identity(now=now)
    with transaction.atomic():
        club = get_programme(programme.CODE, actor)
        if len(list_versions(club, now)) > 1:
            return
        change_programme(club, four_eyes_above=FOUR_EYES_ABOVE, actor=actor, now=now)
        found = _club(branch_codes, actor=actor, now=now)
        terminals = set_up_terminals(found.branches, actor=actor, now=now)
        _worth_a_look(found, terminals[0])
        publish_version(
            club,
            programme.CURRENT,
            valid_from=found.midnight,
            note="多重獎賞 Bonuses, multipliers of tiers, points as a means of payment",
            actor=actor,
            now=now,
        )
        _set_up_faces(found)
        _set_up_wallets(found)
        _set_up_gifts(found)
        kinds = _set_up_vouchers(found)
        _live(found)
        _sell_today(found, kinds, terminals[0])


def _club(codes: Sequence[str], *, actor: Actor, now: datetime) -> Club:
    points = Account.objects.filter(membership=OuterRef("pk"), unit=Unit.POINTS, bucket=Bucket.AVAILABLE)
    members = list(
        Membership.objects.select_related("programme", "customer")
        .filter(programme__code=programme.CODE, status=Membership.Status.ACTIVE)
        .annotate(points=Subquery(points.values("balance")[:1]))
        .order_by("pk")
    )
    rich = [member for member in members if (member.points or 0) >= 3000]
    random.Random(SEED).shuffle(rich)  # noqa: S311 (a choice of members, no secret)
    by_code = {branch.code: branch for branch in Branch.objects.filter(code__in=codes)}
    return Club(members, rich, [by_code[code] for code in codes if code in by_code], actor, now)


def _set_up_faces(club: Club) -> None:
    """Cards of the highest tiers look different from the others."""
    for tier, name, ground, ground_to in (
        (programme.GOLD, "金卡 Gold", "#8a6a12", "#4a3806"),
        (programme.PLATINUM, "白金卡 Platinum", "#475569", "#1e293b"),
        (programme.PATRON, "貴客 Patron", "#7f1d1d", "#2b0a0a"),
    ):
        design = create_design(
            club.members[0].programme,
            name=name,
            spec={"ground": ground, "ground_to": ground_to},
            tier=tier,
            actor=club.actor,
            now=club.now,
        )
        activate_design(design, actor=club.actor, now=club.now)


def _set_up_wallets(club: Club) -> None:
    """Thirty members put money on their cards in the last two months, and half of them have paid with it."""
    set_policy(
        club.members[0].programme,
        policy=offers.STORED_VALUE,
        tiers=offers.DEPOSIT_BONUS,
        actor=club.actor,
        now=club.earlier(90),
    )
    for number, member in enumerate(club.rich[40:70]):
        at = club.earlier(60 - 1.7 * number)
        branch_id = club.branches[number % len(club.branches)].pk
        amount = Decimal((200, 500, 1000, 300, 2000)[number % 5])
        tender = (Tender.CASH, Tender.CARD, Tender.MOBILE)[number % 3]
        deposit(
            member,
            amount,
            tender=tender,
            request_key=f"demo:{number}",
            branch_id=branch_id,
            actor=club.actor,
            now=at,
        )
        if number % 2 == 0:
            spent = Decimal("38.50") + 7 * number
            pay(
                member,
                spent,
                request_key=f"demo:{number}:pay",
                branch_id=branch_id,
                actor=club.actor,
                now=at + timedelta(days=3, hours=2),
            )


def _set_up_gifts(club: Club) -> None:
    """The catalogue with stock in every branch of the club, and orders in every state."""
    gifts: list[Gift] = []
    for present in offers.GIFTS:
        gift = define_gift(
            present.code,
            GiftDetails(
                name=present.name,
                names={"zh-hant": present.chinese, "zh-hans": present.simplified},
                points_price=Decimal(present.points),
                money_price=Decimal(present.money),
                tiers=present.tiers,
                member_limit=present.limit,
                can_be_delivered=present.sent,
            ),
            actor=club.actor,
            now=club.earlier(60),
        )
        picture = ContentFile(offers.picture_of(present), name=f"{present.code.lower()}.png")
        gifts.append(set_gift_picture(gift, picture, actor=club.actor, now=club.earlier(60)))
        for index, branch in enumerate(club.branches[:3]):
            receive_stock(
                gift,
                branch,
                12 - 4 * index,
                request_key=f"demo:{present.code}:{branch.code}",
                actor=club.actor,
                now=club.earlier(59),
            )
    for number, member in enumerate(club.rich[:20]):
        _order(club, gifts[number % 6], member, number)


def _order(club: Club, gift: Gift, member: Membership, number: int) -> None:
    at = club.earlier(20 - number)
    branch = club.branches[number % 3]
    address = f"{member.customer.name}, {branch.name}" if gift.can_be_delivered and number % 2 else ""
    order = order_gift(
        member, gift, branch=branch, request_key=f"demo:{number}", delivery_address=address, actor=club.actor, now=at
    )
    actor, later = club.actor, at + timedelta(hours=20)
    if address:
        order = ship(order, tracking=f"SF{7_300_000 + number}", actor=actor, now=later)
        if number < 12:
            deliver(order, actor=club.actor, now=at + timedelta(days=2))
    elif number % 7 == 3:
        cancel_order(order, reason="顧客改變主意 The member changed their mind", actor=actor, now=later)
    elif number < 13:
        ready = mark_ready(order, actor=actor, now=later)
        hand_over(ready, identified_by="card", actor=actor, now=at + timedelta(days=2))
    elif number % 2:
        mark_ready(order, actor=actor, now=later)


def _set_up_vouchers(club: Club) -> dict[str, VoucherDefinition]:
    """Every kind of voucher; those of birthdays, of gold members and of a campaign are issued, some are bought."""
    kinds = {
        offer.code: define_vouchers(
            code=offer.code,
            name=offer.name,
            terms=offer.terms,
            limits=offer.limits,
            issue=offer.issue,
            actor=club.actor,
            now=club.now,
        )
        for offer in offers.VOUCHERS
    }
    actor, now = club.actor, club.now
    issue_birthday_vouchers(kinds[offers.BIRTHDAY], actor=actor, now=now)
    gold = [member.pk for member in club.members if member.tier == programme.GOLD]
    issue_vouchers(
        kinds[offers.WELCOME], gold, occasion=f"tier:{programme.GOLD}:{today(club.now).year}", actor=actor, now=now
    )
    silver = [member.pk for member in club.members if member.tier == programme.SILVER][:200]
    issue_vouchers(kinds[offers.FREE_COFFEE], silver, occasion="campaign:coffee", actor=actor, now=now)
    issue_word(kinds[offers.WORD], WORD, actor=actor, now=now)
    for number, member in enumerate([m for m in club.rich[70:] if m.points >= 8000][:8]):  # type: ignore[attr-defined]
        buy_voucher(
            kinds[offers.CASH],
            member,
            request_key=f"demo:{number}",
            branch_id=club.branches[0].pk,
            actor=club.actor,
            now=club.this_morning(number / 10),
        )
    return kinds


def _live(club: Club) -> None:
    """Invitations, a household, a gift of points, answers to surveys, an adjustment that waits for a second person."""
    best = sorted(club.members, key=lambda m: (-(m.points or 0), m.pk))[:3]  # type: ignore[attr-defined]
    for member in best:
        grant_tier(
            member, programme.PATRON, until=None, note="最忠誠的顧客 Our most loyal", actor=club.actor, now=club.now
        )
    one, two, three, four = club.rich[80:84]
    open_household([one, two], name=f"{one.customer.name} 一家", actor=club.actor, now=club.this_morning(0.2))
    transfer_points(
        three, four, Decimal(500), request_key="demo:transfer", reason="生日快樂 Happy birthday",
        actor=club.actor, now=club.this_morning(0.3),
    )  # fmt: skip
    for number, member in enumerate(club.members[100:1000:60]):
        event = "survey" if number % 3 else "profile"
        award_event(member, event, reference=f"demo {number}", actor=club.actor, now=club.this_morning(0.5))
    service = _actor_of("service") or club.actor
    request_adjustment(
        five := club.rich[84],
        Decimal(2500),
        reason="補回上月遺漏的積分 Points of last month that were missed",
        request_key="demo:waiting",
        actor=service,
        now=club.this_morning(0.6),
    )
    adjust_points(
        five,
        Decimal(300),
        reason="致歉 Apology for a spoilt delivery",
        request_key="demo:apology",
        actor=service,
        now=club.this_morning(0.6),
    )


def _worth_a_look(club: Club, terminal: Terminal) -> None:
    """What the watch over fraud should find: a cashier's own card, many sales in half an hour, points given by hand and
    redeemed at once, and one person who adjusts much."""
    own, busy, given = club.rich[90], club.rich[91], club.rich[92]
    cashier = Staff.objects.filter(username="cashier").first()
    phone = ContactPoint.objects.filter(customer=own.customer, kind="phone").order_by("pk").first()
    if cashier is not None and phone is not None:
        update_staff(
            cashier,
            name=cashier.name,
            email=cashier.email,
            phone=phone.value,
            branches=cashier.branches.all(),
            actor=club.actor,
            now=club.now,
        )
    sales = [Sale(own, club.earlier(9.6 - number), cashier="cashier", items=1 + number % 3) for number in range(9)] + [
        Sale(busy, club.earlier(0.4) + timedelta(minutes=6 * number), cashier="L02", items=2) for number in range(5)
    ]
    sell(sales, terminal=terminal, prefix="past", actor=club.actor)
    service = _actor_of("service") or club.actor
    for number, member in enumerate(club.members[5:60:5]):
        adjust_points(
            member,
            Decimal(50 + 10 * number),
            reason="服務補償 Goodwill",
            request_key=f"demo:goodwill:{number}",
            actor=service,
            now=club.earlier(12 - number),
        )
    manager = _actor_of("manager") or club.actor
    at = club.earlier(2.3)
    adjust_points(
        given, Decimal(900), reason="補分 Points missed at the till", request_key="demo:missed", actor=manager, now=at
    )
    spend_points(
        given,
        Decimal(800),
        request_key="demo:missed:spent",
        reason="兌換 Redeemed at the counter",
        actor=manager,
        now=at + timedelta(minutes=12),
    )


def _sell_today(club: Club, kinds: dict[str, VoucherDefinition], terminal: Terminal) -> None:
    """Sales of this morning at the counter: with vouchers, with points, with stored value, and without anything."""
    welcome = Voucher.objects.filter(definition=kinds[offers.WELCOME]).select_related("membership__customer")
    with_vouchers = [
        Sale(voucher.membership, club.this_morning(0.6 + number / 100), "cashier", pieces=30, voucher=voucher.code)
        for number, voucher in enumerate(welcome.order_by("pk")[:6])
        if voucher.membership is not None
    ]
    others = [
        Sale(
            member,
            club.this_morning(0.7 + number / 100),
            "cashier",
            items=2 + number % 4,
            stored_value=Decimal(10) if number % 4 == 1 else Decimal(0),
            points_money=Decimal(5) if number % 4 == 2 else Decimal(0),
            voucher=WORD if number % 4 == 3 else "",
        )
        for number, member in enumerate(club.rich[40:52])
    ]
    sell([*with_vouchers, *others], terminal=terminal, prefix="today", actor=club.actor)


def _actor_of(username: str) -> Actor | None:
    staff = Staff.objects.filter(username=username).first()
    return None if staff is None else actor_for(staff)
