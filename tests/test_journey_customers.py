"""Finding a customer and working with their page, in a real browser."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from patron_browser import axe, settled

from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.customers.models import Consent, CustomerNote
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import CHAN, WANG
from patron.kernel.clock import now
from patron.kernel.models import AuditEntry
from patron.touchpoints.workspace.tests.customer_pages import judge, make_customer, make_runs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(transactional_db):
    """A branch with two customers who buy and are judged, and a cashier of that branch."""
    branch = make_branch()
    wang, chan = make_customer(WANG, branch=branch), make_customer(CHAN, branch=branch)
    runs = make_runs((now() - timedelta(days=1)).date())
    judge(wang, runs, vip=True)
    judge(chan, runs, rank=2, stage="declining", reason="overdue", at_risk=True, days=40)
    member = make_member(customer=wang)
    for day in range(1, 40, 5):
        make_purchase(wang, occurred_at=now() - timedelta(days=day), branch=branch)
    with transaction.atomic():
        refresh_search_terms([wang.pk, chan.pk])
    return {"wang": wang, "chan": chan, "branch": branch, "card": member.cards.get().number}


@pytest.fixture
def desk(house, live_server, page_for):
    """Open a page as someone in a role: `desk(role=Role.CASHIER, size="phone")`."""

    def open_desk(*, role=Role.CASHIER, **choices):
        client = Client()
        client.force_login(
            make_staff(role, branches=[house["branch"]]), backend="django.contrib.auth.backends.ModelBackend"
        )
        page = page_for(base_url=live_server.url, **choices)
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        return page

    return open_desk


@pytest.mark.parametrize("typed", ["王", "wangmeiling", "wml", "5432"])
def test_search_box_finds_and_opens_with_the_keyboard(house, desk, typed):
    page = desk()
    page.goto("/customers/")

    page.keyboard.press("/")
    page.keyboard.type(typed)
    page.locator("#shell-suggestions a").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/customers/{house['wang'].number}/")
    assert page.locator("h1").inner_text() == "王美玲"


def test_a_morning_at_the_front_desk(house, desk):
    page = desk()
    page.goto(f"/search/?q={house['card']}")  # the till reads the card
    page.wait_for_url(f"**/customers/{house['wang'].number}/")
    settled(page)

    page.get_by_placeholder("Write a note…").fill("Likes the window seat")
    page.get_by_label("Show at the front desk").check()
    page.get_by_role("button", name="Add note").click()
    page.locator(".toast-note", has_text="The note is kept.").wait_for()
    assert page.locator(".brief").get_by_text("Likes the window seat").is_visible()
    assert page.locator(".events").get_by_text("Note written").is_visible()

    page.get_by_role("link", name="Contacts and consents").click()
    page.locator(".choices label", has_text="refuses it").click()
    page.get_by_label("Over").select_option("phone")
    page.get_by_role("button", name="Record consent").click()
    page.locator(".toast-note", has_text="The consent is recorded.").wait_for()
    assert page.get_by_text("No offers by Phone").is_visible()

    page.get_by_role("link", name="Timeline").click()
    page.get_by_text("Refuses marketing over Phone").wait_for()
    page.locator(".choices label", has_text="Will come").click()
    page.get_by_role("button", name="Log", exact=True).click()
    page.get_by_text("Call: Will come").wait_for()

    assert page.get_by_text("9876 5432").count() == 0
    page.get_by_role("button", name="Show in full").click()
    page.get_by_text("9876 5432").wait_for()

    assert CustomerNote.objects.get().for_front_desk
    assert not Consent.objects.get().granted
    assert AuditEntry.objects.get(operation__endswith="unmask_contact").actor_name == "Cashier"
    assert page.url.endswith("?tab=timeline")


def test_refused_form_keeps_what_was_typed(house, desk):
    page = desk(role=Role.BRANCH_MANAGER)
    page.goto(f"/customers/{house['wang'].number}/?tab=contacts")

    page.get_by_label("Number or address").fill("12")
    page.get_by_role("button", name="Add contact").click()

    page.get_by_text("This is not a phone number.").wait_for()
    assert page.get_by_label("Number or address").input_value() == "12"


def test_contact_is_removed_only_after_a_question(house, desk):
    page = desk(role=Role.BRANCH_MANAGER)
    page.goto(f"/customers/{house['wang'].number}/?tab=contacts")

    page.get_by_role("button", name=re.compile("Remove meiling")).click()
    page.locator("dialog.confirm").get_by_role("button", name="Cancel").click()
    assert house["wang"].contact_points.count() == 2
    page.get_by_role("button", name=re.compile("Remove meiling")).click()
    page.locator("dialog.confirm").get_by_role("button", name="Remove").click()

    page.locator(".toast-note", has_text="The contact is removed.").wait_for()
    assert house["wang"].contact_points.count() == 1


def test_list_filters_saves_a_view_and_exports(house, desk):
    page = desk(role=Role.BRANCH_MANAGER)
    page.goto("/customers/")

    page.locator("summary", has_text="Filter").click()
    page.get_by_role("form", name="Filter").get_by_label("Stage").select_option("declining")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("1 customer", exact=True).wait_for()
    assert "stage=declining" in page.url
    assert page.locator(".customer-rows tr").count() == 1

    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("Slipping away")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".tabs [aria-current]", has_text="Slipping away").wait_for()

    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["Customer", "陳大文"]

    page.get_by_role("link", name="Everyone").click()
    page.get_by_text("2 customers", exact=True).wait_for()


def test_pages_work_without_scripts(house, desk, browser, live_server):
    with_scripts = desk()
    cookies = with_scripts.context.cookies()
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"/customers/{house['wang'].number}/")

    page.get_by_placeholder("Write a note…").fill("Without scripts")
    page.get_by_role("button", name="Add note").click()
    page.locator(".event-body", has_text="Without scripts").wait_for()
    page.get_by_role("link", name="Purchases", exact=True).first.click()

    assert page.get_by_text("Organic milk 1 l").is_visible()
    context.close()


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    [
        ("en", "light", "desktop"),
        ("en", "dark", "phone"),
        ("zh-hant", "dark", "desktop"),
        ("zh-hant", "light", "phone"),
    ],
)
def test_list_and_every_tab_are_accessible_and_fit(house, desk, language, theme, size):
    page = desk(role=Role.BRANCH_MANAGER, language=language, theme=theme, size=size)
    address = f"/customers/{house['wang'].number}/"
    tabs = ("timeline", "purchases", "loyalty", "value", "contacts", "relations", "file")

    for url in (
        "/customers/",
        "/customers/?stage=declining",
        *(f"{address}?tab={tab}" for tab in tabs),
        "/search/?q=王",
    ):
        page.goto(url)
        settled(page)
        assert axe(page) == [], url
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], url
