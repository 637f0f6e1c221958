"""Designing a card and seeing it change, in a real browser."""

import pytest
from django.conf import settings
from django.test import Client
from patron_browser import axe, settled

from patron.business.cards.models import CardDesign
from patron.business.cards.testing import make_design
from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db, live_server, page_for, tmp_path, settings):
    """A page signed in as an administrator: `desk(size="phone", theme="dark")`."""
    settings.HOME = tmp_path

    def open_desk(**choices):
        client = Client()
        client.force_login(make_staff(), backend="django.contrib.auth.backends.ModelBackend")
        page = page_for(base_url=live_server.url, **choices)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": COOKIE, "value": session, "url": live_server.url}])
        return page

    return open_desk


COOKIE = settings.SESSION_COOKIE_NAME


def test_a_design_is_made_with_its_picture_beside_it(desk):
    design = make_design(make_member().programme, active=False)
    page = desk()
    page.goto(f"/loyalty/cards/{design.pk}/")
    picture = page.locator("#card-preview img")
    before = picture.get_attribute("src")

    page.select_option("#id_place_third", "joined")
    page.wait_for_function("before => document.querySelector('#card-preview img').src !== before", arg=before)
    page.get_by_role("button", name="Save the draft").click()
    settled(page)
    page.get_by_role("button", name="Put on cards").click()
    page.locator("dialog").get_by_role("button", name="Put on cards").click()
    page.get_by_text("Version 1 is on members' cards since").wait_for()

    design = CardDesign.objects.get()
    assert (design.status, design.spec["places"]["third"]) == ("active", "joined")
    assert axe(page) == []


def test_the_face_changes_with_the_points_and_a_lost_card_is_replaced(desk):
    member = make_member()
    page = desk()
    address = f"/customers/{member.customer.number}/?tab=loyalty"
    page.goto(address)
    card = page.locator("img.card-picture")
    assert card.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 1011
    before = card.get_attribute("src")

    make_purchase(member.customer)
    page.goto(address)
    changed = card.get_attribute("src")
    page.get_by_role("button", name="Replace the lost card").click()
    page.locator("dialog").get_by_role("button", name="Replace the lost card").click()
    page.get_by_text("The member has a new card.").first.wait_for()

    assert len({before, changed, card.get_attribute("src")}) == 3
    assert axe(page) == []


@pytest.mark.parametrize("choices", [{"size": "phone"}, {"theme": "dark"}, {"language": "zh-hant"}])
def test_card_pages_are_clean_on_every_screen(desk, choices):
    member = make_member()
    design = make_design(member.programme)
    page = desk(**choices)

    for address in (
        "/loyalty/cards/",
        f"/loyalty/cards/{design.pk}/",
        f"/customers/{member.customer.number}/?tab=loyalty",
    ):
        page.goto(address)
        settled(page)
        assert axe(page) == [], address
        if choices.get("size") == "phone":
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
