"""What every room tells the warehouse: a house with one of everything, changed, grown old, and with somebody erased."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey

from patron.business.cards.operations import create_design, discard_design, hand_out_card, register_device
from patron.business.cards.operations import unregister_device as take_off_phone
from patron.business.cards.queries import current_card
from patron.business.gifts.operations import cancel_order, order_gift
from patron.business.gifts.testing import make_gift
from patron.business.loyalty.models import Approval, Membership, TierChange
from patron.business.loyalty.operations import (
    adjust_points,
    change_programme,
    decide_approval,
    release_points,
    replace_card,
    request_adjustment,
    reserve_points,
)
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.operations import set_pin
from patron.business.storedvalue.testing import make_deposit
from patron.business.tills.baskets import BasketItem, Payment, TillBasket
from patron.business.tills.models import Terminal
from patron.business.tills.operations import commit_sale, void_sale
from patron.business.tills.testing import make_terminal
from patron.business.vouchers.testing import make_voucher
from patron.core.accounts.models import Branch
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch, make_staff
from patron.core.catalog.operations import set_branch_price
from patron.core.catalog.testing import make_product
from patron.core.customers.models import ContactPoint, Customer, Relation
from patron.core.customers.operations import (
    add_contact_point,
    end_relation,
    record_consent,
    relate_customers,
    remove_contact_point,
    set_address,
    write_note,
)
from patron.core.customers.testing import WANG, make_customer
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import behind_the_stamps, contents, run_update, sell, void
from patron.kernel.actor import SYSTEM
from patron.kernel.exports import exports
from patron.kernel.models import ImportRun

pytestmark = pytest.mark.django_db(transaction=True)

TOLD: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
CARD, PIN, STREET, TOKEN, WORDS = "88001234567892", "248163", "1 Nathan Road", "push-token-1", "said in confidence"


#: Tables that stay in the database. Whoever adds a table exports it, or says here why not.
STAYS = {
    "staff, their rights and keys": {
        "accounts_integrationkey", "accounts_staff", "accounts_staff_branches", "accounts_staff_teams", "accounts_team",
        "auth_group", "auth_group_permissions", "auth_permission", "workspace_savedview",
    },
    "who signed in, and what staff did": {
        "axes_accessattempt", "axes_accessattemptexpiration", "axes_accessfailurelog", "axes_accesslog",
        "django_session", "kernel_auditentry",
    },
    "names, words and numbers of people": {
        "customers_customernote", "customers_customersearch", "customers_externalid", "loyalty_pool",
    },
    "secrets": {"storedvalue_onetimecode", "storedvalue_wallet", "vouchers_wrongcodes"},
    "what the warehouse itself found": {
        "customers_insight", "customers_insightrun", "insights_analysisrun", "insights_modelparameters",
    },
    "settings without a history": {"kernel_importmapping", "storedvalue_bonustier", "storedvalue_walletpolicy"},
    "kept for the moment, or derived from what is exported": {
        "cards_cardface", "cards_facechange", "cards_refreshmark", "gifts_gifttaken", "vouchers_voucherhold",
        "vouchers_vouchertally",
    },
    "machinery": {
        "django_content_type", "kernel_idempotentanswer", "kernel_ratewindow", "procrastinate_events",
        "procrastinate_jobs", "procrastinate_periodic_defers", "procrastinate_workers",
    },
}  # fmt: skip


def test_every_table_is_exported_or_stays_for_a_reason() -> None:
    read = {table for export in exports for table in export.tables}
    there = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    stays = set().union(*STAYS.values())
    assert there - read == stays


@dataclass(frozen=True, slots=True)
class House:
    """One of everything."""

    branch: Branch
    member: Membership
    household: Customer
    till: Terminal


def furnished() -> House:
    """Chan, member with card, consents, wallet, phone, gift and voucher, who buys at a till; Wang, in his household."""
    branch, product = make_branch(), make_product()
    programme = make_programme("club")
    change_programme(programme, four_eyes_above=Decimal(1000), **TOLD)
    member = make_member(programme, number=CARD)
    customer = member.customer
    set_address(customer, lines=STREET, city="Hong Kong", **TOLD)
    write_note(customer, WORDS, **TOLD)
    for channel, granted in (("any", True), ("sms", False)):
        record_consent(customer, purpose="marketing", channel=channel, granted=granted, source="form", **TOLD)
    TierChange.objects.create(membership=member, after="gold", reason="invited", effective_at=NOW, note=WORDS)
    household = make_customer(WANG, kind=Customer.Kind.HOUSEHOLD)
    relate_customers(customer, household, kind=Relation.Kind.MEMBER, role=WORDS, **TOLD)
    for day, price in ((1, "20"), (15, "18.5")):
        set_branch_price(product=product, branch=branch, price=Decimal(price), valid_from=date(2026, 2, day), **TOLD)
    adjust_points(member, Decimal(900), reason=WORDS, request_key="adjust", **TOLD)
    asking = actor_in(Role.ADMINISTRATOR)
    request_adjustment(member, Decimal(2000), reason=WORDS, request_key="ask", actor=asking, now=NOW)
    reserve_points(member, Decimal(50), request_key="keep", until=NOW + timedelta(hours=1), reason=WORDS, **TOLD)
    make_deposit(member, 500)
    set_pin(member, PIN, **TOLD)
    gift = make_gift("UMBRELLA", branch=branch, can_be_delivered=True)
    order_gift(member, gift, branch=branch, delivery_address=STREET, request_key="gift", **TOLD)
    create_design(programme, name="Plain", spec={}, tier="", **TOLD)
    hand_out_card(member, **TOLD)
    register_device(current_card(member, now=NOW), device="phone-1", pass_type="pass", push_token=TOKEN, **TOLD)
    till = make_terminal(branch)
    voucher = make_voucher(member)
    bought = TillBasket([BasketItem(product.code, Decimal(3), Decimal("20"))], member=CARD, vouchers=[voucher.code])
    paid = [Payment("cash", Decimal(50), reference="4111111111111111")]
    commit_sale(till, "S1", basket=bought, payments=paid, occurred_at=NOW, cashier="Cashier Lau", **TOLD)
    ImportRun.objects.create(
        importer="customers", file_name=f"{WORDS}.csv", file_path=STREET, created_at=NOW, rows_total=9, rows_done=9,
        counts={"applied": {"added": 6, "updated": 1, "unchanged": 0}, "refused": {"no_name": 1}},
        details={"findings": {"rejected": 1}}, status="done", error=WORDS,
    )  # fmt: skip
    return House(branch, member, household, till)


def columns(root: Path, table: str, names: str) -> list[tuple[Any, ...]]:
    return open_warehouse(root).rows(f"SELECT {names} FROM {table} ORDER BY ALL")


def test_one_of_everything_arrives(tmp_path: Path) -> None:
    house = furnished()

    run_update(tmp_path)

    assert not [export.name for export in exports if not contents(tmp_path, export.name)]
    member, branch = house.member.pk, house.branch.pk
    expected: dict[tuple[str, str], list[tuple[Any, ...]]] = {
        ("consents", "channel, granted, given_on"): [
            ("any", True, date(2026, 3, 2)), ("sms", False, date(2026, 3, 2)),
        ],
        ("relations", "customer_id, other_id, kind"): [(house.member.customer_id, house.household.pk, "member")],
        ("branch_prices", "price, valid_from, valid_to"): [
            (Decimal("18.5"), date(2026, 2, 15), None), (Decimal(20), date(2026, 2, 1), date(2026, 2, 15)),
        ],
        ("cards", "membership_id, status, issued_on"): [(member, "active", date(2026, 3, 2))],
        ("point_balances", "membership_id, unit, bucket, balance"): [
            (member, "points", "available", Decimal(800)), (member, "points", "reserved", Decimal(50)),
            (member, "stored_value", "available", Decimal(525)),
        ],
        ("point_reservations", "membership_id, points, state"): [(member, Decimal(50), "open")],
        ("point_approvals", "membership_id, points, state"): [(member, Decimal(2000), "waiting")],
        ("programmes", "code, debt"): [("club", "offset")],
        ("programme_versions", "programme, version"): [("club", 1)],
        ("voucher_definitions", "kind, issued"): [("amount", 1)],
        ("coupon_uses", "code, amount, customer_id"): [(None, Decimal(10), house.member.customer_id)],
        ("tenders", "tender, amount, branch_id, occurred_on"): [("cash", Decimal(50), branch, date(2026, 3, 2))],
        ("terminals", "code, branch_id, is_active"): [(house.till.code, branch, True)],
        ("till_entries", "terminal_id, kind, membership_id, voucher_amount"): [
            (house.till.pk, "sale", member, Decimal(10)),
        ],
        ("gift_stock", "branch_id, on_hand, reserved"): [(branch, 5, 1)],
        ("gift_movements", "kind, quantity"): [("received", 5), ("reserved", 1)],
        ("gift_order_events", "from_state, to_state"): [("", "reserved")],
        ("card_designs", "programme, name, status"): [("club", "Plain", "draft")],
        ("wallet_passes", "pass_type"): [("pass",)],
        ("import_runs", "importer, added, updated, rows_rejected"): [("customers", 6, 1, 2)],
        ("customers", "has_email, has_chat, has_post"): [(True, False, False), (True, False, True)],
    }  # fmt: skip
    assert {(table, names): columns(tmp_path, table, names) for table, names in expected} == expected


def test_what_changes_arrives_without_reading_everything(tmp_path: Path) -> None:
    house = furnished()
    run_update(tmp_path / "grown")

    change_everything(house)
    found = run_update(tmp_path / "grown")
    run_update(tmp_path / "anew")

    assert (found.mode, found.differences) == ("incremental", {})
    for export in exports:
        assert contents(tmp_path / "grown", export.name) == contents(tmp_path / "anew", export.name), export.name
    seen = {
        ("cards", "status"): [("active",), ("replaced",)],
        ("point_reservations", "state"): [("released",)],
        ("point_approvals", "state"): [("approved",)],
        ("till_entries", "kind"): [("sale",), ("void",)],
        ("tenders", "is_voided"): [(True,)],
        ("gift_order_events", "to_state"): [("cancelled",), ("reserved",)],
        ("gift_stock", "on_hand, reserved"): [(5, 0)],
        ("branch_prices", "valid_to"): [(date(2026, 2, 10),), (date(2026, 2, 15),), (None,)],
        ("programmes", "name"): [("Renamed",)],
        ("import_runs", "status"): [("cancelled",)],
        ("relations", "kind"): [],
        ("card_designs", "name"): [],
        ("wallet_passes", "card_id"): [],
        ("customers", "has_email, has_chat"): [(False, True), (True, False)],
    }  # fmt: skip
    assert {key: columns(tmp_path / "grown", *key) for key in seen} == seen
    assert len(columns(tmp_path / "grown", "consents", "consent_id")) == 3


def change_everything(house: House) -> None:
    """Something of every table that can change; rows of some go."""
    customer = house.member.customer
    record_consent(customer, purpose="marketing", channel="sms", granted=True, source="phone call", **TOLD)
    end_relation(customer, Relation.objects.get().pk, **TOLD)
    email = ContactPoint.objects.get(customer=customer, kind="email")
    remove_contact_point(customer, email.pk, **TOLD)
    add_contact_point(customer, "wechat", "chan_tai_man", **TOLD)
    set_branch_price(
        product=make_product(), branch=house.branch, price=Decimal(19), valid_from=date(2026, 2, 10), **TOLD
    )
    change_programme(house.member.programme, name="Renamed", **TOLD)
    reserved = house.member.transactions.get(kind="reserve")
    release_points(reserved, **TOLD)
    decide_approval(Approval.objects.get(), approve=True, **TOLD)
    take_off_phone(current_card(house.member, now=NOW), device="phone-1", pass_type="pass", **TOLD)
    replace_card(house.member, lost=False, **TOLD)
    discard_design(house.member.programme.card_designs.get(), **TOLD)
    cancel_order(house.member.gift_orders.get(), reason=WORDS, **TOLD)
    void_sale(house.till, "V1", sale="S1", **TOLD)
    Terminal.objects.update(is_active=False)
    ImportRun.objects.update(status="cancelled")


def test_tables_of_which_rows_go_are_read_whole_alone(tmp_path: Path) -> None:
    house = furnished()
    run_update(tmp_path)
    with connection.cursor() as cursor:  # a deletion leaves no row that says so
        cursor.execute("DELETE FROM customers_relation")

    found = run_update(tmp_path)

    assert (found.mode, found.rows_read, contents(tmp_path, "relations")) == ("incremental", 0, [])
    assert run_update(tmp_path).mode == "unchanged"
    relate_customers(house.member.customer, house.household, kind=Relation.Kind.MEMBER, **TOLD)
    run_update(tmp_path)
    assert len(contents(tmp_path, "relations")) == 1


def test_nothing_by_which_a_person_is_known_leaves_the_database(tmp_path: Path) -> None:
    house = furnished()
    make_staff(username="lau")
    run_update(tmp_path)
    customer = house.member.customer
    secret = {
        CARD, PIN, STREET, TOKEN, WORDS, "phone-1", "4111111111111111", "Cashier Lau", "lau", customer.name,
        customer.family_name, customer.latin_name, str(customer.birth_on),
        *values("customers_contactpoint", "value"), *values("customers_externalid", "value"),
        *values("vouchers_voucher", "code"), *values("gifts_giftorder", "pickup_code"),
        *values("storedvalue_wallet", "pin_hash"), *values("cards_cardface", "serial::text"),
        *values("tills_tillentry", "digest"),
    }  # fmt: skip

    exported = {
        str(value)
        for export in exports
        for row in contents(tmp_path, export.name)
        for value in row
        if value is not None
    }

    assert len(secret) > 20
    assert not exported & secret
    assert not [(word, text) for word in secret - {"lau"} for text in exported if len(word) > 3 and word in text]


def values(table: str, column: str) -> Iterable[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return [row[0] for row in cursor.fetchall()]


#: The tables of the first warehouses.
FIRST = (
    "branches", "products", "customers", "activities", "purchases", "purchase_lines", "memberships", "points",
    "tier_changes", "vouchers", "voucher_uses", "gifts", "gift_orders", "stored_value",
)  # fmt: skip


def test_a_warehouse_from_before_gets_the_new_tables_and_keeps_what_it_had(tmp_path: Path) -> None:
    house = furnished()
    late = sell(house.member.customer, "30.00", days_ago=40)
    before = [exports.get(name) for name in FIRST]
    run_update(tmp_path, chosen=before)
    void(late)
    run_update(tmp_path, chosen=before)
    told = contents(tmp_path, "corrections")

    found = run_update(tmp_path)

    assert len(told) == 1
    assert found.reason == "the database or the contract is another one than last time"
    assert contents(tmp_path, "corrections") == told
    assert Store(tmp_path).current_version() == 3
    assert not [export.name for export in exports if not contents(tmp_path, export.name)]
    assert run_update(tmp_path).mode == "unchanged"


def test_who_is_erased_is_nowhere(tmp_path: Path) -> None:
    house = furnished()
    run_update(tmp_path)
    customer, member = house.member.customer_id, house.member.pk
    whose = {"customer_id": customer, "other_id": customer, "membership_id": member, "referred_by_id": member}
    held = [(export.name, name) for export in exports for name in whose if name in {c.name for c in export.columns}]
    assert sum(len(of(tmp_path, table, name, whose[name])) for table, name in held) > 15

    erase(customer)
    found = run_update(tmp_path)

    assert found.mode == "full"
    assert not [(table, name) for table, name in held if of(tmp_path, table, name, whose[name])]
    assert not contents(tmp_path, "coupon_uses")


def of(root: Path, table: str, column: str, key: int) -> list[tuple[Any, ...]]:
    return open_warehouse(root).rows(f"SELECT * FROM {table} WHERE {column} = {key}")


def erase(customer_id: int) -> None:
    """Delete a customer with every row that leads to them, in any table."""
    doomed: dict[tuple[str, str], set[Any]] = {("customers_customer", "id"): {customer_id}}
    references = [
        (field.related_model._meta.db_table, field.target_field.column, model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey)
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        while doomed:
            (table, column), keys = doomed.popitem()
            listed = ", ".join(str(key) for key in keys)
            with behind_the_stamps(table):
                cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({listed}) RETURNING *")
            names = [one[0] for one in cursor.description]
            gone = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            for target, key, below, name in references:
                if gone and target == table:
                    doomed.setdefault((below, name), set()).update(row[key] for row in gone)
        cursor.execute("SET session_replication_role = origin")
