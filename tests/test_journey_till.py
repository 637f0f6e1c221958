"""The till in a real browser: set one up, sell to a member, redeem points, take a line back, see the card change."""

from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from patron_browser import axe, settled

from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.models import Purchase
from patron.business.tills.models import TillEntry
from patron.business.tills.testing import make_terminal
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.catalog.testing import make_product
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import now

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(transactional_db):
    """A branch, a member with 800 points that can pay, and goods to sell."""
    branch = make_branch()
    programme = make_programme("club", terms={"paying": {"points": "100", "amount": "1.00"}})
    member = make_member(programme, customer=make_customer(WANG, branch=branch))
    adjust_points(member, Decimal(800), reason="Welcome", request_key="w", actor=SYSTEM, now=now())
    make_product("MILK-1L", "有機牛奶 Organic milk 1 L", list_price="28.50")
    make_product("TEA-100", "烏龍茶 Oolong tea", list_price="45.00")
    make_product("TEA-200", "普洱茶 Pu-erh tea", list_price="60.00")
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


def _card_face(page):
    picture = page.get_by_role("img", name="Card of")
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    return picture.get_attribute("src").split("of=")[1]


def _ready(page):
    """Until the script of the till has begun: before, Enter sends the form as it does without scripts."""
    page.locator("#till[data-ready]").wait_for()


def test_from_an_empty_branch_to_a_returned_line(house, staff):
    page = staff()
    page.goto("/till/")
    page.get_by_role("button", name="Set up a counter").click()

    # The scanner types and presses Enter, faster than the server answers.
    product = page.get_by_label("Product: scan, code or name")
    _ready(page)
    for code in ("MILK-1L", "TEA-100", "MILK-1L"):
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    page.get_by_text("HK$102.00").first.wait_for()
    assert page.get_by_label("Quantity of 有機牛奶 Organic milk 1 L").input_value() == "2"
    assert product.evaluate("field => field === document.activeElement")

    settled(page)
    page.get_by_label("Card, phone, number or name").fill(house["card"])
    page.keyboard.press("Enter")
    page.get_by_text("+102 points").wait_for()
    assert page.get_by_text("王美玲").count() >= 1
    assert product.evaluate("field => field === document.activeElement")

    # The quote follows what is typed; a reload loses nothing.
    settled(page)
    page.get_by_label("Discount on 烏龍茶 Oolong tea").fill("10%")
    page.locator("#till-quote").get_by_text("HK$97.50").wait_for()
    assert page.get_by_role("status").filter(has_text="To pay HK$97.50. 97 points to be earned.").count() == 1
    page.reload()
    _ready(page)
    page.locator("#till-quote").get_by_text("HK$97.50").wait_for()

    page.get_by_role("button", name="Use Points").click()
    page.locator("#till-due").get_by_text("HK$89.50").wait_for()
    settled(page)
    page.get_by_label("Cash given").fill("100")
    page.locator("#till-due").get_by_text("HK$10.50").wait_for()
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Receipt").wait_for()
    assert page.get_by_text("Change to give").count() == 1
    assert page.get_by_text("HK$10.50").count() == 1
    assert page.get_by_text("800 points used").count() == 1
    sale = TillEntry.objects.get()
    assert page.locator("[data-why]").first.inner_text() == sale.answer["points"]["why"][0]
    page.wait_for_function("document.activeElement.id === 'next-customer'")  # the script takes it there
    sold_face = _card_face(page)

    page.get_by_role("link", name="Take goods back").click()
    page.get_by_label("How many of 烏龍茶 Oolong tea come back").fill("1")
    page.get_by_role("button", name="Show what goes back").click()
    page.get_by_text("Points back").wait_for()
    page.get_by_role("button", name="Take back and pay out").click()

    page.get_by_text("The goods are taken back.").wait_for()
    assert _card_face(page) != sold_face
    back = TillEntry.objects.get(kind="return").answer
    assert (back["net_amount"], back["points_back"]) == ("-40.50", "332")
    assert page.get_by_text("332 points back").count() == 1


def test_a_double_click_sells_once_and_suggestions_are_chosen_by_arrow(house, staff):
    make_terminal(house["branch"])
    page = staff(Role.CASHIER)
    page.goto("/till/")
    _ready(page)
    page.keyboard.type("tea")
    page.get_by_role("button", name="普洱茶 Pu-erh tea").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("Quantity of 普洱茶 Pu-erh tea").wait_for()
    assert page.get_by_label("Product: scan, code or name").input_value() == ""

    settled(page)
    page.get_by_label("Card, phone, number or name").press_sequentially("wang")
    page.get_by_role("button", name="王美玲").click()
    page.get_by_text("+60 points").wait_for()
    page.get_by_role("button", name="Complete the sale").dblclick()

    page.get_by_role("heading", name="Receipt").wait_for()
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(
    ("language", "size", "theme"), [("en", "desktop", "light"), ("zh-hant", "phone", "dark"), ("en", "phone", "light")]
)
def test_the_pages_can_be_used_by_everybody(house, staff, language, size, theme):
    terminal = make_terminal(house["branch"])
    page = staff(Role.ADMINISTRATOR, language=language, size=size, theme=theme)
    page.goto("/till/")
    _ready(page)
    for text in ("MILK-1L", "NOPE"):
        page.locator("#till-q").fill(text)
        page.keyboard.press("Enter")
        settled(page)
    page.locator("#till-member").fill(house["card"])
    page.keyboard.press("Enter")
    page.locator(".till-who").wait_for()
    _usable(page, "the basket")
    page.locator("#till-sell").click()
    page.locator("#next-customer").wait_for()
    _usable(page, "the receipt")
    sale = TillEntry.objects.get()
    for address in (
        "/till/",
        "/till/?choose",
        "/till/sales/",
        f"/till/sales/{sale.pk}/return/?look=1&line-1=1",
        f"/till/sales/{sale.pk}/void/",
        "/loyalty/terminals/",
        "/loyalty/terminals/new/",
        f"/loyalty/terminals/{terminal.code}/",
    ):
        page.goto(address)
        _usable(page, address)


def _usable(page, where):
    settled(page)
    assert axe(page) == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{where} is too wide"
