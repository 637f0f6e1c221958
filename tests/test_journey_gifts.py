"""A gift from the catalogue to the member's hand, in a real browser."""

import io
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from patron_browser import axe, settled
from PIL import Image

from patron.business.gifts.models import Gift, GiftOrder
from patron.business.gifts.operations import order_gift
from patron.business.gifts.testing import make_gift
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import now

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(transactional_db, settings, tmp_path):
    """A branch, a member with 800 points, and three gifts."""
    settings.MEDIA_ROOT = tmp_path
    branch = make_branch()
    member = make_member(customer=make_customer(WANG, branch=branch))
    adjust_points(member, Decimal(800), reason="Welcome", request_key="w", actor=SYSTEM, now=now())
    make_gift("UMBRELLA", points=300, name="Folding umbrella", names={"zh-hant": "摺疊雨傘", "zh-hans": "折叠雨伞"},
              can_be_delivered=True)  # fmt: skip
    make_gift("MUG", points=150, money=20, stock=3, name="Mug", names={"zh-hant": "馬克杯", "zh-hans": "马克杯"})
    make_gift("SUITCASE", points=9000, stock=1, name="Suitcase", names={"zh-hant": "行李箱", "zh-hans": "行李箱"})
    with transaction.atomic():
        refresh_search_terms([member.customer_id])
    return {"branch": branch, "member": member, "card": member.cards.get().number}


@pytest.fixture
def staff(house, live_server, page_for):
    """Open a page as someone in a role."""

    def open_page(role=Role.BRANCH_MANAGER, **choices):
        client = Client()
        somebody = make_staff(role, branches=[house["branch"]])
        client.force_login(somebody, backend="django.contrib.auth.backends.ModelBackend")
        page = page_for(base_url=live_server.url, **choices)
        session = {"name": django_settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value}
        page.context.add_cookies([{**session, "url": live_server.url}])
        return page

    return open_page


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 600), "#0f766e").save(buffer, "PNG")
    return buffer.getvalue()


def test_a_marketer_adds_a_gift_with_a_picture(house, staff):
    page = staff(Role.MARKETER)
    page.goto("/loyalty/gifts/")
    page.get_by_role("link", name="New gift").click()

    page.get_by_label("Code").fill("TOTE")
    page.get_by_label("Name", exact=True).fill("Tote bag")
    page.get_by_label("Name in Traditional Chinese").fill("布袋")
    page.get_by_label("Points", exact=True).fill("200")
    page.get_by_label("Picture").set_input_files({"name": "tote.png", "mimeType": "image/png", "buffer": _picture()})
    page.get_by_role("button", name="Put into the catalogue").click()

    page.get_by_text("Tote bag is in the catalogue.").wait_for()
    page.goto("/loyalty/gifts/")
    picture = page.locator(".gift-card", has_text="Tote bag").locator("img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    assert Gift.objects.get(code="TOTE").points_price == 200


def test_a_cashier_redeems_in_two_clicks_and_hands_over_by_code(house, staff):
    page = staff(Role.CASHIER)
    page.goto("/loyalty/gift-desk/")
    page.get_by_label("Card, phone, number or name").fill(house["card"])  # the scanner types and presses Enter
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Redeem now Mug").click()
    page.get_by_text("Mug is theirs: hand it over.").wait_for()

    page.get_by_role("button", name="Keep for later Folding umbrella").click()
    page.get_by_text("Pick-up code:").wait_for()
    order = GiftOrder.objects.get(gift__code="UMBRELLA")
    page.get_by_label("Pick-up code").fill(order.shown_code.lower())
    page.keyboard.press("Enter")
    page.get_by_text("Hand over to 王美玲: 1 × Folding umbrella.").wait_for()

    assert set(GiftOrder.objects.values_list("state", flat=True)) == {"handed_over"}


@pytest.mark.parametrize(
    ("language", "size", "theme"), [("en", "desktop", "light"), ("zh-hant", "phone", "dark"), ("en", "phone", "light")]
)
def test_the_pages_can_be_used_by_everybody(house, staff, language, size, theme):
    order = order_gift(
        house["member"], Gift.objects.get(code="MUG"), branch=house["branch"], request_key="o", actor=SYSTEM, now=now()
    )
    page = staff(Role.ADMINISTRATOR, language=language, size=size, theme=theme)
    for address in (
        "/loyalty/gifts/",
        "/loyalty/gifts/new/",
        "/loyalty/gifts/MUG/edit/",
        "/loyalty/gift-stock/",
        "/loyalty/gift-stock/KLN/MUG/",
        f"/loyalty/gift-desk/?q={house['card']}",
        f"/loyalty/gift-orders/{order.pk}/",
    ):
        page.goto(address)
        settled(page)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{address} is too wide"
