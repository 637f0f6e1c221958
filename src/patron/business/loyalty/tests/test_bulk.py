"""Many purchases at once give what they give one by one: balances, lots, postings, explanations, activities."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.business.loyalty.errors import InsufficientPoints
from patron.business.loyalty.models import LedgerTransaction, Lot, Membership
from patron.business.loyalty.operations import spend_points
from patron.business.loyalty.testing import make_member, make_programme, set_rate
from patron.business.loyalty.tests.comparing import ledger_of
from patron.business.loyalty.tests.support import DAY, available, follow, follow_in_bulk, write_purchase
from patron.business.purchases.models import Purchase
from patron.core.customers.testing import CHAN, LI, WANG
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db
CAST = (CHAN, WANG, LI)


@dataclass(frozen=True)
class Sale:
    who: int
    cents: int
    day: int


@dataclass(frozen=True)
class Return:
    of: int
    cents: int
    after_days: int


@dataclass(frozen=True)
class Batch:
    sales: tuple[Sale, ...]
    returns: tuple[Return, ...]


sales = st.builds(Sale, who=st.integers(0, 2), cents=st.integers(0, 20_000), day=st.integers(-500, 300))
returns = st.builds(Return, of=st.integers(0, 20), cents=st.integers(1, 20_000), after_days=st.integers(0, 500))
batches = st.builds(
    Batch,
    sales=st.lists(sales, max_size=6).map(tuple),
    returns=st.lists(returns, max_size=4).map(tuple),
)
histories = st.lists(batches, min_size=1, max_size=3)


class Undo(Exception):
    pass


def _replay(history: list[Batch], *, spend: int, allow_debt: bool, bulk: bool) -> dict[str, object]:
    """Play the history to new members, and tell what the ledger then holds, free of row ids; leave no trace."""
    try:
        with transaction.atomic():
            programme = make_programme("club", allow_debt=allow_debt)
            set_rate(
                programme, points_per_unit=Decimal("1.5"), unit_amount=Decimal(2), expiry_months=3,
                valid_from=DAY + timedelta(days=100), actor=SYSTEM, now=DAY,
            )  # fmt: skip
            members = [make_member(programme, character=character) for character in CAST]
            written: list[Purchase] = []
            for number, batch in enumerate(history):
                _play(batch, members, written, bulk=bulk)
                _spend_some(members[0], spend, number)
            told = ledger_of(members, written)
            raise Undo
    except Undo:
        return told


def _play(batch: Batch, members: list[Membership], written: list[Purchase], *, bulk: bool) -> None:
    first = len(written)
    for sale in sorted(batch.sales, key=lambda s: s.day):
        at = DAY + timedelta(days=sale.day)
        written.append(write_purchase(members[sale.who].customer, Decimal(sale.cents) / 100, at=at))
    originals = [purchase for purchase in written if purchase.original_id is None]
    coming_back = [(originals[back.of % len(originals)], back) for back in batch.returns if originals]
    for original, back in sorted(coming_back, key=lambda pair: pair[0].occurred_at + timedelta(pair[1].after_days)):
        at = original.occurred_at + timedelta(days=back.after_days)
        written.append(write_purchase(original.customer, -Decimal(back.cents) / 100, at=at, original=original))
    if bulk:
        follow_in_bulk(written[first:])
    else:
        for purchase in written[first:]:
            follow(purchase)


def _spend_some(member: Membership, spend: int, number: int) -> None:
    part = (max(available(member), Decimal(0)) * spend / 100).quantize(Decimal(1))
    if part > 0:
        try:
            spend_points(member, part, request_key=f"spend {number}", actor=SYSTEM, now=DAY)
        except InsufficientPoints:
            return


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, spend=st.sampled_from([0, 60, 100]), allow_debt=st.booleans())
def test_bulk_and_online_write_the_same_ledger(history: list[Batch], spend: int, allow_debt: bool) -> None:
    online = _replay(history, spend=spend, allow_debt=allow_debt, bulk=False)
    bulk = _replay(history, spend=spend, allow_debt=allow_debt, bulk=True)
    for part, said in online.items():
        assert bulk[part] == said, part


def test_a_debt_from_before_is_repaid_by_a_batch_in_order_of_time() -> None:
    member = make_member()
    purchase = follow(write_purchase(member.customer, "100"))
    spend_points(member, Decimal(100), request_key="k", actor=SYSTEM, now=DAY)
    follow(write_purchase(member.customer, "-100", original=purchase))
    assert available(member) == -100
    batch = [write_purchase(member.customer, net, at=DAY + timedelta(days=day)) for day, net in ((3, "30"), (2, "80"))]
    follow_in_bulk(batch)
    awards = LedgerTransaction.objects.filter(kind="earn", explanation__has_key="repaid").order_by("occurred_at")
    assert [(a.amount, a.explanation["repaid"]) for a in awards] == [(Decimal(80), "80.00"), (Decimal(30), "20.00")]
    assert available(member) == 10
    assert [(lot.amount, lot.remaining) for lot in Lot.objects.filter(remaining__gt=0)] == [(Decimal(10), Decimal(10))]


def test_a_batch_of_nothing_for_loyalty_writes_nothing() -> None:
    make_member()
    follow_in_bulk([write_purchase(None, "100")])
    follow_in_bulk([])
    assert not LedgerTransaction.objects.exists()


def test_the_replay_itself_sees_a_difference() -> None:
    """The comparison would be worth nothing if it could not fail."""
    history = [Batch(sales=(Sale(0, 1000, 0),), returns=())]
    other = [replace(history[0], sales=(Sale(0, 1100, 0),))]
    one = _replay(history, spend=0, allow_debt=True, bulk=True)
    assert one != _replay(other, spend=0, allow_debt=True, bulk=True)
