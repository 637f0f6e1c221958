from decimal import Decimal

import pytest

from patron.core.accounts import operations
from patron.core.accounts.models import Branch
from patron.core.accounts.operations import BranchDetails
from patron.core.accounts.queries import get_visible_branches
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.kernel.errors import Conflict, InvalidInput

pytestmark = pytest.mark.django_db
ADMIN = actor_in(Role.ADMINISTRATOR)


def test_create_branch_keeps_hours_and_place() -> None:
    branch = operations.create_branch(
        "TST",
        BranchDetails(
            "尖沙咀店",
            country="hk",
            latitude=Decimal("22.2988"),
            longitude=Decimal("114.1722"),
            opening_hours={"mon": ((540, 780), (840, 1260)), "sun": ()},
        ),
        actor=ADMIN,
        now=NOW,
    )
    branch.refresh_from_db()
    assert branch.opening_hours == {"mon": [[540, 780], [840, 1260]]}
    assert (branch.country, branch.latitude, branch.created_at) == ("HK", Decimal("22.298800"), NOW)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (BranchDetails(""), "name"),
        (BranchDetails("x", latitude=Decimal(1)), "latitude"),
        (BranchDetails("x", latitude=Decimal(91), longitude=Decimal(0)), "latitude"),
        (BranchDetails("x", latitude=Decimal(1), longitude=Decimal(-181)), "longitude"),
        (BranchDetails("x", time_zone="Mars/Olympus"), "time_zone"),
        (BranchDetails("x", opening_hours={"someday": ()}), "opening_hours"),
    ],
)
def test_create_branch_refuses_and_names_the_field(details: BranchDetails, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        operations.create_branch("X", details, actor=ADMIN, now=NOW)
    assert refused.value.details["field"] == field
    assert Branch.objects.count() == 0


def test_codes_are_taken_once() -> None:
    make_branch("TST")
    with pytest.raises(Conflict):
        operations.create_branch("tst", BranchDetails("x"), actor=ADMIN, now=NOW)


def test_bound_actors_see_their_branches() -> None:
    one, two = make_branch("A"), make_branch("B")
    closed = make_branch("C", is_active=False)
    assert get_visible_branches(actor_in(Role.EXECUTIVE)) == [one, two]
    assert get_visible_branches(actor_in(Role.CASHIER, branches=[two, closed])) == [two]
