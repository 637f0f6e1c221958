"""One customer's page: what it shows to whom, what it costs, and what can be written from it."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.core.activities.models import Activity
from patron.core.customers.models import Consent, ContactPoint, Customer, CustomerNote, Relation
from patron.core.customers.testing import CHAN, OUYANG, TAIFUNG, WANG, make_customer
from patron.kernel.clock import now
from patron.kernel.models import AuditEntry
from patron.touchpoints.workspace.tests.customer_pages import make_judged, signed_in

pytestmark = pytest.mark.django_db
TABS = ("timeline", "purchases", "loyalty", "value", "contacts", "relations", "file")


def _page(client: Client, customer: Customer, tab: str = "timeline", **query: str) -> str:
    response = client.get(reverse("customer", args=[customer.number]), {"tab": tab, **query})
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def _post(client: Client, name: str, customer: Customer, form: Mapping[str, object], *more: object):
    return client.post(reverse(name, args=[customer.number, *more]), form)


def test_head_says_who_it_is_and_why() -> None:
    (wang,) = make_judged(1, character=WANG, vip=True)

    html = _page(signed_in(), wang)

    assert "Wang Mei-ling" in html
    assert "A class" in html
    assert "Mature" in html
    assert "Usually comes every 6 days; last came 5 days ago." in html  # four on the day of the run, yesterday
    assert "Number 1 of 100 by sales in the last 12 months, with 0.41\N{NO-BREAK SPACE}% of all sales." in html
    assert "HK$99,999" in html
    assert "Prefers Cantonese, SMS, mornings" in html


@pytest.mark.parametrize("tab", TABS)
def test_contacts_are_in_clear_only_for_roles_that_need_them(tab: str) -> None:
    wang = make_customer(WANG)
    analyst, agent = signed_in(Role.ANALYST), signed_in(Role.SERVICE_AGENT)

    masked, clear = _page(analyst, wang, tab), _page(agent, wang, tab)

    assert "9876 5432" in clear
    assert "meiling@example.com" in clear
    assert "9876 ••••" in masked
    assert "5432" not in masked
    assert "meiling@" not in masked
    assert "1990" not in masked  # the year of birth
    assert "Show in full" not in clear


def test_unmasking_shows_contacts_once_and_is_written_into_the_trail() -> None:
    branch = make_branch()
    wang = make_customer(WANG, branch=branch)
    client = signed_in(Role.CASHIER, branches=[branch])

    assert "Show in full" in _page(client, wang)
    shown = _post(client, "customer-unmask", wang, {}).content.decode()
    again = _page(client, wang)

    assert "9876 5432" in shown
    assert "5432" not in again
    entry = AuditEntry.objects.get(operation__endswith="unmask_contact")
    assert entry.subject == f"customers.customer:{wang.pk}"
    assert "9876" not in str(entry.facts)


def test_unmasking_is_refused_to_roles_that_may_not() -> None:
    wang = make_customer(WANG)

    assert _post(signed_in(Role.ANALYST), "customer-unmask", wang, {}).status_code == 403
    assert not AuditEntry.objects.exists()


def test_customers_of_another_branch_are_not_found() -> None:
    ours, theirs = make_branch("KLN"), make_branch("TST", "尖沙咀 Tsim Sha Tsui")
    chan = make_customer(CHAN, branch=theirs)
    client = signed_in(Role.BRANCH_MANAGER, branches=[ours])

    assert client.get(reverse("customer", args=[chan.number])).status_code == 404
    assert _post(client, "customer-note", chan, {"text": "Hello"}).status_code == 404
    assert not CustomerNote.objects.exists()


def _fill(customer: Customer, count: int) -> None:
    for day in range(count):
        make_purchase(customer, occurred_at=now() - timedelta(days=day))
    for number in range(count):
        ContactPoint.objects.create(customer=customer, kind="wechat", value=f"friend{number}-{customer.pk}")
        CustomerNote.objects.create(customer=customer, text=f"note {number}", for_front_desk=True, written_at=now())


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_costs_the_same_for_little_and_for_much(tab: str) -> None:
    quiet, busy = make_judged(2)
    for customer, count in ((quiet, 1), (busy, 12)):
        make_member(customer=customer)
        _fill(customer, count)
    client = signed_in()
    _page(client, quiet, tab)

    costs = []
    for customer in (quiet, busy):
        with CaptureQueriesContext(connection) as caught:
            _page(client, customer, tab)
        costs.append(len(caught))

    assert costs[0] == costs[1] <= 30


def test_fragment_is_the_customer_alone() -> None:
    chan = make_customer(CHAN)

    html = signed_in().get(reverse("customer", args=[chan.number]), headers={"HX-Request": "true"}).content.decode()

    assert html.strip().startswith('<div id="customer"')


def test_timeline_tells_purchases_with_their_points_and_filters_by_topic() -> None:
    chan = make_customer(CHAN)
    make_member(customer=chan)
    make_purchase(chan, occurred_at=now() - timedelta(days=40))
    client = signed_in()
    _post(client, "customer-note", chan, {"text": "Asked about the bakery."})

    everything, purchases = _page(client, chan), _page(client, chan, topic="purchases")

    assert "HK$63.00" in everything
    assert "+63 points" in everything
    assert "Asked about the bakery." in everything
    assert "HK$63.00" in purchases
    assert "Asked about the bakery." not in purchases


def test_older_events_follow_page_by_page() -> None:
    chan = make_customer(CHAN)
    for day in range(35):
        make_purchase(chan, occurred_at=now() - timedelta(days=day))
    client = signed_in()

    first = client.get(reverse("customer", args=[chan.number]))
    second = client.get(first.context["older_url"])

    assert [len(response.context["events"]) for response in (first, second)] == [30, 5]
    assert second.context["older_url"] == ""


def test_receipt_shows_lines_and_points_with_the_reason() -> None:
    chan = make_customer(CHAN)
    make_member(customer=chan)
    purchase = make_purchase(chan, occurred_at=now() - timedelta(days=2))

    html = _page(signed_in(), chan, "purchases", purchase=str(purchase.pk))

    assert "Organic milk 1 l" in html
    assert "+63 points" in html
    assert "63.00 paid holds 63 whole × 1.00; × 1 = 63 points." in html


def test_receipt_of_somebody_else_is_not_found() -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    purchase = make_purchase(wang)

    answer = signed_in().get(
        reverse("customer", args=[chan.number]), {"tab": "purchases", "purchase": str(purchase.pk)}
    )

    assert answer.status_code == 404


def test_loyalty_tab_has_statement_balance_and_expiry() -> None:
    chan = make_customer(CHAN)
    membership = make_member(customer=chan)
    make_purchase(chan, occurred_at=now() - timedelta(days=2))

    html = _page(signed_in(), chan, "loyalty")

    assert membership.cards.get().number[:4] in html
    assert html.count(">63<") >= 2  # the running balance, and what expires
    assert "Not a member" in _page(signed_in(username="two"), make_customer(WANG), "loyalty")


def test_note_is_kept_and_shown_at_the_front_desk() -> None:
    chan = make_customer(CHAN)
    client = signed_in()

    answer = _post(client, "customer-note", chan, {"text": "Allergic to nuts", "for_front_desk": "on"})

    assert answer.status_code == 302
    assert "Allergic to nuts" in _page(client, chan, "value")
    _post(client, "customer-note-archive", chan, {}, CustomerNote.objects.get().pk)
    assert "Allergic to nuts" not in _page(client, chan, "value")


def test_empty_note_comes_back_with_words_and_changes_nothing() -> None:
    chan = make_customer(CHAN)

    answer = _post(signed_in(), "customer-note", chan, {"text": " "})

    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    assert not CustomerNote.objects.exists()


def test_call_is_logged_with_its_outcome_and_note() -> None:
    chan = make_customer(CHAN)
    client = signed_in()

    _post(client, "customer-call", chan, {"way": "call", "outcome": "will_come", "text": "Tomorrow at ten"})

    call = Activity.objects.get(kind="contact.called")
    assert call.facts == {"outcome": "will_come", "by": "Administrator"}
    html = _page(client, chan, topic="contact")
    assert "Call: Will come" in html
    assert "Tomorrow at ten" in _page(client, chan)


def test_call_without_outcome_is_refused() -> None:
    chan = make_customer(CHAN)

    assert _post(signed_in(), "customer-call", chan, {"way": "call"}).status_code == 422
    assert not Activity.objects.filter(kind="contact.called").exists()


def test_consent_is_recorded_and_refusal_stands_on_the_brief() -> None:
    chan = make_customer(CHAN)
    client = signed_in()
    form = {"purpose": "marketing", "channel": "sms", "granted": "no", "source": "phone call"}

    _post(client, "customer-consent", chan, form)

    consent = Consent.objects.get()
    assert (consent.granted, consent.source) == (False, "phone call")
    html = _page(client, chan)
    assert "No offers by SMS" in html
    assert "Refuses marketing over SMS" in html


def test_contacts_are_added_checked_and_removed() -> None:
    chan = make_customer(CHAN)
    client = signed_in()

    refused = _post(client, "customer-contact", chan, {"kind": "phone", "value": "12"})
    added = _post(client, "customer-contact", chan, {"kind": "phone", "value": "9000 1111", "label": "work"})

    assert refused.status_code == 422
    assert "This is not a phone number." in refused.content.decode()
    assert added.status_code == 302
    point = ContactPoint.objects.get(value="+85290001111")
    _post(client, "customer-contact-remove", chan, {}, point.pk)
    assert not ContactPoint.objects.filter(pk=point.pk).exists()


def _details(customer: Customer, **changes: str) -> dict[str, object]:
    fields = ("name", "family_name", "given_name", "latin_name", "kind", "sex", "occupation", "language", "preferences")
    return {**{name: getattr(customer, name) for name in fields}, "preferred_channel": "", **changes}


def test_details_are_changed_and_listed_for_those_who_may_read_the_trail() -> None:
    chan = make_customer(CHAN)
    client = signed_in()

    answer = _post(client, "customer-details", chan, _details(chan, occupation="Pilot", birth_on="1981-03-06"))

    chan.refresh_from_db()
    assert answer.status_code == 302
    assert (chan.occupation, chan.birth_on) == ("Pilot", CHAN.birth_on)
    assert "Changed details" in _page(client, chan, "file")
    assert "Who changed or looked" not in _page(signed_in(Role.SERVICE_AGENT), chan, "file")


def test_who_does_not_see_the_birthday_does_not_lose_it() -> None:
    chan = make_customer(CHAN)

    _post(signed_in(Role.MARKETER), "customer-details", chan, _details(chan, occupation="Pilot"))

    chan.refresh_from_db()
    assert (chan.occupation, chan.birth_on) == ("Pilot", CHAN.birth_on)


def test_relation_leads_both_ways_and_ends() -> None:
    firm, person = make_customer(TAIFUNG), make_customer(OUYANG)
    client = signed_in()

    missing = _post(client, "customer-relation", person, {"kind": "key_person", "other": "C999"})
    _post(client, "customer-relation", person, {"kind": "key_person", "other": firm.number, "role": "Purchasing"})

    assert missing.status_code == 422
    assert f'href="/customers/{person.number}/"' in _page(client, firm, "relations")
    assert f'href="/customers/{firm.number}/"' in _page(client, person, "relations")
    _post(client, "customer-relation-end", firm, {}, Relation.objects.get().pk)
    assert not Relation.objects.exists()


def test_value_tab_gives_numbers_and_rules() -> None:
    (chan,) = make_judged(1)

    html = _page(signed_in(), chan, "value")

    assert "5 of 5" in html
    assert "A class: the fewest customers who together bring 80\N{NO-BREAK SPACE}% of sales." in html
    assert "At the end of last month" in html
    assert "B class" in html


@pytest.mark.parametrize("tab", TABS)
def test_somebody_new_has_a_page_that_says_what_to_do(tab: str) -> None:
    nobody = Customer.objects.create(number="C0000001")

    assert "C0000001" in _page(signed_in(), nobody, tab)


@pytest.mark.parametrize(
    "query", ["before=yesterday", "before=2026-01-01T00:00:00%2B00:00~x", "tab=purchases&before=~"]
)
def test_broken_position_is_refused_in_words(query: str) -> None:
    chan = make_customer(CHAN)

    assert signed_in().get(f"/customers/{chan.number}/?{query}").status_code == 422


def test_photo_is_kept_and_shown_to_those_who_may_see_the_customer(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    ours, theirs = make_branch("KLN"), make_branch("TST", "尖沙咀 Tsim Sha Tsui")
    chan = make_customer(CHAN, branch=ours)
    client, stranger = signed_in(), signed_in(Role.CASHIER, branches=[theirs])
    address = reverse("customer-photo", args=[chan.number])
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 20

    missing = client.get(address)
    refused = client.post(address, {"photo": SimpleUploadedFile("page.html", b"<script>")})
    kept = client.post(address, {"photo": SimpleUploadedFile("me.png", picture)})

    assert (missing.status_code, refused.status_code, kept.status_code) == (404, 422, 302)
    shown = client.get(address)
    assert (shown["Content-Type"], shown.getvalue()) == ("image/png", picture)
    assert f'src="{address}"' in _page(client, chan)
    assert stranger.get(address).status_code == 404
