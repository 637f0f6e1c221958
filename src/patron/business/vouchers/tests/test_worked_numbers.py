"""The numbers of `docs/algorithms/vouchers.md` are those of the code."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from patron.business.vouchers.rules import Presented, VoucherTerms, in_order, worth_of, worth_of_all
from patron.business.vouchers.testing import make_basket

PAGE = Path(__file__).absolute().parents[5] / "docs" / "algorithms" / "vouchers.md"


def table(name: str) -> list[list[str]]:
    """The rows of the page's table called `name`."""
    found = re.search(rf"<!-- table: {name} -->\n\|.*\n\|.*\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"))
    assert found, name
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in found[1].splitlines()]


@pytest.mark.parametrize("row", table("worth"))
def test_worth(row: list[str]) -> None:
    kind, value, most, of, off, milk, bread = row
    terms = VoucherTerms.read(
        {"kind": kind, "value": value, "most": most or None, "products": {"products": [of] if of else []}}
    )
    found = worth_of(terms, make_basket(), None)
    assert (found.amount, found.by_line.get(1, 0), found.by_line.get(2, 0)) == tuple(map(Decimal, (off, milk, bread)))


def test_together() -> None:
    rows = table("together")
    shown = [
        Presented(str(place), VoucherTerms.read({"kind": kind, "value": value, "partial_use": keeps == "yes"}))
        for place, (kind, value, keeps, _off) in enumerate(rows)
    ]
    found = worth_of_all(shown[::-1], make_basket(), None)
    assert [each.code for each in in_order(shown[::-1])] == [str(place) for place in range(len(rows))]
    assert [found[each.code].amount for each in shown] == [Decimal(off) for *_rest, off in rows]
