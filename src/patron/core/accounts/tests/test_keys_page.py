"""The settings page of integration keys."""

import re

import pytest
from django.test import Client

from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.keys import identify_key
from patron.core.accounts.models import IntegrationKey
from patron.core.accounts.operations.keys import create_key, revoke_key
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, make_branch, make_staff
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(make_staff(Role.ADMINISTRATOR))
    return client


def test_a_new_key_is_shown_once_and_works(administrator: Client) -> None:
    branch = make_branch()
    page = administrator.post(
        "/settings/keys/",
        {"name": " Till 7 ", "scopes": ["branches.view"], "branch": "KLN", "rate_per_minute": "120"},
    )

    [token] = re.findall(r"pk_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", page.content.decode())
    key = IntegrationKey.objects.get()
    assert page.headers["Cache-Control"] == "no-store"
    assert identify_key(token) == key
    assert (key.name, key.scopes, key.branch, key.rate_per_minute) == ("Till 7", ["branches.view"], branch, 120)
    assert key.created_by is not None
    assert token not in administrator.get("/settings/keys/").content.decode()


def test_a_key_without_name_or_scope_is_not_made(administrator: Client) -> None:
    page = administrator.post("/settings/keys/", {"name": "", "rate_per_minute": "0"})

    assert page.status_code == 422
    assert page.content.decode().count('<ul class="field-errors"') == 3
    assert not IntegrationKey.objects.exists()


def test_a_permission_that_is_no_scope_cannot_be_given(administrator: Client) -> None:
    page = administrator.post("/settings/keys/", {"name": "x", "scopes": ["accounts.manage"], "rate_per_minute": "60"})

    assert page.status_code == 422
    assert not IntegrationKey.objects.exists()


def test_revoking_ends_a_key_and_keeps_it_on_the_list(administrator: Client) -> None:
    secret = KeySecret.new()
    key = create_key(name="Old till", scopes=["branches.view"], secret=secret, actor=SYSTEM, now=NOW)

    page = administrator.post(f"/settings/keys/{key.pk}/revoke/", follow=True)

    assert identify_key(secret.token) is None
    assert "Old till" in page.content.decode()
    assert "Revoked" in page.content.decode()


def test_reading_the_address_of_revoking_revokes_nothing(administrator: Client) -> None:
    secret = KeySecret.new()
    key = create_key(name="Till", scopes=["branches.view"], secret=secret, actor=SYSTEM, now=NOW)

    assert administrator.get(f"/settings/keys/{key.pk}/revoke/").status_code == 302
    assert identify_key(secret.token) == key


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_manage_keys(role: Role) -> None:
    client = Client()
    client.force_login(make_staff(role))

    assert client.get("/settings/keys/").status_code == 403
    assert client.post("/settings/keys/1/revoke/").status_code == 403


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"scopes": []}, {"scopes": ["accounts.manage"]}, {"rate_per_minute": 0}]
)
def test_the_operation_refuses_what_makes_no_sense(wrong: dict[str, object]) -> None:
    values: dict[str, object] = {"name": "x", "scopes": ["branches.view"], **wrong}

    with pytest.raises(InvalidInput) as caught:
        create_key(**values, secret=KeySecret.new(), actor=SYSTEM, now=NOW)  # type: ignore[arg-type]

    assert caught.value.details == {"field": next(iter(wrong))}
    assert not IntegrationKey.objects.exists()


def test_revoking_what_does_not_exist_says_so_and_twice_changes_nothing() -> None:
    with pytest.raises(NotFound):
        revoke_key(key_id=404, actor=SYSTEM, now=NOW)
    key = create_key(name="Till", scopes=["branches.view"], secret=KeySecret.new(), actor=SYSTEM, now=NOW)
    revoke_key(key_id=key.pk, actor=SYSTEM, now=NOW)

    assert revoke_key(key_id=key.pk, actor=SYSTEM, now=NOW.replace(year=2027)).revoked_at == NOW
