"""Who may open a page, what a refusal looks like, and what the frame shows."""

import json

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpResponse
from django.test import RequestFactory

from patron.kernel.actor import ANONYMOUS, Actor
from patron.kernel.errors import Conflict, PermissionRefused
from patron.kernel.ui import navigation
from patron.kernel.ui.middleware import DomainErrorMiddleware
from patron.kernel.ui.navigation import Area, NavItem
from patron.kernel.ui.pages import page, toast
from patron.kernel.ui.shell import BRANCH_COOKIE, THEME_COOKIE, BranchChoice, Shell, chosen_branch

STAFF = Actor(kind="staff", name="陳大文", id=1, permissions=frozenset({"customers.view"}))
HTMX = {"HTTP_HX_REQUEST": "true"}


def request_by(actor, path="/", **headers):
    request = RequestFactory().get(path, **headers)
    request.actor = actor
    request.session = {}
    request._messages = FallbackStorage(request)
    return request


@page(permission="customers.view")
def customers(request):
    return HttpResponse("fragment" if request.is_fragment else "page")


@page(permission="customers.manage")
def locked(request):
    raise AssertionError("must not run")


@page(public=True)
def open_to_all(request):
    return HttpResponse("hello")


def refuse(request, error):
    return DomainErrorMiddleware(lambda _: HttpResponse()).process_exception(request, error)


def test_page_carries_its_declaration():
    assert customers.page.permission == "customers.view"
    assert open_to_all.page.public


def test_public_page_with_a_permission_is_refused():
    with pytest.raises(ValueError, match="public page needs no permission"):
        page(permission="customers.view", public=True)


def test_page_opens_for_who_holds_the_permission_and_is_not_shared_by_caches():
    response = customers(request_by(STAFF))

    assert response.content == b"page"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "HX-Request" in response.headers["Vary"]


def test_page_gives_htmx_the_fragment_but_boosted_and_restored_requests_the_page():
    assert customers(request_by(STAFF, **HTMX)).content == b"fragment"
    assert customers(request_by(STAFF, **HTMX, HTTP_HX_BOOSTED="true")).content == b"page"
    assert customers(request_by(STAFF, **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")).content == b"page"


def test_page_sends_nobody_to_sign_in_and_back(settings):
    settings.LOGIN_URL = "/sign-in/"

    whole = customers(request_by(ANONYMOUS, "/customers/?q=x"))
    fragment = customers(request_by(ANONYMOUS, **HTMX))

    assert (whole.status_code, whole.headers["Location"]) == (302, "/sign-in/?next=/customers/%3Fq%3Dx")
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, "/sign-in/")


def test_public_page_opens_for_nobody():
    assert open_to_all(request_by(ANONYMOUS)).status_code == 200


def test_page_refuses_who_lacks_the_permission_before_the_view_runs():
    with pytest.raises(PermissionRefused) as refusal:
        locked(request_by(STAFF))

    assert refusal.value.details == {"permission": "customers.manage"}


def test_refusal_of_a_fragment_is_problem_json_with_the_same_words():
    response = refuse(request_by(STAFF, **HTMX), Conflict("This card is already in use."))

    assert (response.status_code, response.headers["Content-Type"]) == (409, "application/problem+json")
    assert json.loads(response.content) == {
        "type": "urn:patron:problem:conflict",
        "title": "This card is already in use.",
        "status": 409,
        "detail": "This card is already in use.",
        "code": "conflict",
    }


def test_refusal_of_a_page_says_the_words_and_the_way_back():
    request = request_by(STAFF, "/cards/new", HTTP_REFERER="http://testserver/customers/")

    response = refuse(request, Conflict("Card <1> is in use."))

    assert response.status_code == 409
    assert "Card &lt;1&gt; is in use." in response.content.decode()
    assert 'href="http://testserver/customers/"' in response.content.decode()


def test_refusal_offers_no_way_back_to_another_site():
    response = refuse(request_by(STAFF, HTTP_REFERER="https://evil.example/"), Conflict("No."))

    assert "evil.example" not in response.content.decode()


def test_other_exceptions_are_left_alone():
    assert refuse(request_by(STAFF), ValueError("a bug")) is None


def test_messages_of_a_fragment_travel_as_toasts():
    @page()
    def save(request):
        from django.contrib import messages

        messages.success(request, "已儲存")
        return toast(HttpResponse(), "Sent", level="info")

    response = save(request_by(STAFF, **HTMX))

    assert response.headers["HX-Trigger"].isascii()
    assert json.loads(response.headers["HX-Trigger"]) == {
        "patron:toast": {"toasts": [{"text": "Sent", "level": "info"}, {"text": "已儲存", "level": "success"}]}
    }


def test_navigation_shows_only_areas_with_a_permitted_page():
    registered = [
        NavItem(Area.INSIGHT, "Guide", "style-guide", order=20),
        NavItem(Area.CUSTOMERS, "Locked", "choose-theme", permission="customers.manage"),
        NavItem(Area.INSIGHT, "First", "choose-branch", permission="customers.view", order=10),
    ]

    areas = navigation.areas_for(STAFF, path="/-/ui/", registered=registered)

    assert [(area.key, area.url, area.current) for area in areas] == [("insight", "/-/branch/", True)]
    assert [(item.label, item.current) for item in areas[0].items] == [("First", False), ("Guide", True)]


def test_navigation_marks_the_longest_address_above_the_page_or_the_one_named():
    registered = [NavItem(Area.HOME, "Guide", "style-guide"), NavItem(Area.SALES, "Theme", "choose-theme")]

    below = navigation.areas_for(STAFF, path="/-/theme/12/", registered=registered)
    named = navigation.areas_for(STAFF, path="/-/theme/12/", url_name="style-guide", registered=registered)

    assert [area.key for area in below if area.current] == ["sales"]
    assert [area.key for area in named if area.current] == ["home"]


def test_shell_theme_is_only_what_exists():
    for cookie, theme in (("dark", "dark"), ("light", "light"), ("<script>", ""), ("", "")):
        request = request_by(STAFF)
        request.COOKIES[THEME_COOKIE] = cookie
        assert Shell(request).theme == theme


def test_chosen_branch_must_be_one_that_the_actor_sees():
    choices = [BranchChoice(1, "Mong Kok"), BranchChoice(2, "Sha Tin")]
    request = request_by(STAFF)

    assert chosen_branch(request, choices) is None
    assert chosen_branch(request, choices[:1]) == choices[0]
    request.COOKIES[BRANCH_COOKIE] = "2"
    assert chosen_branch(request, choices) == choices[1]
    request.COOKIES[BRANCH_COOKIE] = "77"
    assert chosen_branch(request, choices) is None


def test_nobody_sees_no_navigation_and_no_branches():
    shell = Shell(request_by(ANONYMOUS))

    assert (shell.signed_in, shell.areas, shell.branches) == (False, [], [])
