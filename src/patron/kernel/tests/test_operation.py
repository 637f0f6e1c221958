"""The one door for writing: permission, transaction, audit."""

from datetime import UTC, datetime

import pytest

from patron.kernel.actor import SYSTEM, Actor
from patron.kernel.errors import Conflict, PermissionRefused
from patron.kernel.models import AuditEntry, ImportMapping
from patron.kernel.operation import operation

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
CLERK = Actor(kind="staff", id=7, name="陳太", role="clerk", permissions=frozenset({"mapping.save"}))


@operation(permission="mapping.save", private=("secret",))
def save(*, name: str, secret: str = "", fail: bool = False, actor: Actor, now: datetime) -> ImportMapping:
    mapping = ImportMapping.objects.create(importer="x", name=name, updated_at=now)
    if fail:
        raise Conflict
    return mapping


@pytest.mark.django_db
def test_operation_writes_what_it_does_and_who_did_it() -> None:
    mapping = save(name="till", secret="6123 4567", actor=CLERK, now=NOW)

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name, entry.at) == ("staff:7", "陳太", NOW)
    assert entry.operation == "kernel.tests.test_operation.save"
    assert entry.subject == f"kernel.importmapping:{mapping.pk}"
    assert entry.facts == {"name": "till", "secret": "(private)"}


@pytest.mark.django_db
def test_operation_refuses_an_actor_without_the_permission_and_touches_nothing() -> None:
    stranger = Actor(kind="staff", id=8, name="x")

    with pytest.raises(PermissionRefused):
        save(name="till", actor=stranger, now=NOW)

    assert not ImportMapping.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_operation_that_fails_leaves_neither_change_nor_audit() -> None:
    with pytest.raises(Conflict):
        save(name="till", fail=True, actor=SYSTEM, now=NOW)

    assert not ImportMapping.objects.exists()
    assert not AuditEntry.objects.exists()


def test_operation_needs_an_instant_with_a_zone() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        save(name="till", actor=SYSTEM, now=datetime(2026, 3, 2))  # noqa: DTZ001 (the point of the test)


def test_operation_without_actor_and_now_cannot_be_declared() -> None:
    def careless(*, actor: Actor) -> None: ...

    with pytest.raises(TypeError, match="now"):
        operation(permission="x.y")(careless)
