"""A manager's morning, and a file that goes in: in a real browser, in three languages, light and dark, on a phone."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from patron_browser import axe, settled
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from patron.business.purchases.testing import make_purchase
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import PASSWORD, make_branch, make_staff
from patron.core.customers.models import Customer
from patron.core.customers.testing import APPLEBY, CHAN, LI, WANG, make_customer
from patron.intelligence.insights.refresh import refresh
from patron.kernel.clock import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
]


@pytest.fixture
def house(transactional_db, tmp_path, settings):
    """Four customers of one branch who have bought for a year; Chan, the best of them, has stopped coming."""
    settings.WAREHOUSE_DIRECTORY = tmp_path / "warehouse"
    settings.IMPORT_DIRECTORY = tmp_path / "imports"
    branch = make_branch()
    wang, chan, li, appleby = (make_customer(who, branch=branch) for who in (WANG, CHAN, LI, APPLEBY))
    for week in range(1, 50):
        make_purchase(wang, occurred_at=now() - timedelta(weeks=week), branch=branch)
        if week > 4:
            for _ in range(3):
                make_purchase(chan, occurred_at=now() - timedelta(weeks=week), branch=branch)
        if week % 4 == 0:
            make_purchase(li, occurred_at=now() - timedelta(weeks=week), branch=branch)
    make_purchase(appleby, occurred_at=now() - timedelta(days=3), branch=branch)
    refresh(now=now())
    return {"branch": branch, "chan": chan}


@pytest.fixture
def open_as(live_server, page_for):
    """Open pages as someone in a role: `open_as(Role.EXECUTIVE, size="phone")`."""

    def start(role, **choices):
        client = Client()
        client.force_login(make_staff(role), backend="django.contrib.auth.backends.ModelBackend")
        page = page_for(base_url=live_server.url, **choices)
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        return page

    return start


def _work(*, after: int = 0) -> int:
    """Do, as the worker would, the imports that were deferred after job `after`; the last of them."""
    last = after
    for waiting in ProcrastinateJob.objects.filter(queue_name="imports", id__gt=after).order_by("id"):
        app.tasks[waiting.task_name](**waiting.args)
        last = waiting.pk
    return last


def test_someone_signs_in_and_sees_whom_to_call(house, live_server, page_for):
    make_staff(Role.EXECUTIVE)
    page = page_for(base_url=live_server.url)
    page.goto("/")
    assert "/sign-in/" in page.url
    page.fill("input[name=username]", "executive")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")

    assert page.locator(".answer").inner_text().startswith("1 VIP worth HK$")
    assert "陳大文" in page.locator("section.panel", has_text="Call today").inner_text()


def test_the_vip_report_leads_to_the_customer(house, open_as):
    page = open_as(Role.EXECUTIVE)
    page.goto("/insight/vips/")

    assert page.locator(".answer").inner_text().startswith("1 customers (20 %) bring")
    page.click("tbody a:has-text('陳大文')")
    page.wait_for_url("**/customers/*/")
    assert "陳大文" in page.title()


def test_every_number_of_the_inventory_opens_its_customers(house, open_as):
    page = open_as(Role.EXECUTIVE)
    page.goto("/insight/inventory/")
    row = page.locator("tr", has=page.locator("th", has_text="Mature"))
    closing = row.locator("td.num a").last
    number = int(closing.inner_text())
    closing.click()
    page.wait_for_url("**/customers/?from_report=inventory*")

    assert number > 0
    assert page.locator("tbody tr").count() == number
    assert "Mature" in page.locator("main").inner_text()


def test_a_file_goes_in_and_its_bad_rows_come_back(house, open_as, tmp_path: Path):
    file = tmp_path / "會員.csv"
    file.write_bytes(
        (
            "會員編號,姓名,電話,生日\nM1,何美美,61112222,1990-05-06\n"
            "M2,郭小強,62223333,1985/7/8\nM3,鄧麗,63334444,not a day\n"
        ).encode("big5")
    )
    page = open_as(Role.MARKETER)
    page.goto("/settings/imports/")
    page.select_option("select[name=importer]", "customers")
    page.set_input_files("input[name=file]", file)
    page.click("main button[type=submit]:has-text('Upload')")
    page.wait_for_url("**/settings/imports/*/")
    checked = _work()
    page.goto(page.url)
    settled(page)
    words = page.locator("main").inner_text()
    assert "big5" in words.lower() or "cp950" in words.lower()
    assert "Import 2 rows" in words
    assert "not a day" in words
    before = Customer.objects.count()
    page.click("button:has-text('Import 2 rows')")
    page.wait_for_url("**/settings/imports/*/")
    _work(after=checked)
    page.goto(page.url)
    settled(page)

    assert Customer.objects.count() == before + 2
    assert "Done" in page.locator("main").inner_text()
    with page.expect_download() as got:
        page.click("a:has-text('Download the rows')")
    assert "not a day" in Path(got.value.path()).read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    [
        ("en", "light", "desktop"),
        ("zh-hant", "dark", "phone"),
        ("zh-hans", "light", "phone"),
        ("zh-hant", "dark", "desktop"),
    ],
)
def test_no_page_shuts_anybody_out(house, open_as, language, theme, size):
    page = open_as(Role.ADMINISTRATOR, language=language, theme=theme, size=size)
    for address in ("/", "/insight/vips/", "/insight/inventory/", "/settings/imports/"):
        page.goto(address)
        settled(page)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{address} scrolls sideways"
