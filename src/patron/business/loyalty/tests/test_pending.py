"""Points that wait: what a return takes of them waits again when the return was a mistake, and they roll and expire
as others do."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from patron.business.loyalty.models import Lot, Membership
from patron.business.loyalty.operations import expire_lots, mature_lots, publish_version
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.queries.statement import holdings
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import DAY, follow_in_bulk, give_back, last, sell, void, write_purchase
from patron.business.purchases.followers import followers
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db

BATCH_DAY = DAY.date()


def _member(**terms: Any) -> Membership:
    return make_member(make_programme("club", terms={"pending_days": 20, **terms}))


def _holds(member: Membership) -> tuple[int, int]:
    """Available and pending, in whole points."""
    assert [check.code for check in check_ledger() if not check.holds] == []
    held = holdings(member)["points"]
    return int(held.available), int(held.pending)


def test_a_voided_return_gives_no_points_before_their_day() -> None:
    member = _member()
    bought = sell(member.customer, "100")
    back = give_back(bought, "60")
    assert _holds(member) == (0, 40)
    void(back, at=DAY + timedelta(days=2))
    assert _holds(member) == (0, 100)
    assert (last(member).kind, int(last(member).amount)) == ("refund", 60)
    mature_lots(as_of=BATCH_DAY + timedelta(days=20), actor=SYSTEM, now=DAY + timedelta(days=20))
    assert _holds(member) == (100, 0)


def test_a_return_voided_after_their_day_gives_points_at_once() -> None:
    member = _member()
    back = give_back(sell(member.customer, "100"), "60")
    void(back, at=DAY + timedelta(days=20))
    assert _holds(member) == (100, 0)


def test_pending_points_live_on_with_an_activity() -> None:
    for bulk in (False, True):
        member = make_member(
            make_programme(terms={"pending_days": 20, "expiry": {"kind": "rolling", "n": 2}}),
            customer=None if not bulk else make_member().customer,
        )  # fmt: skip
        sales = [write_purchase(member.customer, "10", at=DAY + timedelta(days=day)) for day in (0, 5)]
        if bulk:
            follow_in_bulk(sales)
        else:
            with transaction.atomic():
                for sale in sales:
                    followers.get("loyalty").on_recorded(sale, actor=SYSTEM, now=DAY)
        lots = Lot.objects.filter(account__membership=member)
        assert {lot.expires_on for lot in lots} == {date(2026, 3, 15)}, bulk


def test_what_waits_repays_a_debt_before_it_expires() -> None:
    member = _member(expiry={"kind": "days", "n": 5})
    sell(member.customer, "30")
    late = DAY + timedelta(days=40)
    expire_lots(as_of=late.date(), actor=SYSTEM, now=late)
    assert _holds(member) == (0, 30)
    mature_lots(as_of=late.date(), actor=SYSTEM, now=late)
    expire_lots(as_of=late.date(), actor=SYSTEM, now=late)
    assert _holds(member) == (0, 0)


def test_a_batch_that_spans_two_versions_counts_as_the_till_does() -> None:
    """A cap of the later version knows what was earned under the earlier one on that day."""
    programme = make_programme("club")
    member = make_member(programme)
    publish_version(
        programme, Terms.read({"cap": {"day": "100"}}), valid_from=DAY, actor=SYSTEM, now=DAY - timedelta(days=1)
    )
    hour = timedelta(hours=1)
    follow_in_bulk([write_purchase(member.customer, "80", at=at) for at in (DAY - hour, DAY + hour)])
    assert _holds(member) == (100, 0)
    assert (int(last(member).amount), last(member).explanation["capped_to"]) == (20, "20")
