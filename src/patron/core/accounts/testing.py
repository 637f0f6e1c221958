"""Builders of branches, staff and actors, for the tests of every room."""

from collections.abc import Iterable
from datetime import UTC, datetime

from patron.core.accounts.models import Branch, Staff
from patron.core.accounts.queries import actor_for
from patron.core.accounts.rules import Role
from patron.kernel.actor import Actor
from patron.kernel.registries import permissions_of

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""The instant at which tests happen unless they say otherwise: Monday 2 March 2026, 9 a.m. in Hong Kong."""

PASSWORD = "correct horse battery"  # noqa: S105 (of made-up people)


def make_branch(code: str = "KLN", name: str = "九龍店 Kowloon", **fields: object) -> Branch:
    """A branch in Kowloon, or as told. The same code gives the same branch."""
    values = {"name": name, "city": "Hong Kong", "country": "HK", **fields}
    return Branch.objects.get_or_create(code=code, defaults=values)[0]


def make_staff(
    role: Role = Role.ADMINISTRATOR,
    *,
    username: str = "",
    branches: Iterable[Branch] = (),
    language: str = "",
) -> Staff:
    """Someone in `role` who signs in with PASSWORD; the username is the role's name unless told."""
    staff = Staff(username=username or str(role), name=(username or str(role)).title(), role=role, language=language)
    staff.set_password(PASSWORD)
    staff.save()
    staff.branches.set(branches)
    return staff


def make_actor(role: Role = Role.ADMINISTRATOR, *, branches: Iterable[Branch] = ()) -> Actor:
    """The actor that a new member of staff in `role` is."""
    return actor_for(make_staff(role, branches=branches))


def actor_in(role: Role, *, branches: Iterable[Branch] | None = None) -> Actor:
    """An actor with the permissions of `role`, without a row in the database; sees all branches unless told."""
    return Actor(
        kind="staff",
        id=0,
        name=str(role),
        role=str(role),
        permissions=permissions_of(str(role)),
        branch_ids=None if branches is None else frozenset(branch.pk for branch in branches),
    )


def actor_with(*codes: str, branches: Iterable[Branch] | None = None) -> Actor:
    """An actor with exactly these permissions, without a row in the database."""
    return Actor(
        kind="staff",
        id=0,
        name="Someone",
        permissions=frozenset(codes),
        branch_ids=None if branches is None else frozenset(branch.pk for branch in branches),
    )
