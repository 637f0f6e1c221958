"""Setting up a programme in the workspace: build a draft part by part, simulate it, publish it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from patron.business.loyalty.models import Programme, ProgrammeVersion
from patron.business.loyalty.simulating import last_month
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import sell
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch, make_staff
from patron.core.catalog.testing import make_product
from patron.kernel.clock import house_zone, now, today

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


def _signed_in(role: Role = Role.MARKETER) -> Client:
    client = Client()
    client.force_login(make_staff(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _text(response: Any) -> str:
    return str(response.content.decode())


def _draft(programme: Programme) -> dict[str, Any]:
    programme.refresh_from_db()
    assert programme.draft is not None
    return dict(programme.draft)


def _change(client: Client, code: str, fragment: bool = True, **values: Any) -> Any:
    address = f"/loyalty/programme/{code}/draft/"
    return client.post(address, values, headers=HX if fragment else {})


BONUS: dict[str, Any] = {
    "name": "Dairy Tuesday",
    "effect": "multiply",
    "factor": "2",
    "categories": ["Dairy"],
    "weekdays": ["2"],
}


def test_without_a_programme_one_is_set_up_by_its_name() -> None:
    client = _signed_in()
    assert "no loyalty programme yet" in _text(client.get("/loyalty/programme/"))

    assert client.post("/loyalty/programme/start/", {"name": ""}).status_code == 422
    response = client.post("/loyalty/programme/start/", {"name": "Joy Club"})

    assert response["Location"] == "/loyalty/programme/club/edit/"
    assert Programme.objects.get().name == "Joy Club"
    page = _text(client.get("/loyalty/programme/"))
    assert "1 point per HK$1.00; points live 12 months, to the end of that month." in page


def test_the_page_says_what_is_in_force_and_who_published_it() -> None:
    ladder = {"ladder": [{"code": "gold", "name": "Gold", "threshold": "1000", "multiplier": "2"}]}
    programme = make_programme("club", terms={"tiers": ladder})
    make_member(programme)

    page = _text(_signed_in(Role.CASHIER).get("/loyalty/programme/"))

    assert "1 point per HK$1.00; points live 12 months, to the end of that month; 1 tier." in page
    assert "Gold: from 1,000 qualifying points on, 2 × points." in page
    assert "Patron" in page
    assert "in force" in page
    assert "Change the rules" not in page


def test_a_draft_is_built_part_by_part_and_saved_at_every_change() -> None:
    make_product(category="Dairy > Milk")
    programme = make_programme("club")
    client = _signed_in()

    added = client.post("/loyalty/programme/club/draft/", {"action": "add", "preset": "goods"})
    assert added["Location"] == "/loyalty/programme/club/edit/?part=bonuses-0#part-bonuses-0"
    assert 'name="factor" value="2"' in _text(client.get("/loyalty/programme/club/edit/?part=bonuses-0"))
    assert 'value="Dairy &gt; Milk"' in _text(
        client.get("/loyalty/programme/find/?find=categories&find_categories=mil", headers=HX)
    )

    saved = _text(_change(client, "club", part="bonuses-0", **BONUS))

    assert 'id="said-bonuses-0"' in saved
    assert "Double points on Dairy, every Tuesday." in saved
    assert _draft(programme)["bonuses"] == [
        {"code": "goods", "name": "Dairy Tuesday", "effect": "multiply", "factor": "2", "categories": ["Dairy"],
         "weekdays": [2]}
    ]  # fmt: skip
    page = _text(client.get("/loyalty/programme/club/edit/?part=bonuses-0"))
    assert 'value="Dairy" ' in page
    assert ProgrammeVersion.objects.count() == 1


def test_what_the_rules_refuse_stands_beside_its_field_and_the_draft_is_kept() -> None:
    programme = make_programme("club")
    client = _signed_in()
    _change(client, "club", fragment=False, action="add", preset="goods")

    saved = _text(_change(client, "club", part="bonuses-0", **BONUS | {"factor": "many"}))

    assert 'id="why-factor" aria-live="polite" hx-swap-oob="true">This is not a number.</p>' in saved
    assert "Not ready to publish:" in saved
    assert _draft(programme)["bonuses"][0]["factor"] == "many"
    page = _text(client.get("/loyalty/programme/club/edit/?part=bonuses-0"))
    assert 'id="why-factor" aria-live="polite">This is not a number.</p>' in page
    refused = client.get("/loyalty/programme/club/publish/")
    assert refused["Location"] == "/loyalty/programme/club/edit/?part=bonuses-0"
    assert "nothing to simulate" in _text(
        client.get("/loyalty/programme/club/simulate/?from_on=2026-01-01&until_on=2026-01-31")
    )


@pytest.mark.parametrize(
    ("part", "values", "kept"),
    [
        (
            "earning",
            {"base_points": "2", "base_per_amount": "10", "base_part_units": "on", "rounding": "up", "combine": "add"},
            {"base": {"points": "2", "per_amount": "10", "whole_units": False}, "rounding": "up", "combine": "add"},
        ),
        ("limits", {"cap_purchase": "500", "pending_days": "14"}, {"cap": {"purchase": "500"}, "pending_days": "14"}),
        (
            "exclusions",
            {"excluded_brands": ["Smoke"], "excluded_kinds": ["gift_card"]},
            {"excluded": {"brands": ["Smoke"]}, "excluded_kinds": ["gift_card"], "excluded_tenders": []},
        ),
        ("expiry", {"expiry_kind": "rolling", "expiry_n": "6"}, {"expiry": {"kind": "rolling", "n": "6"}}),
        (
            "paying",
            {"paying_points": "100", "paying_amount": "1", "paying_most_share": "50"},
            {"paying": {"points": "100", "amount": "1", "most_share": "50"}},
        ),
        (
            "ladder",
            {"measure": "spend", "window": "calendar_year", "months": "12", "soft_landing": "on"},
            {"tiers": {"measure": "spend", "window": "calendar_year", "months": "12", "soft_landing": True,
                       "ladder": []}},
        ),
    ],
)  # fmt: skip
def test_every_part_keeps_what_was_typed_and_shows_it_again(
    part: str, values: dict[str, Any], kept: dict[str, Any]
) -> None:
    programme = make_programme("club")
    client = _signed_in()

    assert _change(client, "club", part=part, **values).status_code == 200

    assert {name: value for name, value in _draft(programme).items() if name in kept} == kept
    assert client.get(f"/loyalty/programme/club/edit/?part={part}").status_code == 200
    assert client.get("/loyalty/programme/club/publish/").status_code == 200


def test_tiers_with_benefits_and_events_are_added_moved_and_removed() -> None:
    programme = make_programme("club")
    client = _signed_in()
    for preset in ("tier", "tier", "survey"):
        _change(client, "club", fragment=False, action="add", preset=preset)
    values: dict[str, Any] = {
        "name": "Gold",
        "threshold": "5000",
        "multiplier": "2",
        "benefit_service": "Lounge\nParking",
        "benefit_voucher": "Coffee [COFFEE]",
    }

    saved = _text(_change(client, "club", part="tiers-1", **values))

    assert "Gold: from 5,000 qualifying points on, 2 × points, Lounge, Parking, Coffee." in saved
    silver, gold = _draft(programme)["tiers"]["ladder"]
    assert (silver["code"], gold["code"]) == ("silver", "gold")
    assert gold["benefits"][2] == {"kind": "voucher", "name": "Coffee", "refers_to": "COFFEE"}
    page = _text(client.get("/loyalty/programme/club/edit/?part=tiers-1"))
    assert "Coffee [COFFEE]" in page
    assert _draft(programme)["events"][0]["code"] == "survey"

    moved = _change(client, "club", fragment=False, part="tiers-1", action="up")
    assert "part=tiers-0" in moved["Location"]
    assert "Each tier asks for more than the one below it." in _text(client.get(moved["Location"].split("#")[0]))
    _change(client, "club", fragment=False, part="tiers-0", action="remove")
    _change(client, "club", fragment=False, part="events-0", action="remove")
    assert [tier["code"] for tier in _draft(programme)["tiers"]["ladder"]] == ["silver"]
    assert _draft(programme)["events"] == []
    assert client.get("/loyalty/programme/club/edit/?part=tiers-7").status_code == 422
    client.post("/loyalty/programme/club/draft/", {"action": "discard"})
    programme.refresh_from_db()
    assert programme.draft is None


def test_a_draft_is_simulated_over_last_month() -> None:
    programme = make_programme("club")
    member = make_member(programme)
    first, last = last_month(today(now()))
    sell(member.customer, "100", at=datetime(first.year, first.month, 3, 12, tzinfo=house_zone()))
    client = _signed_in()
    _change(client, "club", part="earning", base_points="3", base_per_amount="1", rounding="down", combine="multiply")

    response = client.get(f"/loyalty/programme/club/simulate/?from_on={first}&until_on={last}", headers=HX)

    shown = " ".join(_text(response).split())
    assert "this would have given <strong>300</strong> points instead of <strong>100</strong>" in shown
    assert "<strong>HK$2.00</strong> more, 2.00 % of sales." in shown
    assert "1 member gains, 0 lose." in shown
    assert f"/customers/{member.customer.number}/" in shown
    assert "<html" not in shown
    assert client.get(f"/loyalty/programme/club/simulate/?from_on={last}&until_on={first}").status_code == 422


def test_publishing_is_a_decision_with_a_moment() -> None:
    programme = make_programme("club")
    client = _signed_in()
    _change(client, "club", part="earning", base_points="2", base_per_amount="1", rounding="down", combine="multiply")
    page = _text(client.get("/loyalty/programme/club/publish/"))
    assert "<ins>2 points per HK$1.00, parts of a point are dropped.</ins>" in page
    assert "<del>1 point per HK$1.00, parts of a point are dropped.</del>" in page

    past = client.post("/loyalty/programme/club/publish/", {"when": "later", "moment": "2026-01-01T00:00"})
    assert past.status_code == 422
    assert "This moment has passed." in _text(past)
    empty = client.post("/loyalty/programme/club/publish/", {"when": "later"})
    assert "Choose a day and an hour." in _text(empty)
    assert ProgrammeVersion.objects.count() == 1

    tomorrow = today(now()) + timedelta(days=1)
    done = client.post(
        "/loyalty/programme/club/publish/", {"when": "later", "moment": f"{tomorrow}T08:30", "note": "Autumn"}
    )

    assert done["Location"] == "/loyalty/programme/?programme=club"
    version = ProgrammeVersion.objects.latest("version")
    assert version.valid_from == datetime.combine(tomorrow, datetime.min.time(), house_zone()) + timedelta(
        hours=8, minutes=30
    )
    assert (version.note, version.terms["base"]["points"]) == ("Autumn", "2")
    programme.refresh_from_db()
    assert programme.draft is None
    assert "to come" in _text(client.get("/loyalty/programme/"))


def test_settings_are_changed_and_refused() -> None:
    programme = make_programme("club")
    client = _signed_in()

    done = client.post(
        "/loyalty/programme/club/settings/", {"name": "Joy", "point_value": "0.02", "four_eyes_above": "100"}
    )
    refused = client.post(
        "/loyalty/programme/club/settings/", {"name": "Joy", "point_value": "2000", "four_eyes_above": "100"}
    )

    assert (done.status_code, refused.status_code) == (302, 422)
    programme.refresh_from_db()
    assert (programme.name, programme.point_value) == ("Joy", Decimal("0.02"))


def test_only_who_sets_up_the_programme_may_change_it() -> None:
    make_programme("club")
    client = _signed_in(Role.CASHIER)

    for address in ("edit/", "publish/", f"simulate/?from_on={date(2026, 1, 1)}&until_on={date(2026, 1, 2)}"):
        assert client.get(f"/loyalty/programme/club/{address}").status_code == 403
    assert _change(client, "club", part="earning").status_code == 403


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_the_builder_opens_in_every_language(language: str) -> None:
    make_branch()
    make_programme("club")
    client = _signed_in()
    client.cookies["patron_language"] = language
    for preset in ("goods", "tier", "survey"):
        _change(client, "club", fragment=False, action="add", preset=preset)

    for part in (
        "",
        "earning",
        "limits",
        "exclusions",
        "expiry",
        "paying",
        "ladder",
        "bonuses-0",
        "tiers-0",
        "events-0",
    ):
        assert client.get(f"/loyalty/programme/club/edit/?part={part}").status_code == 200
