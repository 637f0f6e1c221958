"""The shared parts in a real browser, under the real security policy."""

import json

import pytest
from patron_browser import axe, settled
from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server():
    """A live server without a database: the frame needs none, and clearing one after each test takes a second."""
    started = LiveServer("localhost")
    yield started
    started.stop()


@pytest.fixture
def guide(settings, server, page_for):
    """Open the style guide."""
    settings.DEBUG = True

    def open_guide(**choices):
        page = page_for(**choices)
        page.goto(f"{server.url}/-/ui/")
        return settled(page)

    return open_guide


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_part_is_accessible_and_fits(guide, theme, size):
    page = guide(theme=theme, size=size)

    assert page.locator("canvas").count() == 7
    assert axe(page, impacts=("minor", "moderate", "serious", "critical")) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize(("asked", "given"), [("en", "en"), ("zh-hant", "zh-Hant"), ("zh-hans", "zh-Hans")])
def test_language_of_the_page_is_named_for_fonts_and_readers(guide, asked, given):
    assert guide(language=asked).locator("html").get_attribute("lang") == given


def test_language_switch_changes_the_page_and_is_kept(guide):
    page = guide()

    page.locator(".shell-bar .shell-languages button[value=zh-hans]").click()
    page.reload()

    assert page.locator("html").get_attribute("lang") == "zh-Hans"


def test_theme_changes_at_once_is_kept_and_recolours_charts(guide):
    page = guide(theme="light")
    html = page.locator("html")
    before = page.locator("canvas").first.evaluate("c => c.toDataURL()")

    with page.expect_response("**/-/theme/"):
        page.locator(".shell-bar [data-controller=theme]").click()

    assert html.get_attribute("data-bs-theme") == "dark"
    assert page.locator("canvas").first.evaluate("c => c.toDataURL()") != before
    page.reload()
    assert html.get_attribute("data-bs-theme") == "dark"


def test_click_on_a_bar_goes_to_its_address(guide):
    page = guide()
    picture = page.locator(".chart-picture").first
    width = picture.bounding_box()["width"]

    for across in (0.5, 0.52, 0.54):  # a bar or the gap beside it
        picture.click(position={"x": width * across, "y": 200})

    assert page.url.endswith("#week")


def test_confirm_asks_first_and_cancel_sends_nothing(guide):
    page = guide()
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    dialog = page.locator("dialog.confirm")

    page.get_by_role("button", name="Delete").click()
    assert "It can be undone for 30 days" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert "POST" not in sent

    page.get_by_role("button", name="Delete").click()
    with page.expect_navigation():
        dialog.get_by_role("button", name="Delete").click()
    assert page.get_by_text("This field is required.").first.is_visible()


def test_toasts_show_words_of_the_server_and_of_refusals_and_can_be_closed(guide):
    page = guide()
    problem = {"detail": "This card is already in use."}
    page.route(
        "**/refused", lambda r: r.fulfill(status=409, content_type="application/problem+json", body=json.dumps(problem))
    )
    page.route(
        "**/done",
        lambda r: r.fulfill(
            status=200,
            headers={"HX-Trigger": json.dumps({"patron:toast": {"toasts": [{"text": "已儲存", "level": "success"}]}})},
            body="",
        ),
    )

    page.evaluate("htmx.ajax('GET', '/refused', {swap: 'none'})")
    page.evaluate("htmx.ajax('GET', '/done', {swap: 'none'})")

    page.get_by_text("This card is already in use.").wait_for()
    page.get_by_text("已儲存").wait_for()
    page.locator(".toast-note", has_text="already in use").get_by_role("button").click()
    assert page.get_by_text("This card is already in use.").count() == 0


def test_selection_counts_rows_and_offers_actions(guide):
    page = guide()
    actions = page.locator("[data-selection-target=actions]")
    assert not actions.is_visible()

    page.get_by_label("Choose all on this page").check()
    page.get_by_label("Choose 王美玲").uncheck()

    assert actions.inner_text().startswith("4 chosen")


def test_pages_work_without_scripts(settings, server, browser):
    settings.DEBUG = True
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/-/ui/")

    page.locator(".shell-bar form[action='/-/theme/'] button").click()

    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.locator("summary", has_text="Show the numbers").first.click()
    assert page.get_by_role("cell", name="HK$81,200").first.is_visible()
    context.close()
