"""The numbers of docs/algorithms/earning.md are those of the code."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from patron.business.loyalty.baskets import GIFT_CARD, ProductFacts
from patron.business.loyalty.models import LedgerTransaction, Lot, Membership
from patron.business.loyalty.operations import expire_lots, mature_lots, spend_points
from patron.business.loyalty.queries.statement import holdings
from patron.business.loyalty.rules.earning import Conditions, Part, Rulebook, decide_earning
from patron.business.loyalty.rules.sales import MemberState, Sale, advance, decide_sale
from patron.business.loyalty.rules.terms import Expiry, Terms
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.explaining import points_explained
from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import Receipt, record_purchase, record_return, void_purchase
from patron.business.purchases.rules import Line, ReturnedLine
from patron.core.catalog.testing import make_product
from patron.kernel.actor import SYSTEM

PAGE = Path(__file__).parents[5] / "docs" / "algorithms" / "earning.md"


def _table(name: str) -> list[dict[str, str]]:
    lines = PAGE.read_text(encoding="utf-8").split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


@pytest.mark.parametrize("row", _table("base"), ids=lambda row: f"{row['paid']} {row['for each']} {row['rounding']}")
def test_base(row: dict[str, str]) -> None:
    base: dict[str, Any] = {"points": row["points"]}
    base |= {"per_item": True} if row["for each"] == "item" else {"per_amount": row["for each"]}
    base |= {"whole_units": False} if row["parts of a unit count"] == "yes" else {}
    rules = Rulebook(Terms.read({"base": base, "rounding": row["rounding"]}), 1)
    award = decide_earning(rules, [Part(0, Decimal(row["paid"]), Decimal(row["items"]))])
    assert (award.units, award.exact, award.points) == tuple(Decimal(row[n]) for n in ("units", "exact", "earned"))


def _bonuses() -> list[dict[str, Any]]:
    found = []
    for row in _table("bonuses"):
        bonus: dict[str, Any] = {"code": row["bonus"], "name": row["bonus"], "effect": row["effect"]}
        for name, key in (("factor", "factor"), ("points", "points"), ("amount", "amount"), ("from", "minimum")):
            bonus |= {key: row[name]} if row[name] else {}
        bonus |= {"products": [row["products"]]} if row["products"] else {}
        bonus |= {"group": row["group"]} if row["group"] else {}
        found.append(bonus | ({"cap": {"purchase": row["most"]}} if row["most"] else {}))
    return found


@pytest.mark.parametrize("row", _table("baskets"), ids=lambda row: f"{row['milk']} {row['open']} {row['combine']}")
def test_baskets(row: dict[str, str]) -> None:
    rules = Rulebook(Terms.read({"bonuses": _bonuses(), "combine": row["combine"]}), 1)
    goods = (("MILK", "milk", ""), ("BREAD", "bread", ""), ("CARD", "gift card", GIFT_CARD))
    lines = [(ProductFacts(code, kind=kind), Decimal(row[name])) for code, name, kind in goods]
    parts = rules.parts((facts, net, net / 5) for facts, net in lines if net)
    award = decide_earning(rules, parts, Conditions(open=tuple(row["open"].split()), unpaid=Decimal(row["voucher"])))
    assert award.base_points == Decimal(row["base"])
    assert [step.points for step in award.steps] == [Decimal(points) for points in row["each gives"].split()]
    assert (award.exact, award.points) == (Decimal(row["exact"]), Decimal(row["earned"]))
    assert points_explained(award.explanation) == award.points


def test_caps() -> None:
    rules = Rulebook(Terms.read({"cap": {"day": "100", "period": "150", "period_days": 7}}), 1)
    state = MemberState(membership_id=1, customer_id=1, joined_on=date(2020, 1, 1))
    for number, row in enumerate(_table("caps")):
        day, paid = date.fromisoformat(row["day"]), Decimal(row["paid"])
        at = datetime.combine(day, time(4), UTC)
        sale = Sale(number, at, day, at, [Part(0, paid)], paid)
        award = decide_sale(rules, state, sale)
        advance(rules, state, sale, award)
        assert (award.conditions.room.total, award.points) == (Decimal(row["left"]), Decimal(row["earned"])), row


@pytest.mark.parametrize("row", _table("expiry"), ids=lambda row: f"{row['kind']} {row['n']}")
def test_expiry(row: dict[str, str]) -> None:
    last = Expiry(row["kind"], int(row["n"])).last_day(date.fromisoformat(row["earned, or last active, on"]))
    assert str(last or "") == row["last day"]


def _happens(row: dict[str, str], member: Membership, receipts: dict[str, list[Purchase]]) -> None:
    day, of = date.fromisoformat(row["day"]), row["of"]
    at = datetime.combine(day, time(4), UTC)
    goods = {code: Decimal(row[code.lower()]) for code in ("MILK", "BREAD") if row[code.lower()]}
    slip = Receipt(source="page", source_key=row["no."], occurred_at=at)
    match row["what happens"]:
        case "buys":
            lines = [Line(code, quantity, Decimal(1)) for code, quantity in goods.items()]
            receipts[of] = [record_purchase(receipt=slip, lines=lines, customer=member.customer, actor=SYSTEM, now=at)]
        case "brings back":
            number = {line.product.code: line.line_no for line in receipts[of][0].lines.all() if line.product}
            back = [ReturnedLine(number[code], quantity) for code, quantity in goods.items()]
            receipts[of].append(record_return(original=receipts[of][0], receipt=slip, lines=back, actor=SYSTEM, now=at))
        case "return voided":
            void_purchase(purchase=receipts[of][-1], actor=SYSTEM, now=at)
        case "become available":
            mature_lots(as_of=day, actor=SYSTEM, now=at)
        case "redeems":
            spend_points(member, Decimal(of), request_key=row["no."], actor=SYSTEM, now=at)
        case "expiry":
            expire_lots(as_of=day, actor=SYSTEM, now=at)
        case other:
            raise AssertionError(f"the page tells of something unknown: {other}")


@pytest.mark.django_db
def test_some_months_with_one_member() -> None:
    for code in ("MILK", "BREAD"):
        make_product(code, code)
    bonuses = [
        {"code": "milk", "name": "Milk twice", "effect": "multiply", "factor": "2", "products": ["MILK"]},
        {"code": "big", "name": "From 100", "effect": "fixed", "points": "20", "minimum": "100"},
    ]
    member = make_member(make_programme(expiry_months=2, terms={"bonuses": bonuses, "pending_days": 14}))
    receipts: dict[str, list[Purchase]] = {}
    for row in _table("story"):
        _happens(row, member, receipts)
        movement = LedgerTransaction.objects.filter(membership=member).latest("pk")
        held = holdings(member)["points"]
        told = re.findall(r"([\d.]+) until ([\d-]+)", row["open lots"])
        assert movement.amount == Decimal(row["points"]), row
        assert (held.pending, held.available) == (Decimal(row["pending"]), Decimal(row["available"])), row
        lots = _available_lots(member)
        assert lots == [(until, Decimal(points)) for points, until in told], row


def _available_lots(member: Membership) -> list[tuple[str, Decimal]]:
    lots = Lot.objects.filter(account__membership=member, account__bucket="available", remaining__gt=0)
    return [(str(lot.expires_on), lot.remaining) for lot in lots.order_by("expires_on", "pk")]
