"""Designing cards: drafts, versions, pictures."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from patron.business.cards.designs import STANDARD
from patron.business.cards.drawing.keeping import face_of
from patron.business.cards.errors import DesignNotDraft, DesignRefused, NoSuchDesign, PicturesInvalid
from patron.business.cards.models import CardDesign
from patron.business.cards.operations import (
    activate_design,
    change_design,
    create_design,
    discard_design,
    retire_design,
    set_design_picture,
)
from patron.business.cards.queries import current_card, get_design, get_designs
from patron.business.cards.testing import make_design
from patron.business.loyalty.testing import make_member, make_programme
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, make_actor
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import Conflict, InvalidInput, PermissionRefused

pytestmark = pytest.mark.django_db


def make_picture(file_format: str = "PNG", size: tuple[int, int] = (900, 300)) -> SimpleUploadedFile:
    kept = BytesIO()
    Image.new("RGB", size, "#c81e1e").save(kept, file_format)
    return SimpleUploadedFile(f"logo.{file_format.lower()}", kept.getvalue())


def test_a_draft_changes_in_place_and_an_active_design_makes_the_next_version() -> None:
    draft = make_design(make_programme(), active=False)

    changed = change_design(draft, spec={"ground": "#7a1f3d"}, actor=SYSTEM, now=NOW)
    active = activate_design(changed, actor=SYSTEM, now=NOW)
    following = change_design(active, spec={"ground": "#123456"}, actor=SYSTEM, now=NOW)
    again = change_design(active, spec={"ground": "#654321"}, actor=SYSTEM, now=NOW)

    assert changed.pk == draft.pk
    assert (following.version, following.status, again.pk) == (2, "draft", following.pk)
    active.refresh_from_db()
    assert (active.spec["ground"], active.status) == ("#7a1f3d", "active")


def test_retiring_a_design_leaves_the_standard_one() -> None:
    member = make_member()
    design = make_design(member.programme, ground="#7a1f3d")

    retire_design(design, actor=SYSTEM, now=NOW)

    assert current_card(member, now=NOW).design == STANDARD


def test_a_retired_version_can_come_back() -> None:
    programme = make_programme()
    first = make_design(programme)
    make_design(programme)

    activate_design(first, actor=SYSTEM, now=NOW)

    assert list(CardDesign.objects.filter(status="active")) == [first]


def test_what_cannot_be_drawn_is_refused_in_words_that_help() -> None:
    programme = make_programme()

    with pytest.raises(DesignRefused) as refused:
        create_design(programme, name="Faint", spec={"ink": "#0f766f"}, actor=SYSTEM, now=NOW)

    assert refused.value.details == {"field": "ink"}
    assert "contrast 1.0" in str(refused.value)
    assert not CardDesign.objects.exists()


def test_names_are_taken_once() -> None:
    programme = make_programme()
    create_design(programme, name="Spring", spec={}, actor=SYSTEM, now=NOW)

    with pytest.raises(Conflict):
        create_design(programme, name=" Spring ", spec={}, actor=SYSTEM, now=NOW)
    with pytest.raises(InvalidInput):
        create_design(programme, name=" ", spec={}, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_a_logo_is_kept_as_dots_only_and_drawn(file_format: str) -> None:
    member = make_member()
    design = make_design(member.programme, active=False)

    with_logo = set_design_picture(design, "logo", make_picture(file_format), actor=SYSTEM, now=NOW)
    activate_design(with_logo, actor=SYSTEM, now=NOW)

    logo = face_of(current_card(member, now=NOW)).pictures.logo
    with Image.open(BytesIO(logo)) as kept:
        assert (kept.format, kept.size) == ("PNG", (600, 200))
    without = set_design_picture(with_logo, "logo", None, actor=SYSTEM, now=NOW)
    assert (without.version, without.logo.name, bool(with_logo.logo.name)) == (2, "", True)


def test_what_is_no_picture_is_refused() -> None:
    design = make_design(make_programme(), active=False)

    for upload in (
        SimpleUploadedFile("logo.png", b"<svg onload='x'/>"),
        make_picture("GIF"),
        make_picture(size=(6001, 1)),
    ):
        with pytest.raises(PicturesInvalid):
            set_design_picture(design, "logo", upload, actor=SYSTEM, now=NOW)
    design.refresh_from_db()
    assert not design.logo


def test_only_drafts_are_thrown_away() -> None:
    programme = make_programme()
    active, draft = make_design(programme), make_design(programme, active=False)

    discard_design(draft, actor=SYSTEM, now=NOW)
    with pytest.raises(DesignNotDraft):
        discard_design(active, actor=SYSTEM, now=NOW)

    assert list(CardDesign.objects.all()) == [active]


def test_only_designers_see_and_make_designs() -> None:
    programme = make_programme()
    marketer, cashier = make_actor(Role.MARKETER), make_actor(Role.CASHIER)
    design = create_design(programme, name="Spring", spec={}, actor=marketer, now=NOW)

    assert list(get_designs(marketer)) == [design]
    with pytest.raises(NoSuchDesign):
        get_design(design.pk + 1, marketer)
    with pytest.raises(PermissionRefused):
        get_designs(cashier)
    with pytest.raises(PermissionRefused):
        activate_design(design, actor=cashier, now=NOW)
