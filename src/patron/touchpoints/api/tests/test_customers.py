"""Customers over the API."""

from typing import Any

import pytest

from patron.core.accounts.testing import make_branch
from patron.core.customers.models import Consent, Customer
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import CAST, CHAN, WANG, make_customer
from patron.kernel.models import AuditEntry
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

NEW = {
    "family_name": "黃",
    "given_name": "嘉欣",
    "latin_name": "Wong Ka Yan",
    "sex": "female",
    "birth_on": "1988-02-29",
    "language": "zh-hant",
    "home_branch": "KLN",
    "registered_on": "2026-03-01",
    "phone": "9123 4567",
    "email": "KaYan@Example.com",
    "external_ids": [{"source": "web-shop", "value": "10042"}],
    "source": "web-shop",
}


def _numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [customer["number"] for customer in answer.json()["items"]]


def test_registering_puts_somebody_on_file(caller: Caller) -> None:
    make_branch("KLN")

    answer = caller.post("/customers", NEW)

    body = answer.json()
    assert answer.status_code == 201, body
    assert answer.headers["Location"] == f"/api/v1/customers/{body['number']}"
    assert body == {
        "number": Customer.objects.get().number,
        "kind": "individual",
        "status": "active",
        "name": "黃嘉欣",
        "family_name": "黃",
        "given_name": "嘉欣",
        "latin_name": "Wong Ka Yan",
        "sex": "female",
        "birth_on": "1988-02-29",
        "occupation": "",
        "language": "zh-hant",
        "preferred_channel": "",
        "preferences": "",
        "home_branch": "KLN",
        "registered_on": "2026-03-01",
        "masked": False,
        "contacts": [
            {"kind": "email", "value": "kayan@example.com", "label": "", "is_primary": True, "source": "web-shop"},
            {"kind": "phone", "value": "+85291234567", "label": "", "is_primary": True, "source": "web-shop"},
        ],
        "external_ids": [{"source": "web-shop", "value": "10042"}],
        "consents": [],
    }
    assert caller.get(f"/customers/{body['number']}").json() == body


def test_registering_is_audited_without_personal_data(caller: Caller) -> None:
    make_branch("KLN")
    caller.post("/customers", NEW)

    entry = AuditEntry.objects.get(operation="core.customers.registering.register_customer")
    assert entry.actor == f"integration:{caller.key.pk}"
    assert "9123" not in str(entry.facts)
    assert "黃" not in str(entry.facts)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"home_branch": "MOON"}, "home_branch", "invalid_input"),
        ({"phone": "12"}, "phone", "invalid_input"),
        ({"email": "nobody"}, "email", "invalid_input"),
        ({"kind": "alien"}, "kind", "not_a_choice"),
        ({"birth_on": "1988-02-30"}, "birth_on", "not_a_date"),
        ({"nickname": "x"}, "nickname", "unknown_field"),
        ({"name": "a\x00b"}, "name", "unprintable"),
        ({"name": "x" * 201}, "name", "too_long"),
        (
            {"external_ids": [{"source": "a", "value": "1"}, {"source": "a", "value": "2"}]},
            "external_ids",
            "invalid_input",
        ),
    ],
)
def test_what_is_not_valid_is_named_and_nobody_is_registered(
    caller: Caller, changes: dict[str, object], field: str, code: str
) -> None:
    make_branch("KLN")

    answer = caller.post("/customers", {**NEW, **changes})

    assert answer.status_code == 422, answer.content
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert not Customer.objects.exists()


def test_a_number_of_another_system_belongs_to_one_customer(caller: Caller) -> None:
    make_branch("KLN")
    caller.post("/customers", NEW)

    answer = caller.post("/customers", {**NEW, "phone": "", "email": ""})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert Customer.objects.count() == 1


def test_changing_leaves_the_rest(caller: Caller) -> None:
    customer = make_customer(WANG, branch=make_branch("KLN"))

    answer = caller.patch(f"/customers/{customer.number}", {"occupation": "Architect", "birth_on": None})

    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["occupation"], body["birth_on"], body["name"], body["home_branch"]) == (
        "Architect",
        None,
        "王美玲",
        "KLN",
    )


def test_a_contact_added_twice_is_there_once(caller: Caller) -> None:
    customer = make_customer(CHAN)
    contact = {"kind": "email", "value": "Second@Example.com", "primary": True}

    first = caller.post(f"/customers/{customer.number}/contacts", contact)
    caller.post(f"/customers/{customer.number}/contacts", contact)

    assert first.status_code == 201
    assert first.json() == {
        "kind": "email", "value": "second@example.com", "label": "", "is_primary": True, "source": "",
    }  # fmt: skip
    emails = [c for c in caller.get(f"/customers/{customer.number}").json()["contacts"] if c["kind"] == "email"]
    assert [(c["value"], c["is_primary"]) for c in emails] == [
        ("second@example.com", True),
        ("taiman.chan@example.com", False),
    ]


def test_the_latest_consent_counts(caller: Caller) -> None:
    customer = make_customer(CHAN)
    address = f"/customers/{customer.number}/consents"
    said = {"purpose": "marketing", "channel": "sms", "granted": True, "source": "web form"}

    caller.post(address, {**said, "given_at": "2026-01-02T10:00:00+08:00"})
    answer = caller.post(address, {**said, "granted": False, "given_at": "2026-01-05T10:00:00+08:00"})

    assert answer.status_code == 201
    assert Consent.objects.count() == 2
    assert caller.get(f"/customers/{customer.number}").json()["consents"] == [
        {
            "purpose": "marketing",
            "channel": "sms",
            "granted": False,
            "given_at": "2026-01-05T02:00:00Z",
            "source": "web form",
        }
    ]


def test_a_consent_in_the_future_is_refused(caller: Caller) -> None:
    customer = make_customer(CHAN)
    said = {
        "purpose": "marketing",
        "channel": "sms",
        "granted": True,
        "source": "x",
        "given_at": "2199-01-02T10:00:00Z",
    }

    answer = caller.post(f"/customers/{customer.number}/consents", said)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "given_at"
    assert not Consent.objects.exists()


def test_external_ids_find_their_customer(caller: Caller) -> None:
    chan, _wang = make_customer(CHAN), make_customer(WANG)

    added = caller.post(f"/customers/{chan.number}/external-ids", {"source": "erp", "value": "77"})

    assert (added.status_code, added.json()) == (201, {"source": "erp", "value": "77"})
    found = caller.get("/customers", {"external_source": "erp", "external_value": "77"})
    assert _numbers(found) == [chan.number]
    assert caller.get("/customers", {"external_source": "erp"}).status_code == 422


def test_a_key_without_the_scope_for_personal_data_gets_it_masked(make_caller: CallerMaker) -> None:
    customer = make_customer(CHAN)

    body = make_caller("customers.view").get(f"/customers/{customer.number}").json()

    assert body["masked"] is True
    assert body["birth_on"] is None
    assert [contact["value"] for contact in body["contacts"]] == ["t•••@…", "6123 ••••"]


def test_searching_gives_the_best_matches(caller: Caller) -> None:
    customers = {character.key: make_customer(character) for character in CAST}
    refresh_search_terms([customer.pk for customer in customers.values()])

    assert _numbers(caller.get("/customers", {"search": "王美"})) == [customers["wang"].number]
    assert _numbers(caller.get("/customers", {"search": "4567"})) == [customers["chan"].number]
    assert _numbers(caller.get("/customers", {"search": "nobody at all"})) == []


def test_identifying_finds_customers_of_other_branches_too(make_caller: CallerMaker) -> None:
    kowloon, central = make_branch("KLN"), make_branch("CTL", "Central")
    customer = make_customer(CHAN, branch=central)
    till = make_caller("customers.view", branch=kowloon)

    answer = till.post("/identify", {"code": "+852 6123 4567"})

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "number": customer.number,
            "name": "陳大文",
            "kind": "individual",
            "status": "active",
            "language": "zh-hant",
            "home_branch": "CTL",
        },
    )
    assert till.post("/identify", {"code": "+852 6000 0000"}).status_code == 404
    assert till.get(f"/customers/{customer.number}").status_code == 404


def test_a_key_bound_to_a_branch_sees_and_registers_its_own_customers(make_caller: CallerMaker) -> None:
    kowloon, central = make_branch("KLN"), make_branch("CTL", "Central")
    ours, theirs = make_customer(CHAN, branch=kowloon), make_customer(WANG, branch=central)
    bound = make_caller(branch=kowloon)

    assert _numbers(bound.get("/customers")) == [ours.number]
    assert bound.get(f"/customers/{theirs.number}").status_code == 404
    assert bound.patch(f"/customers/{theirs.number}", {"occupation": "x"}).status_code == 404
    for part, body in {
        "contacts": {"kind": "email", "value": "x@example.com"},
        "consents": {"purpose": "marketing", "channel": "sms", "granted": True, "source": "x"},
        "external-ids": {"source": "x", "value": "1"},
    }.items():
        assert bound.post(f"/customers/{theirs.number}/{part}", body).status_code == 404, part
    assert bound.post("/customers", {"name": "New"}).json()["home_branch"] == "KLN"
    assert bound.post("/customers", {"name": "New", "home_branch": "CTL"}).status_code == 422
    theirs.refresh_from_db()
    assert theirs.occupation == WANG.occupation


def test_a_list_costs_the_same_for_one_and_for_twenty(caller: Caller, django_assert_num_queries: Any) -> None:
    make_customer(CHAN, branch=make_branch())
    caller.get("/customers")
    with django_assert_num_queries(6):  # key, rate, customers, contacts, external ids, consents
        caller.get("/customers")
    for _ in range(19):
        make_customer(WANG, branch=make_branch())
    with django_assert_num_queries(6):
        assert len(_numbers(caller.get("/customers"))) == 20


def test_paging_gives_every_customer_once_while_others_arrive(caller: Caller) -> None:
    there = [make_customer(CHAN).number for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        answer = caller.get("/customers", {"limit": 3, "cursor": cursor})
        seen += _numbers(answer)
        cursor = answer.json()["next"]
        pages += 1
        if cursor is not None:
            there.append(make_customer(WANG).number)

    assert seen == there
    assert len(set(seen)) == 9
    assert pages == 3
