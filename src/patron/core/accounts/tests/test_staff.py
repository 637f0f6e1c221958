from typing import Any

import pytest

from patron.core.accounts import operations
from patron.core.accounts.models import Staff, Team
from patron.core.accounts.queries import actor_for
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, PASSWORD, actor_in, make_branch, make_staff
from patron.kernel.errors import Conflict, InvalidInput, PermissionRefused
from patron.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
ADMIN = actor_in(Role.ADMINISTRATOR)


def create(**changes: Any) -> Staff:
    given = {"username": "mei", "name": "王美玲", "role": Role.CASHIER, "password": "a fine long secret"}
    wanted: dict[str, Any] = {**given, **changes}
    return operations.create_staff(**wanted, actor=ADMIN, now=NOW)


def test_create_staff_lets_someone_sign_in() -> None:
    staff = create(branches=[make_branch()])
    assert (staff.username, staff.role, staff.is_active, staff.created_at) == ("mei", "cashier", True, NOW)
    assert staff.check_password("a fine long secret")
    entry = AuditEntry.objects.get(operation="core.accounts.staff.create_staff")
    assert entry.facts["password"] == "(private)"
    assert "a fine long secret" not in str(entry.facts)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": " "}, "username"),
        ({"name": ""}, "name"),
        ({"role": "king"}, "role"),
        ({"role": Role.CASHIER, "branches": []}, "branches"),
        ({"role": Role.ANALYST, "password": "short"}, "password"),
        ({"role": Role.ANALYST, "language": "xx"}, "language"),
    ],
)
def test_create_staff_refuses_and_names_the_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(**changes)
    assert refused.value.details["field"] == field
    assert Staff.objects.count() == 0


def test_create_staff_refuses_a_username_in_other_letters() -> None:
    make_staff(Role.ANALYST, username="Mei")
    with pytest.raises(Conflict):
        create(role=Role.ANALYST)


def test_create_staff_needs_the_permission() -> None:
    with pytest.raises(PermissionRefused):
        operations.create_staff(
            username="x", name="x", role=Role.ANALYST, password="a fine long secret",
            actor=actor_in(Role.BRANCH_MANAGER), now=NOW,
        )  # fmt: skip
    assert Staff.objects.count() == 0


def test_last_administrator_stays() -> None:
    only = make_staff(Role.ADMINISTRATOR)
    for refuse in (
        lambda: operations.deactivate_staff(only, actor=ADMIN, now=NOW),
        lambda: operations.change_role(only, Role.ANALYST, actor=ADMIN, now=NOW),
    ):
        with pytest.raises(Conflict):
            refuse()
    only.refresh_from_db()
    assert (only.is_active, only.role) == (True, "administrator")
    make_staff(Role.ADMINISTRATOR, username="second")
    assert operations.change_role(only, Role.ANALYST, actor=ADMIN, now=NOW).role == "analyst"


def test_nobody_shuts_themselves_out() -> None:
    first, second = make_staff(Role.ADMINISTRATOR), make_staff(Role.ADMINISTRATOR, username="second")
    with pytest.raises(Conflict):
        operations.deactivate_staff(first, actor=actor_for(first), now=NOW)
    assert operations.deactivate_staff(second, actor=actor_for(first), now=NOW).is_active is False
    assert operations.reactivate_staff(second, actor=actor_for(first), now=NOW).is_active is True


def test_change_role_to_a_bound_one_needs_a_branch() -> None:
    staff = make_staff(Role.ANALYST)
    with pytest.raises(InvalidInput):
        operations.change_role(staff, Role.CASHIER, actor=ADMIN, now=NOW)
    kowloon = make_branch()
    operations.change_role(staff, Role.CASHIER, branches=[kowloon], actor=ADMIN, now=NOW)
    assert actor_for(Staff.objects.get(pk=staff.pk)).branch_ids == frozenset({kowloon.pk})


def test_own_password_needs_the_old_one() -> None:
    me = make_staff(Role.ANALYST)
    with pytest.raises(InvalidInput) as refused:
        operations.change_own_password(me, old="wrong", new="another long secret", actor=actor_for(me), now=NOW)
    assert refused.value.details["field"] == "old"
    changed = operations.change_own_password(me, old=PASSWORD, new="another long secret", actor=actor_for(me), now=NOW)
    assert changed.check_password("another long secret")


def test_own_preferences_are_ones_own() -> None:
    me, other = make_staff(Role.ANALYST), make_staff(Role.MARKETER)
    with pytest.raises(PermissionRefused):
        operations.set_preferences(other, language="zh-hant", actor=actor_for(me), now=NOW)
    changed = operations.set_preferences(me, language="zh-hant", theme="dark", actor=actor_for(me), now=NOW)
    assert (changed.language, changed.theme) == ("zh-hant", "dark")


def test_save_team_keeps_names_apart() -> None:
    staff = make_staff(Role.ANALYST)
    team = operations.save_team(None, name=" Care ", branch=make_branch(), members=[staff], actor=ADMIN, now=NOW)
    assert (team.name, list(team.members.all())) == ("Care", [staff])
    with pytest.raises(Conflict):
        operations.save_team(None, name="care", actor=ADMIN, now=NOW)
    assert Team.objects.count() == 1
