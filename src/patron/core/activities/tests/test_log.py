from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.transaction import TransactionManagementError

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.activities.kinds import kinds
from patron.core.activities.models import Activity
from patron.core.activities.operations import log_activities_from, log_activity
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.kernel.actor import system

ACTOR = system("test")


@pytest.mark.django_db
def test_log_activity_writes_one_row() -> None:
    customer, branch = make_customer(CHAN), make_branch()
    written = log_activity(
        actor=actor_in(Role.CASHIER), now=NOW, customer_id=customer.pk, kind="customer.updated",
        occurred_at=NOW - timedelta(days=1), channel="store", branch_id=branch.pk, source="x.y:1", facts={"n": 1},
    )  # fmt: skip
    row = Activity.objects.get()
    assert row == written
    assert (row.occurred_at, row.actor, row.source, row.facts) == (
        NOW - timedelta(days=1),
        "staff:0",
        "x.y:1",
        {"n": 1},
    )
    assert row.changed_xid > 0


@pytest.mark.django_db
def test_log_activity_refuses_kinds_that_nobody_registered() -> None:
    with pytest.raises(LookupError, match=r"customer\.vanished"):
        log_activity(actor=ACTOR, now=NOW, customer_id=None, kind="customer.vanished")
    with pytest.raises(ValueError, match="timezone-aware"):
        log_activity(
            actor=ACTOR, now=NOW, customer_id=None, kind="customer.updated", occurred_at=NOW.replace(tzinfo=None)
        )
    assert Activity.objects.count() == 0


@pytest.mark.django_db
def test_log_activities_from_writes_a_row_for_each() -> None:
    people = [make_customer(CHAN), make_customer(WANG)]
    select = """
        SELECT id AS customer_id, 'customer.updated' AS kind, %s::timestamptz AS occurred_at, '' AS channel,
            home_branch_id AS branch_id, 'customers.customer:' || id AS source, jsonb_build_object('n', id) AS facts
        FROM customers_customer
    """
    assert log_activities_from(select, [NOW], actor=ACTOR, now=NOW) == 2
    assert list(Activity.objects.order_by("customer_id").values_list("customer_id", "actor", "facts")) == [
        (customer.pk, "system", {"n": customer.pk}) for customer in people
    ]
    with pytest.raises(LookupError):
        log_activities_from(select.replace("updated", "vanished"), [NOW], actor=ACTOR, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_the_log_is_written_inside_a_change_and_never_changed() -> None:
    with pytest.raises(TransactionManagementError):
        log_activity(actor=ACTOR, now=NOW, customer_id=None, kind="customer.updated")
    with transaction.atomic():
        log_activity(actor=ACTOR, now=NOW, customer_id=None, kind="customer.updated")
    with pytest.raises(DatabaseError, match="append-only"):
        Activity.objects.update(kind="customer.archived")
    with pytest.raises(DatabaseError, match="append-only"):
        Activity.objects.all().delete()
    assert Activity.objects.get().kind == "customer.updated"


def test_every_kind_can_be_shown() -> None:
    assert len(kinds) > 10
    for kind in kinds:
        assert "." in kind.code
        assert str(kind.label)
        assert kind.icon
        assert kind.topic
