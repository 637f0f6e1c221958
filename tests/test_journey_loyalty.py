"""The loyalty programme from its rules to a member's statement, in a real browser.

A marketer builds a bonus and lets points pay, simulates last month, and publishes; a cashier sells by the new rules,
takes points as payment, takes a line back and hands over a gift, while the card's face follows; the statement tells
why. Every number on the way is worked out here by hand.
"""

from datetime import datetime
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from patron_browser import axe, settled
from playwright.sync_api import expect

from patron.business.gifts.testing import make_gift
from patron.business.loyalty.queries import check_ledger, points_balance
from patron.business.loyalty.simulating import last_month
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.operations import Receipt, record_purchase
from patron.business.purchases.rules import Line
from patron.business.tills.testing import make_terminal
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.catalog.testing import make_product
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import house_zone, now, today

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MILK = ("MILK-1L", "有機牛奶 Organic milk 1 L", "30.00")
TEA = ("TEA-100", "烏龍茶 Oolong tea", "45.00")
BUILDER = "/loyalty/programme/club/edit/"


@pytest.fixture
def house(transactional_db, settings, tmp_path):
    """A branch with a till, two members, and what they bought last month at one point for each whole dollar."""
    settings.MEDIA_ROOT = tmp_path
    branch = make_branch()
    make_terminal(branch)
    programme = make_programme("club")
    wang = make_member(programme, customer=make_customer(WANG, branch=branch))
    chan = make_member(programme, customer=make_customer(CHAN, branch=branch))
    for code, name, price in (MILK, TEA):
        make_product(code, name, list_price=price)
    make_gift("TOTE", points=40, stock=3, name="Tote bag")
    for number, (member, milk, tea) in enumerate([(wang, 2, 1), (wang, 0, 4), (chan, 10, 0)]):
        _bought(member, number, {MILK: milk, TEA: tea}, branch)
    with transaction.atomic():
        refresh_search_terms([wang.customer_id, chan.customer_id])
    return {"branch": branch, "member": wang, "card": wang.cards.get().number}


def _bought(member, number, basket, branch):
    first, _last = last_month(today(now()))
    record_purchase(
        receipt=Receipt(
            source="test",
            source_key=f"LAST-{number}",
            occurred_at=datetime(first.year, first.month, 5 + number, 12, tzinfo=house_zone()),
            branch=branch,
        ),
        lines=[
            Line(product_code=code, description=name, quantity=Decimal(quantity), unit_price=Decimal(price))
            for (code, name, price), quantity in basket.items()
            if quantity
        ],
        customer=member.customer,
        actor=SYSTEM,
        now=now(),
    )


@pytest.fixture
def staff(house, live_server, page_for):
    """Open a page as someone in a role."""

    def open_page(role, **choices):
        client = Client()
        client.force_login(
            make_staff(role, branches=[house["branch"]]), backend="django.contrib.auth.backends.ModelBackend"
        )
        page = page_for(base_url=live_server.url, **choices)
        session = {"name": django_settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value}
        page.context.add_cookies([{**session, "url": live_server.url}])
        return page

    return open_page


def test_from_a_rule_to_the_statement(house, staff):
    member = house["member"]
    assert points_balance(member, now=now()).available == 105 + 180
    marketer = staff(Role.MARKETER)
    _build(marketer)
    _simulate(marketer)
    _publish(marketer)

    cashier = staff(Role.CASHIER)
    faces = [_sell_at_double_points(cashier, house["card"])]
    assert points_balance(member, now=now()).available == 285 + 165
    faces.append(_pay_with_points(cashier, house["card"]))
    assert points_balance(member, now=now()).available == 450 - 300 + 100
    faces.append(_take_the_tea_back(cashier))
    assert points_balance(member, now=now()).available == 250 + 180 - 44
    assert len({address for address, _picture in faces}) == 3
    assert len({picture for _address, picture in faces}) == 3

    _hand_over_a_gift(cashier, house["card"])
    assert points_balance(member, now=now()).available == 386 - 40
    _read_the_statement(cashier, member)
    assert [check.code for check in check_ledger() if not check.holds] == []


def _build(page):
    page.goto(BUILDER)
    page.get_by_role("button", name="Certain goods").click()
    page.locator("#part_name").fill("Milk doubles")
    page.locator("#find-products").fill("milk")
    page.locator("#found-products").get_by_role("checkbox", name="Organic milk").check()
    expect(page.locator("#said-bonuses-0")).to_have_text("Double points on 有機牛奶 Organic milk 1 L.")
    _clean(page)

    page.get_by_role("link", name="Edit Paying with points").click()
    page.locator("#part_paying_points").fill("100")
    page.locator("#part_paying_amount").fill("many")
    page.locator("#part_paying_amount").press("Tab")
    expect(page.locator("#why-paying_amount")).to_have_text("This is not a number.")
    page.locator("#part_paying_amount").fill("1.00")
    page.locator("#part_paying_amount").press("Tab")
    expect(page.locator("#said-paying")).to_have_text("100 points pay HK$1.00.")
    expect(page.locator("#why-paying_amount")).to_have_text("")
    expect(page.locator("#summary")).to_contain_text(
        "double points on 有機牛奶 Organic milk 1 L; points live 12 months"
    )


def _simulate(page):
    """Last month 105 + 180 + 300 points; milk for 60 and 300 counts once more."""
    page.get_by_role("button", name="Simulate").click()
    said = page.locator("#simulated .answer")
    expect(said).to_contain_text("this would have given 945 points instead of 585:")
    expect(said).to_contain_text("HK$3.60 more, 0.62\N{NO-BREAK SPACE}% of sales. 2 members gain, 0 lose.")
    rows = page.get_by_role("region", name="Points by rule").locator("tr")
    assert _cells(rows.filter(has_text="Base rate")) == ["Base rate", "585", "585", "0", "3"]
    assert _cells(rows.filter(has_text="Milk doubles")) == ["Milk doubles", "360", "0", "+360", "2"]
    assert _cells(rows.filter(has_text="All points")) == ["All points", "945", "585", "+360", "3"]
    _clean(page)


def _publish(page):
    page.get_by_role("link", name="Publish").click()
    begins = page.locator("ins")
    expect(begins).to_have_text(["Double points on 有機牛奶 Organic milk 1 L.", "100 points pay HK$1.00."])
    page.locator("#simulated .answer").wait_for()
    _clean(page)
    page.get_by_label("Note").fill("Milk weeks")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Published. Purchases from that moment on earn by these rules.").wait_for()
    assert page.get_by_role("row").filter(has_text="Milk weeks").filter(has_text="in force").count() == 1
    _clean(page)


def _sell_at_double_points(page, card):
    """Two milks and a tea: 105 for 105.00, and 60 more for the milk."""
    _scan(page, card, "MILK-1L", "MILK-1L", "TEA-100", total="HK$105.00")
    quote = page.locator("#till-quote")
    expect(quote).to_contain_text("+165 points")
    expect(quote).to_contain_text("Milk doubles")
    _clean(page)
    _complete(page)
    expect(page.locator("[data-why]").first).to_contain_text("Milk doubles")
    assert page.get_by_text("+165 points").count() == 1
    _clean(page)
    return _card_face(page)


def _pay_with_points(page, card):
    """A milk and a tea for 75.00, of which 300 points pay 3.00: 72 for 72.00, and 28.80 more for the milk's part."""
    _scan(page, card, "MILK-1L", "TEA-100", total="HK$75.00")
    page.locator("#pay-points").fill("3")
    expect(page.locator("#till-due")).to_contain_text("HK$72.00")
    expect(page.locator("#till-quote")).to_contain_text("+100 points")
    _complete(page)
    assert page.get_by_text("300 points used").count() == 1
    _clean(page)
    return _card_face(page)


def _take_the_tea_back(page):
    """45.00 of 75.00: 180 of the 300 points and 43.20; for the milk's 28.80 stand 28 and 28.80 more, so 56 of 100."""
    page.get_by_role("link", name="Take goods back").click()
    page.get_by_label("How many of 烏龍茶 Oolong tea come back").fill("1")
    page.get_by_role("button", name="Show what goes back").click()
    page.get_by_text("Points back").wait_for()
    _clean(page)
    page.get_by_role("button", name="Take back and pay out").click()
    page.get_by_text("The goods are taken back.").wait_for()
    assert page.get_by_text("180 points back").count() == 1
    assert page.get_by_text("44 points taken back").count() == 1
    assert page.get_by_text("HK$43.20").count() == 1
    _clean(page)
    return _card_face(page)


def _hand_over_a_gift(page, card):
    page.goto("/loyalty/gift-desk/")
    page.get_by_label("Card, phone, number or name").fill(card)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Redeem now Tote bag").click()
    page.get_by_text("Tote bag is theirs: hand it over.").wait_for()
    _clean(page)


def _read_the_statement(page, member):
    page.goto(f"/customers/{member.customer.number}/points/")
    expect(page.locator(".answer")).to_contain_text("346 points can be spent, worth HK$3.46.")
    rows = page.locator("tbody tr")
    told = [(row.locator("td").nth(1).inner_text(), row.locator("td").last.inner_text()) for row in rows.all()]
    assert told == [
        ("−40", "346"), ("+180", "386"), ("−44", "206"), ("−300", "250"), ("+100", "550"), ("+165", "450"),
        ("+180", "285"), ("+105", "105"),
    ]  # fmt: skip
    first_sale = rows.nth(5)
    expect(first_sale).to_contain_text("Milk doubles: 2 × on 60.00 adds 60 points. Together 165 points.")
    expect(rows.nth(3)).to_contain_text("300 points redeemed.")
    expect(rows.nth(2)).to_contain_text("30.00 of 75.00 stands after the return: of the 100 points, 44 are taken back.")
    expect(rows.nth(1)).to_contain_text("180 of the points redeemed are given back.")
    first_sale.get_by_text("The arithmetic, step by step").click()
    _clean(page)


def test_the_key_pages_on_a_phone_in_chinese(house, staff):
    marketer = staff(Role.MARKETER, language="zh-hant", size="phone", theme="dark")
    for address in ("/loyalty/programme/", f"{BUILDER}?part=paying"):
        marketer.goto(address)
        _clean(marketer)
    cashier = staff(Role.CASHIER, language="zh-hant", size="phone")
    _scan(cashier, house["card"], "MILK-1L", "TEA-100", total="75.00")
    _clean(cashier)
    cashier.goto(f"/customers/{house['member'].customer.number}/points/")
    _clean(cashier)


# --- doing and looking -------------------------------------------------------------------------------------------


def _scan(page, card, *codes, total):
    page.goto("/till/")
    page.locator("#till[data-ready]").wait_for()
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    page.locator("#till-quote").get_by_text(total).wait_for()
    settled(page)
    page.locator("#till-member").fill(card)
    page.keyboard.press("Enter")
    page.locator(".till-who").wait_for()
    settled(page)


def _complete(page):
    settled(page)
    page.get_by_role("button", name="Complete the sale").click()
    page.get_by_role("link", name="Next customer").wait_for()


def _card_face(page):
    """The address and the bytes of the card's picture."""
    picture = page.get_by_role("img", name="Card of")
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    address = picture.get_attribute("src")
    return address.split("of=")[1], page.request.get(address).body()


def _cells(row):
    return row.locator("th, td").all_inner_texts()


def _clean(page):
    settled(page)
    assert axe(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is too wide"
