"""Making a key and reading the reference, in a real browser."""

import json
import re
import urllib.error
import urllib.request

import pytest
from django.conf import settings
from django.test import Client
from patron_browser import axe, settled

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _ask(address, token):
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (the live server's own address)
        return json.load(answer)


@pytest.mark.parametrize(("language", "size", "theme"), [("en", "desktop", "light"), ("zh-hant", "phone", "dark")])
def test_the_reference_is_readable_without_breaking_the_policy(live_server, page_for, language, size, theme):
    page = page_for(language=language, size=size, theme=theme, base_url=live_server.url)
    page.goto("/api/v1/docs")

    settled(page)
    page.locator("#create_purchase summary").first.click()

    assert page.locator("#create_purchase code", has_text="lines[].quantity").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert axe(page) == []


def test_an_administrator_makes_a_key_that_works_and_revokes_it(live_server, page_for):
    make_branch("KLN")
    client = Client()
    client.force_login(make_staff(Role.ADMINISTRATOR), backend="django.contrib.auth.backends.ModelBackend")
    page = page_for(base_url=live_server.url)
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto("/settings/keys/")
    assert axe(settled(page)) == []

    page.get_by_label("Name").fill("Web shop")
    page.get_by_label("See branches").check()
    page.get_by_role("button", name="Make the key").click()
    token = page.get_by_label("New key").input_value()

    assert re.fullmatch(r"pk_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", token)
    assert axe(settled(page)) == []
    assert [branch["code"] for branch in _ask(f"{live_server.url}/api/v1/branches", token)["items"]] == ["KLN"]

    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("is revoked").wait_for()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        _ask(f"{live_server.url}/api/v1/branches", token)
