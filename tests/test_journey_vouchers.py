"""A voucher from the form to the member's page, in a real browser."""

import pytest
from django.conf import settings as django_settings
from django.test import Client
from patron_browser import axe, settled

from patron.business.loyalty.testing import make_member
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.operations import Limits, issue_word, use_vouchers
from patron.business.vouchers.testing import (
    CASH,
    PLAIN_MEMBER,
    TEN_OFF,
    make_basket,
    make_code,
    make_definition,
    make_voucher,
)
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import now

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(transactional_db):
    """A member with a cash voucher partly used and two others, and codes for everybody."""
    branch = make_branch()
    member = make_member(customer=make_customer(WANG, branch=branch))
    cash = make_voucher(member, make_definition(CASH, code="cash-100", limits=Limits(budget=5000)), now=now())
    ten = make_definition({**TEN_OFF, "minimum_spend": "50"}, code="ten", limits=Limits(valid_days=30, stock=200))
    used, _kept = make_voucher(member, ten, now=now()), make_voucher(member, ten, now=now())
    word = make_definition(
        {"kind": "percent", "value": "8", "uses": 500, "most": "80", "member_limit": 1}, code="eight"
    )
    issue_word(word, "SUMMER26", actor=SYSTEM, now=now())
    make_code(ten, now=now())
    for voucher, line in ((cash, 0), (used, 1)):
        basket = make_basket(make_basket().lines[line], at=now())
        use_vouchers(
            [voucher.code], request_key=voucher.code, basket=basket, membership=member, member=PLAIN_MEMBER,
            actor=SYSTEM, now=now(),
        )  # fmt: skip
    return {"branch": branch, "member": member, "card": member.cards.get().number, "cash": cash}


@pytest.fixture
def staff(house, live_server, page_for):
    """Open a page as someone in a role."""

    def open_page(role=Role.MARKETER, **choices):
        client = Client()
        somebody = make_staff(role, branches=[house["branch"]])
        client.force_login(somebody, backend="django.contrib.auth.backends.ModelBackend")
        page = page_for(base_url=live_server.url, **choices)
        session = {"name": django_settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value}
        page.context.add_cookies([{**session, "url": live_server.url}])
        return page

    return open_page


def test_a_marketer_sets_a_voucher_up_and_gives_it(house, staff):
    page = staff()
    page.goto("/loyalty/vouchers/")
    page.get_by_role("link", name="New voucher").click()

    page.get_by_label("Name", exact=True).fill("Autumn treat")
    page.get_by_label("Short code").fill("autumn")
    page.get_by_label("It gives").select_option("percent")
    page.get_by_label("How much").fill("15")
    page.get_by_label("From a purchase of").fill("200")
    page.get_by_label("From a purchase of").press("Tab")
    page.get_by_text("off: from HK$200.").wait_for()  # the sentence follows the form
    page.get_by_role("button", name="Set up").click()
    page.get_by_text("The voucher is set up.").wait_for()

    page.get_by_label("Card or customer number").fill(house["card"])
    page.get_by_role("button", name="Give", exact=True).click()
    page.get_by_text("The voucher is given.").wait_for()
    page.get_by_label("So many codes").fill("3")
    page.get_by_role("button", name="Make codes").click()
    page.get_by_text("3 codes are made.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Codes as CSV").click()
    assert download.value.suggested_filename.startswith("autumn-")

    assert Voucher.objects.filter(definition__code="autumn").count() == 4
    page.goto(f"/customers/{house['member'].customer.number}/?tab=loyalty")
    page.get_by_text("Autumn treat").wait_for()


def test_a_kind_is_taken_back_only_after_a_second_look(house, staff):
    page = staff()
    page.goto("/loyalty/vouchers/of/ten/")
    page.get_by_label("Why").fill("Leaked")
    page.get_by_role("button", name="Cancel them").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
    page.get_by_text("2 vouchers are cancelled.").wait_for()
    assert not VoucherDefinition.objects.get(code="ten").is_active


@pytest.mark.parametrize(
    ("language", "size", "theme"), [("en", "desktop", "light"), ("zh-hant", "phone", "dark"), ("en", "phone", "light")]
)
def test_the_pages_can_be_used_by_everybody(house, staff, language, size, theme):
    page = staff(Role.ADMINISTRATOR, language=language, size=size, theme=theme)
    for address in (
        "/loyalty/vouchers/",
        "/loyalty/vouchers/new/",
        "/loyalty/vouchers/of/ten/",
        "/loyalty/vouchers/of/cash-100/edit/",
        f"/loyalty/vouchers/one/{house['cash'].pk}/",
        f"/customers/{house['member'].customer.number}/?tab=loyalty",
    ):
        page.goto(address)
        settled(page)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{address} is too wide"
