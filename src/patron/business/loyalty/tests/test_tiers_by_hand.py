"""Tiers granted and revoked by hand, members placed on a new ladder, and what is said about tiers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from patron.business.loyalty import tier_jobs
from patron.business.loyalty.errors import NoSuchTier, ReasonRequired
from patron.business.loyalty.followers import MemberFollower
from patron.business.loyalty.ledger import tiering
from patron.business.loyalty.models import Membership, TierChange
from patron.business.loyalty.operations import (
    grant_tier,
    place_members,
    publish_version,
    review_tiers,
    revoke_tier,
    set_membership_status,
)
from patron.business.loyalty.operations import tiers as operations_of_tiers
from patron.business.loyalty.queries import benefits_of, tier_counts, tier_progress, why_tier
from patron.business.loyalty.testing import make_member, make_programme, make_terms
from patron.business.loyalty.tests.support import last as last_movement
from patron.business.loyalty.tests.support import sell, write_purchase
from patron.business.loyalty.tests.tiers import LADDER, hold, member_with, noon, review, standing, tiers
from patron.core.activities.models import Activity
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM, Actor
from patron.kernel.errors import Conflict, InvalidInput, PermissionRefused
from patron.kernel.registries import Registry

pytestmark = pytest.mark.django_db

MANAGER = Actor(kind="staff", name="陳太", id=7, permissions=frozenset({"loyalty.tiers"}))
NIGHT = noon("2026-03-01")


def grant(member: Membership, tier: str, until: str | None = "2026-12-31", **more: Any) -> TierChange:
    given: dict[str, Any] = {"note": "Opening night", "actor": MANAGER, "now": NIGHT} | more
    return grant_tier(member, tier, until=date.fromisoformat(until) if until else None, **given)


# --- by hand -----------------------------------------------------------------------------------------------------


def test_a_grant_is_held_told_and_counts_at_once() -> None:
    member = member_with(tiers())
    change = grant(member, "gold")
    assert (*standing(member), member.tier_invited, str(member.tier_since)) == (
        "gold", "2026-12-31", True, "2026-03-01",
    )  # fmt: skip
    assert (change.reason, change.note, change.actor, change.measure) == ("invited", "Opening night", "staff:7", "")
    assert Activity.objects.get(kind="loyalty.tier_changed").facts == {
        "before": "", "after": "gold", "reason": "invited",
    }  # fmt: skip
    sell(member.customer, "100", at=noon("2026-03-02"))
    assert last_movement(member).amount == 200  # gold multiplies by two


def test_the_same_grant_again_is_the_first_one() -> None:
    member = member_with(tiers())
    assert grant(member, "gold") == grant(member, "gold", note="Again")
    assert TierChange.objects.count() == 1


@pytest.mark.parametrize(
    ("tier", "until", "note", "refusal"),
    [
        ("platinum", "2026-12-31", "Why", NoSuchTier),
        ("gold", "2026-02-28", "Why", InvalidInput),
        ("gold", "2026-12-31", " ", ReasonRequired),
    ],
)
def test_grants_that_make_no_sense_are_refused(tier: str, until: str, note: str, refusal: type[Exception]) -> None:
    member = member_with(tiers())
    with pytest.raises(refusal):
        grant(member, tier, until, note=note)
    assert standing(member) == ("", "None")


def test_only_those_who_may_grant_tiers() -> None:
    member = member_with(tiers())
    with pytest.raises(PermissionRefused):
        grant(member, "gold", actor=Actor(kind="staff", name="Cashier", id=8))


def test_revoking_an_invitation_leaves_what_was_earned() -> None:
    member = member_with(tiers())
    sell(member.customer, "1200", at=noon("2026-02-01"))
    grant(member, "black", None)
    change = revoke_tier(member, note="Misunderstanding", actor=MANAGER, now=noon("2026-04-01"))
    assert (change.before, change.after, change.reason) == ("black", "silver", "revoked")
    assert (*standing(member), member.tier_invited) == ("silver", "2027-12-31", False)


def test_revoking_an_earned_tier_leaves_none() -> None:
    member = member_with(tiers())
    sell(member.customer, "1200", at=noon("2026-02-01"))
    revoke_tier(member, note="Fraud", actor=MANAGER, now=noon("2026-04-01"))
    assert standing(member) == ("", "None")
    with pytest.raises(Conflict):
        revoke_tier(member, note="Fraud", actor=MANAGER, now=noon("2026-04-01"))


def test_the_tiers_of_invitation_are_never_reached() -> None:
    ladder = [*LADDER, {"code": "circle", "name": "Circle", "invitation_only": True}]
    member = member_with(tiers(ladder=ladder))
    sell(member.customer, "99999", at=noon("2026-02-01"))
    assert standing(member)[0] == "black"
    grant(member, "circle")
    assert standing(member)[0] == "circle"


# --- a ladder for members there already --------------------------------------------------------------------------


def test_a_new_ladder_places_those_who_qualify_when_it_takes_effect() -> None:
    programme = make_programme()
    members = [make_member(programme, character=character) for character in CAST[:4]]
    for member, net in zip(members, ("999", "1000", "3500", "9000"), strict=True):
        write_purchase(member.customer, net, at=noon("2026-02-01"))
    set_membership_status(members[3], "suspended", actor=SYSTEM, now=NIGHT)

    publish_version(programme, make_terms(1, 1, 12, tiers()), valid_from=noon("2026-03-02"), actor=SYSTEM, now=NIGHT)
    job = ProcrastinateJob.objects.get(task_name="loyalty.place_members")
    assert job.args == {"programme_id": programme.pk}
    after, risen = 0, 0
    while (done := place_members(programme, actor=SYSTEM, now=noon("2026-03-03"), after=after, batch=2)).seen:
        after, risen = done.last, risen + done.risen

    assert risen == 2
    assert [standing(member) for member in members] == [
        ("", "None"), ("silver", "2027-12-31"), ("gold", "2027-12-31"), ("", "None"),
    ]  # fmt: skip
    assert place_members(programme, actor=SYSTEM, now=noon("2026-03-03")).risen == 0


def test_a_version_with_the_same_ladder_places_nobody() -> None:
    programme = make_programme(terms=tiers())
    publish_version(programme, make_terms(2, 1, 12, tiers()), valid_from=NIGHT, actor=SYSTEM, now=NIGHT)
    assert not ProcrastinateJob.objects.filter(task_name="loyalty.place_members").exists()


def test_a_placement_never_lowers() -> None:
    member = member_with(tiers())
    hold(member, "black", date(2026, 12, 31))
    assert place_members(member.programme, actor=SYSTEM, now=NIGHT).risen == 0
    assert standing(member) == ("black", "2026-12-31")


# --- those who follow members ------------------------------------------------------------------------------------


def test_followers_hear_of_reviews_by_a_job_and_only_of_fresh_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, str, str]] = []

    def on_tier_changed(membership: Membership, before: str, after: str, *, actor: Actor, now: Any) -> None:
        heard.append((membership.pk, before, after))

    followers: Registry[MemberFollower] = Registry("member follower", name=lambda one: one.name)
    followers.register(MemberFollower("test", on_tier_changed=on_tier_changed))
    for module in (tiering, operations_of_tiers):
        monkeypatch.setattr(module, "member_followers", followers)
    member = member_with(tiers())
    hold(member, "gold", date(2026, 12, 31))
    review("2027-01-05")
    job = ProcrastinateJob.objects.get(task_name="loyalty.announce_tiers")
    assert heard == []
    tier_jobs.announce(**job.args)
    assert heard == [(member.pk, "gold", "")]
    hold(member, "gold", date(2026, 12, 31))
    assert review_tiers(as_of=date(2027, 1, 20), actor=SYSTEM, now=noon("2027-01-20")).changed == 1
    assert ProcrastinateJob.objects.filter(task_name="loyalty.announce_tiers").count() == 1


# --- what is said ------------------------------------------------------------------------------------------------


def test_how_far_the_next_tier_is() -> None:
    member = member_with(tiers(measure="qualifying"))
    for day, amount in (("2026-02-01", "1000"), ("2026-02-10", "1680")):
        sell(member.customer, amount, at=noon(day))
    member.refresh_from_db()
    found = tier_progress(member, NIGHT)
    assert found is not None
    assert (found.tier, found.following, found.missing, found.share) == ("silver", "Gold", Decimal(320), 89)
    assert found.next_words == "320 qualifying points more by 31 Dec 2026 for Gold."
    assert found.keep_words == (
        "Silver until 31 Dec 2027; to keep it: 1,000 qualifying points from 1 Jan 2027 to 31 Dec 2027."
    )
    later = tier_progress(member, noon("2027-06-01"))
    assert later is not None
    assert later.keep_words == ("Silver until 31 Dec 2027; to keep it: 1,000 qualifying points more by 31 Dec 2027.")


def test_at_the_top_and_under_invitation() -> None:
    member = member_with(tiers(window="rolling"))
    write_purchase(member.customer, "100.50", at=noon("2026-02-01"))
    grant(member, "gold")
    member.refresh_from_db()
    found = tier_progress(member, NIGHT)
    assert found is not None
    assert found.next_words == "HK$8,899.50 more within 12 months for Black."
    assert found.keep_words == "Gold by invitation until 31 Dec 2026; then what was earned meanwhile counts."
    hold(member, "black", date(2026, 12, 31))
    member.refresh_from_db()
    top = tier_progress(member, NIGHT)
    assert top is not None
    assert (top.next_words, top.missing, top.share) == ("This is the highest tier.", None, 100)


def test_why_the_tier_is_held() -> None:
    member = member_with(tiers(soft_landing=True))
    sell(member.customer, "3500", at=noon("2026-02-01"))
    review("2028-01-01")
    grant(member, "black", None, now=noon("2028-02-01"), note="Wedding.")
    told = why_tier(member)
    assert [(one.before, one.after, one.words, one.who) for one in told] == [
        ("Silver", "Black", "Granted without an end: Wedding.", "陳太"),
        (
            "Gold", "Silver",
            "HK$0.00 from 1 Jan 2027 to 31 Dec 2027 did not keep the tier; one tier less is Silver.", "",
        ),
        (
            "No tier", "Gold",
            "HK$3,500.00 from 1 Jan 2026 to 1 Feb 2026 reached Gold, which asks for HK$3,000.00.", "",
        ),
    ]  # fmt: skip
    assert told[0].change.version is not None


def test_how_many_hold_each_tier_and_what_it_brings() -> None:
    benefits = [{"kind": "waived_fee", "name": "No registration fee", "refers_to": "registration"}]
    ladder = [LADDER[0], {**LADDER[1], "benefits": benefits}]
    programme = make_programme(terms=tiers(ladder=ladder))
    members = [make_member(programme, character=character) for character in CAST[:3]]
    hold(members[0], "gold", date(2026, 12, 31))
    hold(members[1], "old", date(2026, 12, 31))
    assert [(one.code, one.name, one.members) for one in tier_counts(programme, NIGHT)] == [
        ("", "No tier", 1), ("silver", "Silver", 0), ("gold", "Gold", 1), ("old", "old", 1),
    ]  # fmt: skip
    members[0].refresh_from_db()
    gold = benefits_of(members[0], NIGHT)
    assert (gold.name, gold.multiplier, gold.waives("registration"), gold.waives("delivery")) == (
        "Gold", Decimal(2), True, False,
    )  # fmt: skip
    assert not benefits_of(members[2], NIGHT).waives("registration")


def test_without_a_ladder_nothing_is_said() -> None:
    assert tier_progress(make_member(), NIGHT) is None
    assert why_tier(make_member(character=CAST[1])) == ()
