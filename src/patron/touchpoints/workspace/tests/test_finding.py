"""The search box, its suggestions, and registering somebody new."""

import pytest
from django.urls import reverse

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.core.customers.models import Consent, Customer
from patron.core.customers.testing import CHAN, WANG
from patron.touchpoints.workspace.tests.customer_pages import make_judged, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["王", "美玲", "wangmeiling", "wml", "5432"])
def test_suggestions_find_by_character_pinyin_initials_and_phone_tail(typed: str) -> None:
    (wang,) = make_judged(1, character=WANG)

    html = signed_in().get(reverse("search-suggest"), {"q": typed}, headers={"HX-Request": "true"}).content.decode()

    assert f'href="/customers/{wang.number}/"' in html
    assert "Mature" in html


def test_suggestions_mask_phones() -> None:
    make_judged(1, character=WANG)

    html = signed_in(Role.CASHIER, branches=[]).get(reverse("search-suggest"), {"q": "王"}).content.decode()
    analyst = signed_in(Role.ANALYST).get(reverse("search-suggest"), {"q": "王"}).content.decode()

    assert "Nobody found" in html  # a cashier of no branch sees nobody
    assert "9876 ••••" in analyst
    assert "5432" not in analyst


def test_whole_number_opens_the_customer_at_once() -> None:
    (chan,) = make_judged(1)

    answer = signed_in().get(reverse("search"), {"q": chan.number.lower()})

    assert (answer.status_code, answer["Location"]) == (302, f"/customers/{chan.number}/")


def test_search_for_nobody_says_what_to_try() -> None:
    html = signed_in().get(reverse("search"), {"q": "zzz"}).content.decode()

    assert "Nobody found for “zzz”" in html
    assert 'href="/customers/new/?name=zzz"' in html


def test_register_puts_somebody_on_file_with_consent() -> None:
    branch = make_branch()
    client = signed_in(Role.CASHIER, branches=[branch])

    answer = client.post(
        reverse("customer-register"),
        {"name": "黃小華", "phone": "9123 4567", "language": "zh-hant", "allows_sms": "on"},
    )

    customer = Customer.objects.get()
    assert answer["Location"] == f"/customers/{customer.number}/"
    assert (customer.name, customer.home_branch, customer.language) == ("黃小華", branch, "zh-hant")
    assert customer.contact_points.get().value == "+85291234567"
    assert Consent.objects.get().granted


def test_register_shows_who_has_the_phone_already_and_does_it_when_told_so() -> None:
    (chan,) = make_judged(1, character=CHAN)
    client = signed_in()
    form = {"name": "陳太", "phone": "6123 4567"}

    asked = client.post(reverse("customer-register"), form)

    assert asked.status_code == 409
    assert chan.number in asked.content.decode()
    assert Customer.objects.count() == 1
    assert client.post(reverse("customer-register"), {**form, "anyway": "yes"}).status_code == 302
    assert Customer.objects.count() == 2


@pytest.mark.parametrize(
    ("form", "words"),
    [({"name": "", "phone": ""}, "Give a name"), ({"name": "陳", "phone": "12"}, "not a phone number")],
)
def test_register_says_what_is_wrong_beside_the_field(form: dict[str, str], words: str) -> None:
    answer = signed_in().post(reverse("customer-register"), form)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Customer.objects.exists()
