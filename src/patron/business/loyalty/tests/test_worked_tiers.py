"""The numbers of docs/algorithms/tiers.md are those of the code."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from patron.business.loyalty.models import Membership, TierChange
from patron.business.loyalty.operations import grant_tier
from patron.business.loyalty.rules.tiers import (
    Standing,
    TierTerms,
    decide_review,
    kept_until,
    review_due_on,
    review_window,
    window_at,
)
from patron.business.loyalty.tests.support import give_back, sell
from patron.business.loyalty.tests.tiers import LADDER, member_with, noon, review, tiers
from patron.business.purchases.models import Purchase
from patron.kernel.actor import SYSTEM

PAGE = Path(__file__).parents[5] / "docs" / "algorithms" / "tiers.md"


def _table(name: str) -> list[dict[str, str]]:
    lines = PAGE.read_text(encoding="utf-8").split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("row", _table("windows"), ids=lambda row: f"{row['window']} {row['reached on']}")
def test_windows(row: dict[str, str]) -> None:
    terms = TierTerms(window=row["window"], months=int(row["months"]), grace_days=int(row["grace"]))
    joined, reached = date.fromisoformat(row["joined"]), date.fromisoformat(row["reached on"])
    until = kept_until(terms, reached, joined)
    assert (window_at(terms, reached, joined)[0], until) == (_day(row["counts then from"]), _day(row["kept until"]))
    assert review_window(terms, until, joined) == (_day(row["review counts from"]), _day(row["to"]))
    assert review_due_on(terms, until) == _day(row["reviewed on"])


@pytest.mark.parametrize("row", _table("reviews"), ids=lambda row: f"{row['held']} {row['counted']} {row['why']}")
def test_reviews(row: dict[str, str]) -> None:
    terms = TierTerms.read(
        {"window": "calendar_year", "soft_landing": row["soft landing"] == "yes", "ladder": LADDER}, ""
    )
    standing = Standing(row["held"], date(2026, 12, 31), row["invited"] == "yes")
    verdict = decide_review(terms, standing, value=Decimal(row["counted"]), joined_on=date(2020, 1, 1))
    assert (verdict.after, verdict.reason, verdict.until) == (row["tier"], row["why"], _day(row["until"]))


def _happens(row: dict[str, str], member: Membership, receipts: dict[str, Purchase]) -> None:
    at, of = noon(row["day"]), row["of"]
    match row["what happens"]:
        case "buys":
            receipts[of] = sell(member.customer, row["amount"], at=at)
        case "brings back":
            give_back(receipts[of], row["amount"], at=at)
        case "is invited":
            grant_tier(member, of, until=_day(row["amount"]), note="Guest", actor=SYSTEM, now=at)
        case "review":
            review(row["day"])
        case other:
            raise AssertionError(f"the page tells of something unknown: {other}")


@pytest.mark.django_db
def test_some_years_with_one_member() -> None:
    member = member_with(tiers(grace_days=14, soft_landing=True, ladder=LADDER[:2]))
    receipts: dict[str, Purchase] = {}
    changes = 0
    for row in _table("story"):
        _happens(row, member, receipts)
        member.refresh_from_db()
        assert (member.tier, member.tier_until) == (row["tier"], _day(row["until"])), row
        told = list(TierChange.objects.filter(membership=member).order_by("pk"))[changes:]
        changes += len(told)
        counted = Decimal(row["counted"]) if row["counted"] else None
        assert [(one.reason, one.value) for one in told] == ([(row["why"], counted)] if row["why"] else []), row
