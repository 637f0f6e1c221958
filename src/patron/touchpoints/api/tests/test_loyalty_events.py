"""Events that earn, and tiers, over the API."""

from decimal import Decimal

import pytest

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW
from patron.kernel import clock
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

TERMS = {
    "events": [
        {"code": "profile", "name": "Profile completed", "points": "50"},
        {"code": "checkin", "name": "Check-in", "points": "5", "once": "always"},
    ],
    "tiers": {
        "measure": "spend",
        "window": "calendar_year",
        "ladder": [{"code": "gold", "name": "Gold", "threshold": "100"}],
    },
}


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> Membership:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return make_member(make_programme(terms=TERMS))


def test_an_event_gives_its_points_once(caller: Caller, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/events"
    first = caller.post(address, {"event": "profile"})
    again = caller.post(address, {"event": "profile", "reference": "another"})
    assert first.status_code == again.status_code == 200, first.content
    assert first.json() == again.json()
    assert (first.json()["points"], first.json()["event"]) == ("50.00", "profile")
    assert LedgerTransaction.objects.count() == 1


def test_events_that_always_count_need_a_reference(caller: Caller, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/events"
    assert caller.post(address, {"event": "checkin"}).status_code == 422
    ids = {caller.post(address, {"event": "checkin", "reference": day}).json()["id"] for day in ("1", "2", "1")}
    assert len(ids) == 2


def test_unknown_events_and_keys_without_the_scope_are_refused(
    caller: Caller, make_caller: CallerMaker, member: Membership
) -> None:
    address = f"/customers/{member.customer.number}/events"
    refused = caller.post(address, {"event": "nothing"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_event")
    stranger = make_caller("customers.view", "loyalty.view")
    assert stranger.post(address, {"event": "profile"}).status_code == 403
    assert LedgerTransaction.objects.count() == 0


def test_the_tier_is_told_with_what_is_missing(caller: Caller, member: Membership) -> None:
    make_purchase(member.customer, occurred_at=NOW)

    body = caller.get(f"/customers/{member.customer.number}/tier").json()

    assert (body["tier"], body["following"], body["measure"]) == ("", "Gold", "spend")
    assert Decimal(body["missing"]) == Decimal(100) - Decimal(body["value"])
    assert body["deadline"] == f"{NOW.year}-12-31"
    assert body["next_words"].endswith("for Gold.")


def test_without_a_ladder_there_is_no_tier(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert caller.get(f"/customers/{make_member().customer.number}/tier").status_code == 404
