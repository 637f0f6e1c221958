from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.customers import operations
from patron.core.customers.models import ContactPoint, Customer, CustomerNote, ExternalId
from patron.core.customers.queries import customer_brief, customer_file, get_visible_customer, identify_customer
from patron.core.customers.rules import Birthday
from patron.core.customers.testing import CHAN, LI, OUYANG, TAIFUNG, WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import Conflict, InvalidInput, NotFound, PermissionRefused
from patron.kernel.models import AuditEntry

Activity = apps.get_model("activities", "Activity")  # the log stands above this room

pytestmark = pytest.mark.django_db
AGENT = actor_in(Role.SERVICE_AGENT)
CASHIER = actor_in(Role.CASHIER)
ANALYST = actor_in(Role.ANALYST)


def kinds_of(customer: Customer) -> list[str]:
    return list(Activity.objects.filter(customer=customer).order_by("id").values_list("kind", flat=True))


def test_register_customer_keeps_everything_and_tells_the_story() -> None:
    branch = make_branch()
    customer = operations.register_customer(
        family_name="王", given_name="美玲", latin_name="Wang  Mei-ling", sex="female", birth_on=date(1990, 11, 21),
        phone="9876 5432", email=" MeiLing@Example.com ", home_branch=branch, external_ids={"pos": "M-17"},
        source="till", channel="store", actor=AGENT, now=NOW,
    )  # fmt: skip
    assert (customer.name, customer.latin_name, customer.registered_on) == ("王美玲", "Wang Mei-ling", date(2026, 3, 2))
    assert customer.number[0] == "C"
    assert len(customer.number) == 8
    points = list(customer.contact_points.order_by("kind").values_list("kind", "value", "is_primary", "source"))
    assert points == [("email", "meiling@example.com", True, "till"), ("phone", "+85298765432", True, "till")]
    activity = Activity.objects.get(customer=customer)
    assert (activity.kind, activity.occurred_at, activity.channel) == ("customer.registered", NOW, "store")
    assert activity.branch_id == branch.pk
    audited = AuditEntry.objects.get(operation="core.customers.registering.register_customer")
    assert audited.subject == f"customers.customer:{customer.pk}"
    assert "9876" not in str(audited.facts)
    assert "美玲" not in str(audited.facts)
    assert identify_customer("M-17", actor=AGENT) == customer


def test_numbers_follow_each_other() -> None:
    first, second = (operations.register_customer(name=name, actor=AGENT, now=NOW) for name in ("甲", "乙"))
    assert int(second.number[1:]) == int(first.number[1:]) + 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({"name": "甲", "phone": "12345"}, "phone"),
        ({"name": "甲", "email": "no at sign"}, "email"),
        ({"name": "甲", "kind": "alien"}, "kind"),
        ({"name": "甲", "sex": "?"}, "sex"),
        ({"name": "甲", "language": "tlh"}, "language"),
        ({"name": "甲", "birth_on": date(2026, 3, 3)}, "birth_on"),
        ({"name": "甲", "birth_on": date(1889, 12, 31)}, "birth_on"),
        ({"name": "甲" * 201}, "name"),
    ],
)
def test_register_customer_refuses_and_names_the_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        operations.register_customer(**given, actor=AGENT, now=NOW)
    assert refused.value.details["field"] == field
    assert Customer.objects.count() == 0
    assert Activity.objects.count() == 0


def test_register_customer_refuses_a_taken_external_id() -> None:
    operations.register_customer(name="甲", external_ids={"pos": "1"}, actor=AGENT, now=NOW)
    with pytest.raises(Conflict):
        operations.register_customer(name="乙", external_ids={"pos": "1"}, actor=AGENT, now=NOW)
    assert Customer.objects.count() == 1


def test_bound_staff_register_for_their_branch() -> None:
    mine, other = make_branch("A"), make_branch("B")
    bound = actor_in(Role.CASHIER, branches=[mine])
    assert operations.register_customer(name="甲", actor=bound, now=NOW).home_branch == mine
    with pytest.raises(InvalidInput) as refused:
        operations.register_customer(name="乙", home_branch=other, actor=bound, now=NOW)
    assert refused.value.details["field"] == "home_branch"
    with pytest.raises(PermissionRefused):
        operations.register_customer(name="丙", actor=ANALYST, now=NOW)


def test_update_customer_changes_only_what_differs() -> None:
    customer = make_customer(WANG)
    changed = operations.update_customer(
        customer, {"given_name": "小玲", "occupation": "Designer"}, actor=AGENT, now=NOW
    )
    assert (changed.name, changed.family_name, changed.given_name) == ("王小玲", "王", "小玲")
    activity = Activity.objects.get(customer=customer)
    assert (activity.kind, activity.facts) == ("customer.updated", {"fields": ["given_name", "name"]})
    operations.update_customer(customer, {"given_name": "小玲"}, actor=AGENT, now=NOW)
    assert kinds_of(customer) == ["customer.updated"]
    with pytest.raises(InvalidInput):
        operations.update_customer(customer, {"number": "C1"}, actor=AGENT, now=NOW)  # type: ignore[typeddict-unknown-key]


def test_customers_of_other_branches_are_not_there() -> None:
    mine, other = make_branch("A"), make_branch("B")
    theirs = make_customer(WANG, branch=other)
    bound = actor_in(Role.SALES_REP, branches=[mine])
    for refuse in (
        lambda: get_visible_customer(theirs.number, bound),
        lambda: operations.update_customer(theirs, {"name": "x"}, actor=bound, now=NOW),
        lambda: operations.write_note(theirs, "x", actor=bound, now=NOW),
        lambda: customer_file(theirs, bound),
    ):
        with pytest.raises(NotFound):
            refuse()
    theirs.refresh_from_db()
    assert theirs.name == "王美玲"
    assert identify_customer("9876 5432", actor=bound) == theirs


def test_archive_block_and_reopen() -> None:
    customer = make_customer(CHAN)
    manager = actor_in(Role.BRANCH_MANAGER)
    assert operations.archive_customer(customer, actor=manager, now=NOW).status == "archived"
    with pytest.raises(InvalidInput):
        operations.block_customer(customer, reason=" ", actor=manager, now=NOW)
    assert operations.block_customer(customer, reason="Owes us", actor=manager, now=NOW).status == "blocked"
    note = CustomerNote.objects.get(customer=customer)
    assert (note.text, note.for_front_desk) == ("Owes us", True)
    assert operations.reopen_customer(customer, actor=manager, now=NOW).status == "active"
    operations.reopen_customer(customer, actor=manager, now=NOW)
    assert kinds_of(customer) == ["customer.archived", "customer.blocked", "customer.reopened"]


def test_contact_points_are_normal_and_once() -> None:
    customer = make_customer(CHAN)
    first = ContactPoint.objects.get(customer=customer, kind="phone")
    again = operations.add_contact_point(customer, "phone", "(852) 6123 4567", actor=AGENT, now=NOW)
    assert again == first
    second = operations.add_contact_point(customer, "phone", "9000 0001", primary=True, actor=AGENT, now=NOW)
    first.refresh_from_db()
    assert (first.is_primary, second.is_primary, second.value) == (False, True, "+85290000001")
    operations.remove_contact_point(customer, second.pk, actor=AGENT, now=NOW)
    first.refresh_from_db()
    assert first.is_primary
    with pytest.raises(NotFound):
        operations.remove_contact_point(customer, second.pk, actor=AGENT, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        operations.add_contact_point(customer, "phone", "12", actor=AGENT, now=NOW)
    assert refused.value.details["field"] == "phone"
    assert kinds_of(customer) == ["customer.contact_added", "customer.contact_removed"]


def test_external_ids_belong_to_one() -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    first = operations.add_external_id(chan, "pos", "17", actor=AGENT, now=NOW)
    assert operations.add_external_id(chan, "pos", "17", actor=AGENT, now=NOW) == first
    with pytest.raises(Conflict):
        operations.add_external_id(wang, "pos", "17", actor=AGENT, now=NOW)
    assert ExternalId.objects.filter(source="pos").count() == 1


def test_address_is_added_then_replaced() -> None:
    customer = make_customer(CHAN)
    address = operations.set_address(
        customer, lines="1 Nathan Road", city="Hong Kong", latitude=Decimal("22.3"), longitude=Decimal("114.17"),
        actor=AGENT, now=NOW,
    )  # fmt: skip
    operations.set_address(customer, address_id=address.pk, lines="2 Nathan Road", actor=AGENT, now=NOW)
    other = operations.set_address(customer, lines="Office", primary=True, actor=AGENT, now=NOW)
    address.refresh_from_db()
    assert (address.lines, address.latitude, address.is_primary, other.is_primary) == (
        "2 Nathan Road",
        None,
        False,
        True,
    )
    with pytest.raises(InvalidInput):
        operations.set_address(customer, latitude=Decimal(1), actor=AGENT, now=NOW)
    with pytest.raises(NotFound):
        operations.set_address(make_customer(WANG), address_id=address.pk, actor=AGENT, now=NOW)


def test_latest_consent_counts_and_none_is_changed() -> None:
    customer = make_customer(CHAN)

    def say(granted: bool, days_ago: int) -> None:
        operations.record_consent(
            customer, purpose="marketing", channel="sms", granted=granted, source="form",
            given_at=NOW - timedelta(days=days_ago), actor=CASHIER, now=NOW,
        )  # fmt: skip

    say(True, 1)
    say(False, 5)
    shown = customer_file(customer, AGENT).consents
    assert [(c.purpose, c.channel, c.granted) for c in shown] == [("marketing", "sms", True)]
    say(False, 0)
    assert customer_file(customer, AGENT).consents[0].granted is False
    assert customer.consents.count() == 3
    assert kinds_of(customer) == ["customer.consent_recorded"] * 3
    with pytest.raises(InvalidInput):
        say(True, -1)
    with pytest.raises(PermissionRefused):
        operations.record_consent(
            customer, purpose="marketing", channel="sms", granted=True, source="form", actor=ANALYST, now=NOW
        )


def test_relations_between_people_and_their_organisation() -> None:
    ouyang, taifung = make_customer(OUYANG), make_customer(TAIFUNG)
    relation = operations.relate_customers(
        ouyang, taifung, kind="key_person", role="Purchasing manager", actor=AGENT, now=NOW
    )
    theirs = customer_file(taifung, AGENT).relations
    assert [(r.name, r.kind, r.role, r.outwards) for r in theirs] == [
        ("歐陽芷晴", "key_person", "Purchasing manager", False)
    ]
    assert customer_file(ouyang, AGENT).relations[0].outwards is True
    assert (kinds_of(ouyang), kinds_of(taifung)) == (["customer.related"], ["customer.related"])
    operations.relate_customers(ouyang, taifung, kind="key_person", role="Director", actor=AGENT, now=NOW)
    relation.refresh_from_db()
    assert relation.role == "Director"
    operations.end_relation(taifung, relation.pk, actor=AGENT, now=NOW)
    assert customer_file(ouyang, AGENT).relations == ()
    for other, kind in ((ouyang, "spouse"), (make_customer(LI), "key_person"), (make_customer(CHAN), "member")):
        with pytest.raises(InvalidInput):
            operations.relate_customers(ouyang, other, kind=kind, actor=AGENT, now=NOW)


def test_photo_is_a_picture(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    customer = make_customer(OUYANG)
    picture = SimpleUploadedFile("me.exe", b"\x89PNG\r\n\x1a\n rest")
    kept = operations.set_photo(customer, picture, actor=AGENT, now=NOW)
    assert str(kept.photo.name).endswith(".png")
    with pytest.raises(InvalidInput):
        operations.set_photo(customer, SimpleUploadedFile("me.png", b"MZ not a picture"), actor=AGENT, now=NOW)


@pytest.mark.parametrize(
    ("role", "phone", "email", "birthday"),
    [
        (Role.ADMINISTRATOR, "9876 5432", "meiling@example.com", Birthday(11, 21, 1990)),
        (Role.BRANCH_MANAGER, "9876 5432", "meiling@example.com", Birthday(11, 21, 1990)),
        (Role.SALES_REP, "9876 5432", "meiling@example.com", Birthday(11, 21, 1990)),
        (Role.SERVICE_AGENT, "9876 5432", "meiling@example.com", Birthday(11, 21, 1990)),
        (Role.CASHIER, "9876 ••••", "m•••@…", Birthday(11, 21)),
        (Role.MARKETER, "9876 ••••", "m•••@…", Birthday(11, 21)),
        (Role.ANALYST, "9876 ••••", "m•••@…", Birthday(11, 21)),
        (Role.EXECUTIVE, "9876 ••••", "m•••@…", Birthday(11, 21)),
    ],
)
def test_file_is_masked_for_roles_that_do_not_need_it(role: Role, phone: str, email: str, birthday: Birthday) -> None:
    file = customer_file(make_customer(WANG), actor_in(role))
    assert {contact.kind: contact.shown for contact in file.contacts} == {"phone": phone, "email": email}
    assert file.birthday == birthday
    assert all(bool(contact.dial) is not file.masked for contact in file.contacts)


@pytest.mark.parametrize("role", [Role.CASHIER, Role.MARKETER, Role.SERVICE_AGENT])
def test_unmasking_is_audited(role: Role) -> None:
    customer = make_customer(WANG)
    shown = operations.unmask_contact(customer, reason="asked to call back", actor=actor_in(role), now=NOW)
    assert sorted((kind, text) for _id, kind, text in shown.contacts) == [
        ("email", "meiling@example.com"),
        ("phone", "9876 5432"),
    ]
    assert shown.birth_on == date(1990, 11, 21)
    entry = AuditEntry.objects.get(operation="core.customers.unmasking.unmask_contact")
    assert (entry.subject, entry.facts["reason"]) == (f"customers.customer:{customer.pk}", "asked to call back")
    assert kinds_of(customer) == []


@pytest.mark.parametrize("role", [Role.ANALYST, Role.EXECUTIVE])
def test_unmasking_is_for_those_who_may(role: Role) -> None:
    customer = make_customer(WANG)
    with pytest.raises(PermissionRefused):
        operations.unmask_contact(customer, actor=actor_in(role), now=NOW)
    assert AuditEntry.objects.count() == 0


def test_brief_says_what_the_front_desk_should_know(django_assert_num_queries) -> None:
    customer = make_customer(WANG)
    operations.write_note(customer, "Open complaint: be kind.", for_front_desk=True, actor=CASHIER, now=NOW)
    gone = operations.write_note(customer, "Old", for_front_desk=True, actor=CASHIER, now=NOW)
    operations.archive_note(customer, gone.pk, actor=CASHIER, now=NOW)
    operations.write_note(customer, "Not for the counter", actor=CASHIER, now=NOW)
    for channel, granted in (("sms", True), ("phone", False)):
        operations.record_consent(
            customer, purpose="marketing", channel=channel, granted=granted, source="form", actor=CASHIER, now=NOW
        )
    with django_assert_num_queries(2):
        brief = customer_brief(customer, CASHIER, today=date(2026, 11, 14))
    assert brief.notes == ("Open complaint: be kind.",)
    assert (brief.allows, brief.refuses) == (("SMS",), ("Phone",))
    assert brief.birthday_in_days == 7
    assert brief.language_label == "繁體中文"
    assert brief.preferences.startswith("Prefers Cantonese")
    assert customer_brief(customer, CASHIER, today=date(2026, 11, 1)).birthday_in_days is None


def test_identify_tells_several_apart_from_none() -> None:
    chan = make_customer(CHAN)
    assert identify_customer("+852 6123 4567", actor=CASHIER) == chan
    assert identify_customer("TAIMAN.CHAN@example.com", actor=CASHIER) == chan
    assert identify_customer(chan.number.lower(), actor=CASHIER) == chan
    with pytest.raises(NotFound):
        identify_customer("4567", actor=CASHIER)
    spouse = make_customer(CHAN, name="陳太")
    with pytest.raises(Conflict) as refused:
        identify_customer("61234567", actor=CASHIER)
    assert refused.value.details["numbers"] == [chan.number, spouse.number]
    operations.archive_customer(spouse, actor=SYSTEM, now=NOW)
    assert identify_customer("61234567", actor=CASHIER) == chan
