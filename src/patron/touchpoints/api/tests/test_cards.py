"""Members' cards over the API, and the service that phones ask about the cards they carry."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client
from django.urls import get_resolver
from PIL import Image

from patron.business.cards.models import PassRegistration
from patron.business.cards.operations import hand_out_card, replace_member_card
from patron.business.cards.pushing import Sender, push, senders
from patron.business.cards.wallets import signing
from patron.business.cards.wallets.signing import TRIAL_PASS_TYPE, make_trial_identity, pass_token
from patron.business.loyalty.models import Membership
from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW
from patron.core.activities.models import Activity
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.kernel.models import AuditEntry
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

PASSES = "/api/v1/passes/v1"


class Clock:
    """The present, moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    _ = get_resolver().url_patterns  # views read the clock by name: they must not be loaded while it is another
    monkeypatch.setattr(clock, "now", moved.now)
    return moved


@pytest.fixture(autouse=True)
def wallet(tmp_path: Path, settings: Any) -> Iterator[None]:
    """A house with the trial certificate."""
    settings.HOME = tmp_path
    make_trial_identity(now=NOW)
    signing._loaded.cache_clear()
    yield
    signing._loaded.cache_clear()


class Phone:
    """A phone that carries passes and keeps to the protocol."""

    def __init__(self, device: str = "d3vice") -> None:
        self.device, self.tag = device, ""
        self._client = Client(raise_request_exception=False)

    def register(self, serial: str, *, token: str = "", address: str = "p0sh") -> int:
        return self._client.post(
            f"{PASSES}/devices/{self.device}/registrations/{TRIAL_PASS_TYPE}/{serial}",
            json.dumps({"pushToken": address}),
            content_type="application/json",
            headers={"Authorization": f"ApplePass {token or pass_token(serial)}"},
        ).status_code

    def unregister(self, serial: str, *, token: str = "") -> int:
        return self._client.delete(
            f"{PASSES}/devices/{self.device}/registrations/{TRIAL_PASS_TYPE}/{serial}",
            headers={"Authorization": f"ApplePass {token or pass_token(serial)}"},
        ).status_code

    def changed(self) -> list[str]:
        answer = self._client.get(
            f"{PASSES}/devices/{self.device}/registrations/{TRIAL_PASS_TYPE}", {"passesUpdatedSince": self.tag}
        )
        if answer.status_code == 204:
            return []
        assert answer.status_code == 200
        self.tag = answer.json()["lastUpdated"]
        return list(answer.json()["serialNumbers"])

    def fetch(self, serial: str, *, token: str = "", since: str = "", pass_type: str = TRIAL_PASS_TYPE) -> Any:
        headers = {"Authorization": f"ApplePass {token or pass_token(serial)}"}
        if since:
            headers["If-Modified-Since"] = since
        return self._client.get(f"{PASSES}/passes/{pass_type}/{serial}", headers=headers)


def _said(response: Any) -> dict[str, Any]:
    with ZipFile(BytesIO(response.content)) as opened:
        return dict(json.loads(opened.read("pass.json")))


@pytest.fixture
def member() -> Membership:
    return make_member()


@pytest.fixture
def serial(member: Membership) -> str:
    card = hand_out_card(member, actor=SYSTEM, now=NOW)
    assert card.kept is not None
    return str(card.kept.serial)


def test_the_card_says_what_stands_on_it(caller: Caller, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/card"
    before = caller.get(address).json()
    make_purchase(member.customer, occurred_at=NOW)

    body = caller.get(address).json()

    assert {each["field"]: each["text"] for each in body["shown"]}["balance"] == "63"
    assert body["payload"] == body["number"]
    assert body["content_hash"] != before["content_hash"]


def test_the_picture_is_kept_until_the_face_changes(caller: Caller, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/card.png"
    first = caller.get(address)
    again = caller.get(address, If_None_Match=first.headers["ETag"])
    make_purchase(member.customer, occurred_at=NOW)
    changed = caller.get(address, If_None_Match=first.headers["ETag"])

    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert first.headers["Content-Type"] == "image/png"
    assert first.content != changed.content
    with Image.open(BytesIO(caller.get(address, {"paper": "384"}).content)) as slip:
        assert (slip.mode, slip.width) == ("1", 384)


def test_the_receipt_comes_in_the_printers_commands(caller: Caller, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/card.escpos"

    printed = caller.get(address, {"paper": "384", "script": "big5"}).content

    assert printed.startswith(b"\x1b@")
    assert printed.endswith(b"\x1dV\x00")
    assert caller.get(address, {"script": "morse"}).status_code == 422


def test_a_pass_is_handed_out_and_written_into_the_trail(caller: Caller, member: Membership) -> None:
    answer = caller.get(f"/customers/{member.customer.number}/card.pkpass")

    assert answer.headers["Content-Type"] == "application/vnd.apple.pkpass"
    assert _said(answer)["passTypeIdentifier"] == TRIAL_PASS_TYPE
    assert AuditEntry.objects.filter(operation__endswith="hand_out_card").count() == 1


def test_wallets_that_are_not_set_up_say_so(caller: Caller, member: Membership) -> None:
    signing.trial_path().unlink()

    for ending in ("card.pkpass", "card/google-wallet"):
        answer = caller.get(f"/customers/{member.customer.number}/{ending}")
        assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_configured")


def test_a_pass_needs_the_right_to_hand_it_out(make_caller: CallerMaker, member: Membership) -> None:
    viewer = make_caller("customers.view", "loyalty.view")

    assert viewer.get(f"/customers/{member.customer.number}/card.pkpass").status_code == 403
    assert viewer.get(f"/customers/{member.customer.number}/card.png").status_code == 200
    assert viewer.get("/customers/C-NONE/card.png").status_code == 404


def test_a_phone_registers_once_and_goes(member: Membership, serial: str) -> None:
    phone = Phone()

    assert [phone.register(serial), phone.register(serial, address="n3w")] == [201, 200]
    assert list(PassRegistration.objects.values_list("device", "push_token")) == [("d3vice", "n3w")]
    assert [phone.unregister(serial), phone.unregister(serial)] == [200, 200]
    assert not PassRegistration.objects.exists()
    kinds = Activity.objects.filter(customer=member.customer, kind__startswith="card.").order_by("id")
    assert list(kinds.values_list("kind", flat=True)) == ["card.added_to_wallet", "card.removed_from_wallet"]


def test_a_phone_is_told_of_what_changed_since_it_asked(member: Membership, serial: str) -> None:
    phone = Phone()
    phone.register(serial)

    assert phone.changed() == [serial]
    assert phone.changed() == []
    make_purchase(member.customer, occurred_at=NOW)
    assert phone.changed() == [serial]
    assert phone.changed() == []
    assert _said(phone.fetch(serial))["storeCard"]["primaryFields"][0]["value"] == "63"


def test_of_two_passes_only_the_changed_one_is_named(member: Membership, serial: str) -> None:
    other = make_member()
    second = hand_out_card(other, actor=SYSTEM, now=NOW)
    assert second.kept is not None
    phone = Phone()
    phone.register(serial)
    phone.register(str(second.kept.serial))
    assert len(phone.changed()) == 2

    make_purchase(other.customer, occurred_at=NOW)

    assert phone.changed() == [str(second.kept.serial)]
    assert Phone("another").changed() == []


def test_a_pass_that_did_not_change_is_not_sent_again(member: Membership, serial: str, present: Clock) -> None:
    phone = Phone()
    present.at = NOW + timedelta(minutes=1)
    first = phone.fetch(serial)
    unchanged = phone.fetch(serial, since=first.headers["Last-Modified"])
    make_purchase(member.customer, occurred_at=NOW)
    changed = phone.fetch(serial, since=first.headers["Last-Modified"])
    make_purchase(member.customer, occurred_at=NOW)
    within_the_second = phone.fetch(serial, since=changed.headers["Last-Modified"])

    statuses = [each.status_code for each in (first, unchanged, changed, within_the_second)]
    assert statuses == [200, 304, 200, 200]
    assert _said(within_the_second)["storeCard"]["primaryFields"][0]["value"] == "126"


def test_a_lost_card_is_void_in_the_phone(member: Membership, serial: str) -> None:
    phone = Phone()
    phone.register(serial)
    phone.changed()

    replace_member_card(member, lost=True, actor=SYSTEM, now=NOW)

    assert phone.changed() == [serial]
    said = _said(phone.fetch(serial))
    assert (said["voided"], "barcodes" in said) == (True, False)


@pytest.mark.parametrize("token", ["wrong", "0" * 40, "é"])
def test_a_wrong_secret_opens_nothing(member: Membership, serial: str, token: str) -> None:
    phone = Phone()
    other = hand_out_card(make_member(), actor=SYSTEM, now=NOW)
    assert other.kept is not None
    foreign = pass_token(str(other.kept.serial))

    for secret in (token, foreign):
        assert phone.register(serial, token=secret) == 401
        assert phone.unregister(serial, token=secret) == 401
        assert phone.fetch(serial, token=secret).status_code == 401
    assert phone.fetch(serial, pass_type="pass.other").status_code == 401
    assert not PassRegistration.objects.exists()


def test_who_guesses_is_slowed_down(serial: str) -> None:
    phone = Phone()

    statuses = [phone.fetch(serial, token="wrong").status_code for _ in range(32)]

    assert (statuses[29], statuses[30]) == (401, 429)
    assert phone.fetch(serial).status_code == 200  # who knows the secret is not kept out by others


def test_nonsense_from_phones_is_refused_or_noted(serial: str, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(raise_request_exception=False)
    address = f"{PASSES}/devices/d/registrations/{TRIAL_PASS_TYPE}/{serial}"
    headers = {"Authorization": f"ApplePass {pass_token(serial)}"}

    bodies = (b"", b"[]", b"{", b'{"pushToken": 1}', b'{"pushToken": "a b"}', b"\xff")
    refused = [
        client.post(address, body, content_type="application/json", headers=headers).status_code for body in bodies
    ]

    assert refused == [422] * len(bodies)
    assert client.get(address, headers=headers).status_code == 405
    said = client.post(f"{PASSES}/log", json.dumps({"logs": ["x" * 999, 3]}), content_type="application/json")
    assert said.status_code == 200


def test_phones_are_told_by_the_senders_of_the_house(serial: str, member: Membership) -> None:
    told: list[tuple[str, list[str]]] = []
    Phone().register(serial)
    Phone("second").register(serial, address="n3xt")
    sender = senders.register(Sender("test", lambda pass_type, tokens: told.append((pass_type, list(tokens)))))
    try:
        push(card_ids=[member.cards.get().pk])
    finally:
        del senders._items[sender.name]

    assert told == [(TRIAL_PASS_TYPE, ["n3xt", "p0sh"])]
