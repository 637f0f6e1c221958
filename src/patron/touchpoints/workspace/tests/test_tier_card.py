"""The tier on the customer's page: until when, the way to the next, what it brings, and why."""

from datetime import timedelta

import pytest
from django.urls import reverse

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import grant_tier
from patron.business.loyalty.testing import make_member, make_programme
from patron.kernel.actor import system
from patron.kernel.clock import now, today
from patron.touchpoints.workspace.tests.customer_pages import signed_in

pytestmark = pytest.mark.django_db

BENEFITS = [{"kind": "waived_fee", "name": "No registration fee", "refers_to": "registration"}]
LADDER = [
    {"code": "silver", "name": "Silver", "threshold": "1000", "multiplier": "1.25", "benefits": BENEFITS},
    {"code": "gold", "name": "Gold", "threshold": "3000"},
]


def _tab(member: Membership) -> str:
    response = signed_in().get(reverse("customer", args=[member.customer.number]), {"tab": "loyalty"})
    assert response.status_code == 200
    return response.content.decode()


def test_the_tier_is_shown_with_its_reasons() -> None:
    member = make_member(make_programme(terms={"tiers": {"measure": "spend", "ladder": LADDER}}))
    until = today(now()) + timedelta(days=30)
    grant_tier(member, "silver", until=until, note="Opening night", actor=system("Test"), now=now())

    html = _tab(member)

    assert "by invitation until" in html
    assert "Granted until" in html
    assert "Opening night" in html
    assert "1.25 times the points" in html
    assert "No registration fee" in html
    assert '<progress aria-label="Way to Gold" value="0" max="100">' in html
    assert "HK$3,000.00 more within 12 months for Gold." in html


def test_without_tiers_nothing_is_shown() -> None:
    html = _tab(make_member())
    assert "<progress" not in html
    assert "Why this tier" not in html
