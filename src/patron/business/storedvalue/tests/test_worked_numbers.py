"""The numbers on `docs/algorithms/storedvalue.md` are those of the code."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from patron.business.loyalty.rules import OpenLot
from patron.business.storedvalue.rules import Deposit, bonus_for, plan_withdrawal
from patron.business.storedvalue.testing import TIERS

PAGE = Path(__file__).parents[5] / "docs" / "algorithms" / "storedvalue.md"
CENT = Decimal("0.01")


def _table(name: str) -> list[list[Decimal]]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- table: {name} -->\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    assert found is not None
    rows = found.group(1).splitlines()[2:]
    return [[Decimal(cell.strip()) for cell in row.strip().strip("|").split("|")] for row in rows]


@pytest.mark.parametrize(("deposited", "bonus"), _table("bonus"))
def test_the_bonus_of_a_deposit(deposited: Decimal, bonus: Decimal) -> None:
    assert bonus_for(deposited, TIERS, quantum=CENT)[0] == bonus


@pytest.mark.parametrize(("spent", "expired", "withdrawn", "due", "taken", "charged", "in_hand"), _table("withdrawal"))
def test_what_a_withdrawal_does_to_the_bonus(
    spent: Decimal,
    expired: Decimal,
    withdrawn: Decimal,
    due: Decimal,
    taken: Decimal,
    charged: Decimal,
    in_hand: Decimal,
) -> None:
    own = OpenLot(1, None, Decimal(1000), Decimal(1000))
    unspent = OpenLot(2, None, Decimal(80), Decimal(80) - spent - expired)
    deposit = Deposit(own, bonus=Decimal(80), bonus_id=7, expired=expired, bonus_lot=unspent)
    (leaving,) = plan_withdrawal([deposit], withdrawn, quantum=CENT)
    assert (leaving.taken + leaving.charged, leaving.taken, leaving.charged) == (due, taken, charged)
    assert withdrawn - leaving.charged == in_hand
