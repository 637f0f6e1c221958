"""Cards as they are now: what is read, when it is written again, and what the database keeps."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from patron.business.cards.drawing import keeping
from patron.business.cards.errors import NoSuchCard
from patron.business.cards.jobs import sweep
from patron.business.cards.models import CardDesign, CardFace, FaceChange
from patron.business.cards.operations import hand_out_card, refresh_face, refresh_faces, replace_member_card
from patron.business.cards.queries import card_of_pass, cards_numbered, current_card, current_cards, faces_behind
from patron.business.cards.testing import make_design
from patron.business.cards.words import number
from patron.business.loyalty.models import Card, Membership
from patron.business.loyalty.operations import spend_points
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


def _balance(membership: Membership) -> str:
    return current_card(membership, now=NOW).content.text_of("balance")


def _refreshed(membership: Membership):
    with transaction.atomic():
        return refresh_face(membership, actor=SYSTEM, now=NOW)


def test_a_card_shows_points_as_soon_as_they_are_earned_and_spent() -> None:
    member = make_member()
    before = current_card(member, now=NOW)

    make_purchase(member.customer, occurred_at=NOW)
    earned = current_card(member, now=NOW)
    spend_points(member, Decimal(13), request_key="gift", actor=SYSTEM, now=NOW)

    assert (before.content.text_of("balance"), earned.content.text_of("balance"), _balance(member)) == ("0", "63", "50")
    assert len({before.content_hash, earned.content_hash, current_card(member, now=NOW).content_hash}) == 3


def test_reading_any_number_of_cards_takes_two_queries() -> None:
    programme = make_programme()
    members = [make_member(programme) for _ in range(12)]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        cards = current_cards([member.pk for member in members], now=NOW)

    assert (len(cards), len(queries)) == (12, 2)


def test_a_face_is_rewritten_within_three_queries_and_only_when_it_changed() -> None:
    member = make_member()
    make_purchase(member.customer, occurred_at=NOW)

    with transaction.atomic(), CaptureQueriesContext(connection) as first:
        refresh_face(member, actor=SYSTEM, now=NOW)
    with transaction.atomic(), CaptureQueriesContext(connection) as again:
        refresh_face(member, actor=SYSTEM, now=NOW)

    assert (len(first), len(again)) == (3, 2)
    assert list(FaceChange.objects.values_list("version", flat=True)) == [1]


def test_every_rewriting_is_counted_and_logged() -> None:
    member = make_member()
    for hour in range(3):
        make_purchase(member.customer, occurred_at=NOW + timedelta(hours=hour))
        card = _refreshed(member)

    face = CardFace.objects.get()
    assert (face.version, face.content["shown"][1]["text"]) == (3, card.content.text_of("balance"))
    assert list(FaceChange.objects.order_by("version").values_list("version", "actor")) == [
        (1, "system"), (2, "system"), (3, "system"),
    ]  # fmt: skip
    assert FaceChange.objects.get(version=3).content_hash == face.content_hash == card.content_hash


def test_the_log_of_faces_is_only_added_to() -> None:
    _refreshed(make_member())

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        FaceChange.objects.update(version=2)


def test_who_has_no_card_has_no_face() -> None:
    member = make_member()
    Card.objects.update(status=Card.Status.LOST)

    assert _refreshed(member) is None
    with pytest.raises(NoSuchCard):
        current_card(member, now=NOW)


def test_a_lost_card_is_void_and_the_new_one_shows_the_same_points() -> None:
    member = make_member()
    make_purchase(member.customer, occurred_at=NOW)
    old = hand_out_card(member, actor=SYSTEM, now=NOW)

    card = replace_member_card(member, lost=True, actor=SYSTEM, now=NOW)

    assert old.kept is not None
    lost = card_of_pass(str(old.kept.serial), now=NOW)
    assert (lost.content.blocked, lost.is_kept) == (True, True)
    assert CardFace.objects.get(card_id=old.card_id).is_voided
    fresh = current_card(member, now=NOW)
    assert (fresh.card_id, fresh.content.blocked, fresh.content.text_of("balance")) == (card.pk, False, "63")
    assert fresh.content.payload != old.content.payload


def test_a_suspended_membership_blocks_its_card() -> None:
    member = make_member()
    Membership.objects.update(status=Membership.Status.SUSPENDED)

    assert current_card(member, now=NOW).content.blocked


def test_the_sweep_finds_what_others_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    programme = make_programme()
    shown, never_shown = make_member(programme), make_member(programme)
    hand_out_card(shown, actor=SYSTEM, now=NOW)
    sweep(timestamp=0)
    spare = CardFace.objects.get().version

    make_purchase(shown.customer)
    make_purchase(never_shown.customer)
    sweep(timestamp=0)

    face = CardFace.objects.get()
    assert (face.membership_id, face.version) == (shown.pk, spare + 1)
    assert current_card(shown, now=face.changed_at).is_kept


def test_the_sweep_voids_cards_that_were_blocked_elsewhere() -> None:
    member = make_member()
    card = hand_out_card(member, actor=SYSTEM, now=NOW)
    Card.objects.update(status=Card.Status.LOST)

    assert card.card_id in faces_behind().card_ids
    assert refresh_faces([card.card_id], actor=SYSTEM, now=NOW) == 1
    assert CardFace.objects.get().is_voided
    assert cards_numbered([card.card_id], now=NOW)[0].is_kept


def test_an_active_design_is_on_the_card_at_once() -> None:
    member = make_member(customer=make_customer(WANG))
    before = current_card(member, now=NOW)

    design = make_design(member.programme, ground="#7a1f3d", places={"headline": "name", "figure": "joined"})
    after = current_card(member, now=NOW)

    assert (before.design_id, after.design_id, after.design.ground) == (None, design.pk, "#7a1f3d")
    assert {each.field for each in after.content.shown} == {"name", "joined"}
    assert before.content_hash != after.content_hash


def test_one_design_is_active_at_a_time() -> None:
    programme = make_programme()
    first, second = make_design(programme), make_design(programme)

    first.refresh_from_db()
    assert (first.status, second.status) == ("retired", "active")
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        CardDesign.objects.filter(pk=first.pk).update(spec={})
    with pytest.raises(IntegrityError, match="card_design_one_active"), transaction.atomic():
        CardDesign.objects.filter(pk=first.pk).update(status="active")


def test_pictures_are_drawn_once_for_each_face(monkeypatch: pytest.MonkeyPatch, tmp_path, settings) -> None:
    settings.HOME = tmp_path
    member = make_member()
    card = current_card(member, now=NOW)
    first = keeping.card_png(card)
    monkeypatch.setattr(keeping, "face_png", lambda _face: b"drawn again")

    assert keeping.card_png(card) == first
    make_purchase(member.customer, occurred_at=NOW)
    assert keeping.card_png(current_card(member, now=NOW)) == b"drawn again"


def test_kept_pictures_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path, settings) -> None:
    settings.HOME = tmp_path
    monkeypatch.setattr(keeping, "FILES_IN_FOLDER", 3)
    for size in range(7):
        keeping._kept("ab" + "0" * 30, f"{size}.png", partial(bytes, size))

    assert len(list((tmp_path / "cache" / "cards" / "ab").iterdir())) == 3


def test_a_tier_brings_its_name_its_end_and_its_own_design() -> None:
    programme = make_programme(terms={"tiers": {"ladder": [{"code": "gold", "name": "金卡", "threshold": "1000"}]}})
    member, other = make_member(programme), make_member(programme)
    Membership.objects.filter(pk=member.pk).update(tier="gold", tier_until=date(2027, 12, 31))
    places = {"corner": "tier", "foot": "valid_thru"}
    everyone, gold = make_design(programme), make_design(programme, tier="gold", places=places)

    card, plain = current_card(member, now=NOW), current_card(other, now=NOW)

    assert (card.design_id, plain.design_id) == (gold.pk, everyone.pk)
    assert (card.content.text_of("tier"), card.content.text_of("valid_thru")) == ("金卡", "2027年12月31日")
    assert plain.content.text_of("tier") == ""


def test_who_is_near_the_next_tier_is_told_how_near() -> None:
    ladder = [
        {"code": "gold", "name": "金卡", "threshold": "100"},
        {"code": "top", "name": "鑽石卡", "threshold": "9000"},
    ]
    programme = make_programme(terms={"tiers": {"measure": "spend", "ladder": ladder}}, expiry_months=None)
    member = make_member(programme)
    make_purchase(member.customer, occurred_at=NOW)

    with CaptureQueriesContext(connection) as queries:
        card = current_card(member, now=NOW + timedelta(days=60))  # the birthday is over

    spent = member.customer.purchases.get().net_amount
    assert (card.content.occasion, card.facts.next_tier) == ("near_tier", "金卡")
    assert card.facts.missing_amount == 100 - spent
    assert number(100 - spent) in card.content.message
    assert len(queries) == 3
