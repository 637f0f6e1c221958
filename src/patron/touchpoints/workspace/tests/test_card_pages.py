"""Card designs and members' cards as pages: who may, what is shown, what is written."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from patron.business.cards.models import CardDesign, CardFace
from patron.business.cards.testing import make_design
from patron.business.cards.wallets import signing
from patron.business.cards.wallets.signing import make_trial_identity
from patron.business.loyalty.models import Card
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW
from patron.kernel.models import AuditEntry
from patron.touchpoints.workspace.tests.customer_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path
    signing._loaded.cache_clear()


def _fields(client: Client, design: CardDesign) -> dict[str, str]:
    """What a browser would send of the editor's form, as it is."""
    form = client.get(reverse("card-design", args=[design.pk])).context["form"]
    values = {part.html_name: part.value() for part in form}
    return {name: "on" if value is True else str(value or "") for name, value in values.items() if value is not False}


def test_the_list_shows_the_standard_card_before_there_is_a_design() -> None:
    programme = make_programme()
    client = signed_in(Role.MARKETER)

    html = client.get(reverse("card-designs")).content.decode()
    started = client.post(reverse("card-designs"), {"programme": programme.pk, "name": "Spring"})

    assert "Members' cards show the standard design" in html
    assert html.count("data:image/png;base64,") == 1
    draft = CardDesign.objects.get()
    assert started.headers["Location"] == reverse("card-design", args=[draft.pk])


def test_a_design_is_drafted_shown_and_put_on_cards() -> None:
    design = make_design(make_programme(), active=False)
    client = signed_in(Role.MARKETER)
    fields = _fields(client, design) | {
        "ground": "#7a1f3d",
        "place_third": "joined",
        "say_default_en": "Hello, {name}!",
        "code": "code128",
    }

    saved = client.post(reverse("card-design", args=[design.pk]), fields)
    activated = client.post(reverse("card-design-decide", args=[design.pk, "activate"]))

    assert (saved.status_code, activated.status_code) == (302, 302)
    design.refresh_from_db()
    assert (design.status, design.spec["ground"], design.spec["places"]["third"]) == ("active", "#7a1f3d", "joined")
    assert {"occasion": "default", "tier": "", "texts": design.spec["messages"][-1]["texts"]} in design.spec["messages"]
    assert design.spec["messages"][-1]["texts"]["en"] == "Hello, {name}!"
    assert "On cards now" in client.get(reverse("card-designs")).content.decode()


def test_changing_an_active_design_drafts_the_next_version() -> None:
    design = make_design(make_programme())
    client = signed_in(Role.MARKETER)

    answer = client.post(reverse("card-design", args=[design.pk]), _fields(client, design) | {"ground": "#123456"})

    draft = CardDesign.objects.get(status="draft")
    assert (draft.version, answer.headers["Location"]) == (2, reverse("card-design", args=[draft.pk]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ink": "#0f766f"}, "cannot be read on this ground"),
        ({"place_foot": "name"}, "stands on the card already"),
        ({"say_default_en": "{secret}"}, "not something that a message can fill in"),
    ],
)
def test_what_cannot_be_drawn_comes_back_with_words(change: dict[str, str], words: str) -> None:
    design = make_design(make_programme(), active=False)
    client = signed_in(Role.MARKETER)

    answer = client.post(reverse("card-design", args=[design.pk]), _fields(client, design) | change)

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_the_preview_follows_the_form_without_saving() -> None:
    design = make_design(make_programme(), active=False)
    client = signed_in(Role.MARKETER)
    address, fields = reverse("card-design-preview", args=[design.pk]), _fields(client, design)

    plain, red, chinese, wrong = (
        client.post(address, fields | change).content.decode()
        for change in ({}, {"ground": "#7a1f3d"}, {"language": "zh-hant", "occasion": "birthday"}, {"ink": "#0f766f"})
    )

    assert len({re.findall('src="(data:[^"]+)"', html)[0] for html in (plain, red, chinese)}) == 3
    assert "cannot be drawn yet" in wrong
    design.refresh_from_db()
    assert design.spec["ground"] == "#0f766e"


def test_pictures_go_on_the_draft() -> None:
    design = make_design(make_programme(), active=False)
    client = signed_in(Role.MARKETER)
    kept = BytesIO()
    Image.new("RGB", (60, 30), "red").save(kept, "PNG")
    address = reverse("card-design-picture", args=[design.pk])

    good = client.post(address, {"kind": "logo", "file": SimpleUploadedFile("logo.png", kept.getvalue())})
    bad = client.post(address, {"kind": "logo", "file": SimpleUploadedFile("logo.png", b"no picture")})

    design.refresh_from_db()
    assert (good.status_code, bad.status_code, bool(design.logo)) == (302, 422, True)
    picture = client.get(reverse("card-design-png", args=[design.pk]))
    assert picture.headers["Content-Type"] == "image/png"


def test_the_card_is_on_the_members_page_and_changes_with_the_points() -> None:
    member = make_member()
    client = signed_in()
    address = reverse("customer", args=[member.customer.number])

    def picture_url() -> str:
        html = client.get(address, {"tab": "loyalty"}).content.decode()
        return str(re.findall(r'src="(/customers/[^"]+card\.png[^"]*)"', html)[0])

    before = picture_url()
    make_purchase(member.customer)
    after = picture_url()

    assert before != after
    answer = client.get(after)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(after, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert "immutable" not in client.get(before).headers["Cache-Control"]


def test_the_card_is_printed_and_carried_away() -> None:
    member = make_member()
    client = signed_in()
    number = member.customer.number
    make_trial_identity(now=NOW)

    pdf = client.get(reverse("member-card-print", args=[number]))
    receipt = client.get(reverse("member-card-receipt", args=[number]))
    bundle = client.get(reverse("member-card-pass", args=[number]))
    html = client.get(reverse("customer", args=[number]), {"tab": "loyalty"}).content.decode()

    assert pdf.content.startswith(b"%PDF-")
    assert receipt.content.startswith(b"\x1b@")
    assert bundle.content.startswith(b"PK")
    assert "Apple Wallet (trial)" in html
    assert client.get(reverse("member-card-google", args=[number])).status_code == 404
    assert AuditEntry.objects.filter(operation__endswith="hand_out_card").count() == 2


def test_a_lost_card_is_replaced_from_the_page() -> None:
    member = make_member()
    client = signed_in()
    client.get(reverse("member-card-print", args=[member.customer.number]))

    answer = client.post(reverse("member-card-replace", args=[member.customer.number]), {"lost": "yes"})

    assert answer.status_code == 302
    assert sorted(Card.objects.values_list("status", flat=True)) == ["active", "lost"]
    assert sorted(CardFace.objects.values_list("is_voided", flat=True)) == [False, True]


@pytest.mark.parametrize(
    ("name", "role"),
    [("member-card-print", Role.ANALYST), ("member-card-pass", Role.ANALYST), ("card-designs", Role.CASHIER)],
)
def test_who_may_not_is_refused(name: str, role: Role) -> None:
    member = make_member()
    arguments = [] if name == "card-designs" else [member.customer.number]

    assert signed_in(role).get(reverse(name, args=arguments)).status_code == 403
