"""The numbers of docs/algorithms/ledger.md are those of the code."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import adjust_points, expire_lots, spend_points
from patron.business.loyalty.rules import card_number
from patron.business.loyalty.rules.earning import Part, Rulebook, decide_earning
from patron.business.loyalty.rules.terms import Expiry, Terms
from patron.business.loyalty.testing import make_member
from patron.business.loyalty.tests.support import available, give_back, open_lots, sell, void
from patron.business.purchases.models import Purchase
from patron.kernel.actor import SYSTEM

PAGE = Path(__file__).parents[5] / "docs" / "algorithms" / "ledger.md"


def _table(name: str) -> list[dict[str, str]]:
    lines = PAGE.read_text(encoding="utf-8").split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


@pytest.mark.parametrize("row", _table("earning"), ids=lambda row: row["paid"])
def test_earning(row: dict[str, str]) -> None:
    base = {"points": row["points per unit"], "per_amount": row["unit amount"]}
    rules = Rulebook(Terms.read({"base": base}), 1)
    assert decide_earning(rules, [Part(0, Decimal(row["paid"]))]).points == Decimal(row["points"])


@pytest.mark.parametrize("row", _table("expiry"), ids=lambda row: row["earned on"])
def test_expiry(row: dict[str, str]) -> None:
    earned_on = date.fromisoformat(row["earned on"])
    assert Expiry("month_end", int(row["months"])).last_day(earned_on) == date.fromisoformat(row["last day"])


@pytest.mark.parametrize("row", _table("cards"), ids=lambda row: row["running number"])
def test_cards(row: dict[str, str]) -> None:
    assert card_number(row["prefix"], int(row["running number"])) == row["card"]


def _happens(row: dict[str, str], member: Membership, receipts: dict[str, list[Purchase]]) -> None:
    at = datetime.combine(date.fromisoformat(row["day"]), time(4), UTC)
    key, of = f"no. {row['no.']}", row["of"]
    match row["what happens"]:
        case "buys":
            receipts[of] = [sell(member.customer, row["amount"], at=at)]
        case "brings back":
            receipts[of].append(give_back(receipts[of][0], row["amount"], at=at))
        case "return voided":
            void(receipts[of][-1], at=at)
        case "redeems":
            spend_points(member, Decimal(row["amount"]), request_key=key, actor=SYSTEM, now=at)
        case "is given":
            adjust_points(
                member, Decimal(row["amount"]), reason="Goodwill", request_key=key, actor=SYSTEM, now=at,
                expires_on=date.fromisoformat(of),
            )  # fmt: skip
        case "expiry":
            expire_lots(as_of=date.fromisoformat(row["day"]), actor=SYSTEM, now=at)
        case other:
            raise AssertionError(f"the page tells of something unknown: {other}")


@pytest.mark.django_db
def test_the_year_with_one_member() -> None:
    member = make_member()
    receipts: dict[str, list[Purchase]] = {}
    movements: dict[str, LedgerTransaction] = {}
    for row in _table("story"):
        _happens(row, member, receipts)
        movements[row["no."]] = LedgerTransaction.objects.filter(membership=member).latest("pk")
        told = re.findall(r"([\d.]+) until ([\d-]+)", row["open lots"])
        assert movements[row["no."]].amount == Decimal(row["points"]), row
        assert available(member) == Decimal(row["balance"]), row
        assert open_lots(member) == [(until, Decimal(points)) for points, until in told], row
    sides = [
        (number, posting.account.bucket, str(posting.lot.expires_on) if posting.lot else "", posting.amount)
        for number in dict.fromkeys(row["no."] for row in _table("postings"))
        for posting in movements[number].postings.select_related("account", "lot").order_by("line_no")
    ]
    assert sides == [
        (row["no."], row["bucket"], row["lot until"], Decimal(row["amount"])) for row in _table("postings")
    ]
