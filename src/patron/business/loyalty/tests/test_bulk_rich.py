"""A rich programme in bulk and one by one: the same postings, lots, explanations, tiers and activities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import publish_version, spend_points
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.comparing import ledger_of
from patron.business.loyalty.tests.support import DAY, available, follow_in_bulk, write_purchase
from patron.business.purchases.followers import followers
from patron.business.purchases.models import Purchase, PurchaseLine, Tender
from patron.core.accounts.models import Branch
from patron.core.accounts.testing import make_branch
from patron.core.catalog.models import Product
from patron.core.catalog.testing import make_product
from patron.core.customers.testing import CHAN, WANG
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db

GOODS = {"MILK": ("Food > Dairy", "Farm"), "BREAD": ("Food > Bakery", ""), "SOAP": ("Home", "Farm"), "CARD": ("", "")}
BONUSES: tuple[dict[str, Any], ...] = (
    {"code": "product", "effect": "multiply", "factor": "2", "products": ["MILK"], "qualifies": True},
    {"code": "brand", "effect": "multiply", "factor": "1.5", "brands": ["Farm"]},
    {"code": "category", "effect": "per_item", "points": "2.5", "categories": ["Food"], "cap": {"purchase": "6"}},
    {"code": "branch", "effect": "fixed", "points": "7", "branches": ["KLN"], "cap": {"day": "10"}},
    {"code": "weekend", "effect": "multiply", "factor": "3", "weekdays": [6, 7], "group": "one"},
    {"code": "evening", "effect": "fixed", "points": "30", "from_time": "18:00", "until_time": "02:00", "group": "one"},
    {"code": "tender", "effect": "per_amount", "points": "1", "amount": "10", "tenders": ["octopus"]},
    {"code": "birthday", "effect": "fixed", "points": "50", "birthday": "month"},
    {"code": "first", "effect": "fixed", "points": "20", "first_purchase": True},
    {"code": "third", "effect": "fixed", "points": "9", "every_nth_visit": 3, "minimum": "30"},
    {"code": "stamps", "effect": "per_item", "points": "1", "unit": "stamps", "products": ["BREAD", "SOAP"]},
    {"code": "online", "effect": "per_amount", "points": "3", "amount": "25", "channels": ["online"],
     "cap": {"period": "20", "period_days": 10}},
    {"code": "gold", "effect": "fixed", "points": "4", "tiers": ["gold"]},
)  # fmt: skip
LADDER = [
    {"code": "silver", "name": "Silver", "threshold": "3", "multiplier": "1.25"},
    {"code": "gold", "name": "Gold", "threshold": "200", "multiplier": "2"},
]

bonuses = st.sets(st.sampled_from(range(len(BONUSES))), max_size=7).map(
    lambda chosen: [{"name": BONUSES[place]["code"], **BONUSES[place]} for place in sorted(chosen)]
)
ladders = st.fixed_dictionaries(
    {
        "measure": st.sampled_from(["qualifying", "spend", "visits"]),
        "window": st.sampled_from(["rolling", "calendar_year", "membership_year"]),
        "months": st.sampled_from([1, 12]),
        "ladder": st.just(LADDER),
    }
)


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, Any]:
    """Terms of many kinds, as JSON."""
    base = st.sampled_from([
        {"points": "1", "per_amount": "1"}, {"points": "1.5", "per_amount": "2"}, {"points": "2", "per_item": True},
        {"points": "0.3333", "per_amount": "1", "whole_units": False},
    ])  # fmt: skip
    cap = st.sampled_from([{}, {"day": "60"}, {"period": "150", "period_days": 7}, {"purchase": "40"}])
    expiry = st.sampled_from([{"kind": "month_end", "n": 2}, {"kind": "rolling", "n": 1}, {"kind": "days", "n": 30}])
    terms: dict[str, Any] = {
        "base": draw(base),
        "bonuses": draw(bonuses),
        "cap": draw(cap),
        "expiry": draw(expiry),
        "combine": draw(st.sampled_from(["multiply", "add"])),
        "rounding": draw(st.sampled_from(["down", "half_up", "up"])),
        "pending_days": draw(st.sampled_from([0, 0, 25])),
        "tiers": draw(ladders),
    }
    if draw(st.booleans()):
        terms["excluded"] = {"products": ["SOAP"]}
    if not draw(st.booleans()):
        terms["bonuses"] = [bonus for bonus in terms["bonuses"] if bonus["code"] != "gold"]
        del terms["tiers"]
    terms["bonuses"] = [bonus for bonus in terms["bonuses"] if bonus["code"] != "gold" or "tiers" in terms]
    return terms


@dataclass(frozen=True)
class Sale:
    who: int
    hours: int
    goods: tuple[tuple[str, int, int], ...]
    branch: str
    channel: str
    voucher: int


@dataclass(frozen=True)
class Return:
    of: int
    line: int
    items: int
    hours: int


sales = st.builds(
    Sale,
    who=st.integers(0, 1),
    hours=st.integers(-24 * 70, 24 * 5),
    goods=st.lists(
        st.tuples(st.sampled_from(sorted(GOODS)), st.integers(1, 4), st.integers(0, 6000)), min_size=1, max_size=4
    ).map(tuple),
    branch=st.sampled_from(["KLN", "", "NT"]),
    channel=st.sampled_from(["store", "online"]),
    voucher=st.sampled_from([0, 0, 30, 100]),
)
returns = st.builds(
    Return, of=st.integers(0, 20), line=st.integers(0, 3), items=st.integers(1, 4), hours=st.integers(1, 24 * 40)
)
batches = st.tuples(st.lists(sales, max_size=7), st.lists(returns, max_size=3))
histories = st.lists(batches, min_size=1, max_size=3)


class Undo(Exception):
    pass


class Shop:
    """Two members of a programme, whose terms change twenty days before the day."""

    def __init__(self, terms: Sequence[dict[str, Any]], *, bulk: bool) -> None:
        self.bulk = bulk
        self.programme = make_programme("club", terms=terms[0])
        for later in terms[1:]:
            publish_version(
                self.programme, Terms.read(later), valid_from=DAY - timedelta(days=20), actor=SYSTEM,
                now=DAY - timedelta(days=400),
            )  # fmt: skip
        self.goods: dict[str, Product] = {
            code: make_product(code, code, category=path, brand=brand) for code, (path, brand) in GOODS.items()
        }
        self.goods["CARD"].attributes = {"kind": "gift_card"}
        self.goods["CARD"].save()
        self.branches: dict[str, Branch | None] = {"KLN": make_branch("KLN"), "NT": make_branch("NT"), "": None}
        self.members = [make_member(self.programme, character=c, joined_on=date(2024, 2, 29)) for c in (CHAN, WANG)]
        self.members[0].customer.birth_on = date(1980, 12, 24)
        self.members[0].customer.save()
        self.written: list[Purchase] = []

    def play(self, batch: tuple[list[Sale], list[Return]]) -> None:
        first = len(self.written)
        for sale in sorted(batch[0], key=lambda one: one.hours):
            self._record(self._write(sale))
        sold = [purchase for purchase in self.written if purchase.original_id is None]
        coming = [(sold[back.of % len(sold)], back) for back in batch[1]] if sold else []
        for original, back in sorted(coming, key=lambda pair: pair[0].occurred_at + timedelta(hours=pair[1].hours)):
            self._record(self._write_return(original, back))
        if self.bulk:
            follow_in_bulk(self.written[first:])

    def _record(self, purchase: Purchase) -> None:
        self.written.append(purchase)
        if not self.bulk:
            with transaction.atomic():
                followers.get("loyalty").on_recorded(purchase, actor=SYSTEM, now=DAY)

    def _write(self, sale: Sale) -> Purchase:
        net = sum((Decimal(items * cents) for _, items, cents in sale.goods), Decimal(0)) / 100
        purchase = write_purchase(self.members[sale.who].customer, net, at=DAY + timedelta(hours=sale.hours))
        purchase.branch, purchase.channel = self.branches[sale.branch], sale.channel
        purchase.save()
        for number, (code, items, cents) in enumerate(sale.goods, start=1):
            self._line(purchase, number, code, items, Decimal(cents) / 100)
        paid = (net * sale.voucher / 100).quantize(Decimal("0.01"))
        for kind, amount in (("voucher", paid), ("octopus", net - paid)):
            if sale.voucher:
                Tender.objects.create(purchase=purchase, kind=kind, amount=amount)
        return purchase

    def _write_return(self, original: Purchase, back: Return) -> Purchase:
        lines = list(original.lines.select_related("product").order_by("line_no"))
        line = lines[back.line % len(lines)]
        price = line.net_amount / line.quantity
        at = original.occurred_at + timedelta(hours=back.hours)
        purchase = write_purchase(original.customer, -price * back.items, at=at, original=original)
        assert line.product is not None
        self._line(purchase, 1, line.product.code, -back.items, price)
        return purchase

    def _line(self, purchase: Purchase, number: int, code: str, items: int, price: Decimal) -> None:
        PurchaseLine.objects.create(
            purchase=purchase, line_no=number, product=self.goods[code], quantity=items, unit_price=price,
            net_amount=price * items,
        )  # fmt: skip


def _replay(
    terms: Sequence[dict[str, Any]], history: Sequence[tuple[list[Sale], list[Return]]], *, spend: int, bulk: bool
) -> dict[str, object]:
    """Play the history to new members, and tell what the ledger then holds; leave no trace."""
    try:
        with transaction.atomic():
            shop = Shop(terms, bulk=bulk)
            for number, batch in enumerate(history):
                shop.play(batch)
                _spend_some(shop.members[0], spend, number)
            told = ledger_of(shop.members, shop.written)
            raise Undo
    except Undo:
        return told


def _spend_some(member: Membership, spend: int, number: int) -> None:
    """Spend long ago, when nothing had expired yet: so that later returns find points gone."""
    points = (max(available(member), Decimal(0)) * spend / 100).quantize(Decimal(1), rounding="ROUND_DOWN")
    if points > 0:
        spend_points(
            member, points, request_key=f"spend {number}", actor=SYSTEM, now=DAY - timedelta(days=300)
        )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(terms=st.lists(programmes(), min_size=1, max_size=2), history=histories, spend=st.sampled_from([0, 0, 50, 100]))
def test_rich_terms_give_the_same_in_bulk_and_one_by_one(
    terms: list[dict[str, Any]], history: list[tuple[list[Sale], list[Return]]], spend: int
) -> None:
    online = _replay(terms, history, spend=spend, bulk=False)
    bulk = _replay(terms, history, spend=spend, bulk=True)
    for part, said in online.items():
        assert bulk[part] == said, part


def test_a_programme_may_have_more_bonuses_than_a_number_has_bits() -> None:
    many = [
        {"code": f"b{n}", "name": "B", "effect": "fixed", "points": "1", "products": ["MILK" if n > 80 else "SOAP"]}
        for n in range(90)
    ]
    history: list[tuple[list[Sale], list[Return]]] = [
        ([Sale(0, 0, (("MILK", 1, 1000), ("BREAD", 1, 500)), "", "store", 0)], [])
    ]
    online = _replay([{"bonuses": many}], history, spend=0, bulk=False)
    assert online == _replay([{"bonuses": many}], history, spend=0, bulk=True)
    assert (0, "points", "available", Decimal("24.00")) in online["balances"]  # type: ignore[operator]
