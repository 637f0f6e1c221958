"""Who gets in: keys, scopes, rates."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import gettext, override

from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.models import IntegrationKey
from patron.core.accounts.operations.keys import revoke_key
from patron.core.accounts.testing import NOW, make_branch
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.kernel.models import AuditEntry, RateWindow
from patron.touchpoints.api.gate import FAILED_ATTEMPTS_PER_MINUTE
from patron.touchpoints.api.root import api
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db


def _operations() -> list[tuple[str, str, str]]:
    """Method, address and scope of every endpoint, from the description that the API gives of itself."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    return [
        (method.upper(), address, operation["x-scope"])
        for address, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]


def _ask(client: Client, method: str, address: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    path = address.replace("{", "").replace("}", "")
    return client.generic(method, path, b"{}", content_type="application/json", headers=headers)


def test_every_endpoint_names_a_scope_that_exists(make_caller: CallerMaker) -> None:
    caller = make_caller()

    assert _operations()
    assert {scope for _method, _address, scope in _operations()} <= set(caller.key.scopes)


def test_every_route_behind_the_api_is_described() -> None:
    routes = {
        (method, f"/api/v1/{router.prefix}/{path}".replace("//", "/"))
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }

    assert {(method, address) for method, address, _scope in _operations()} == {
        (method, address.replace("//", "/").replace("path:", "")) for method, address in routes
    }


@pytest.mark.parametrize(("method", "address", "scope"), _operations())
def test_without_a_key_no_endpoint_answers(method: str, address: str, scope: str) -> None:
    answer = _ask(Client(), method, address)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="patron"'
    assert answer.json()["code"] == "unauthorised"


@pytest.mark.parametrize(("method", "address", "scope"), _operations())
def test_without_its_scope_no_endpoint_answers(make_caller: CallerMaker, method: str, address: str, scope: str) -> None:
    scopes = set(make_caller().key.scopes) - {scope}
    caller = make_caller(*scopes)

    answer = _ask(Client(), method, address, caller.token)

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"
    assert answer.json()["details"] == {"scope": scope}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Basic cGF0cm9uOnNlY3JldA==",
        "Bearer pk_aaaaaaaaaa_" + "A" * 43,
        "Bearer pk_é_é",
    ],
)
def test_what_is_no_key_is_refused(header: str) -> None:
    answer = Client().get("/api/v1/branches", headers={"Authorization": header})

    assert answer.status_code == 401


def test_a_wrong_secret_under_a_known_prefix_is_refused(caller: Caller) -> None:
    forged = KeySecret(caller.key.prefix, KeySecret.new().secret)

    assert _ask(Client(), "GET", "/api/v1/branches", forged.token).status_code == 401
    assert _ask(Client(), "GET", "/api/v1/branches", caller.token).status_code == 200


def test_a_revoked_key_is_refused_from_the_next_request_on(caller: Caller) -> None:
    assert caller.get("/branches").status_code == 200

    revoke_key(key_id=caller.key.pk, actor=SYSTEM, now=NOW)

    assert caller.get("/branches").status_code == 401


def test_only_the_digest_of_a_secret_is_kept_and_the_audit_does_not_know_it(caller: Caller) -> None:
    secret = caller.token.split("_", 2)[2]
    row = IntegrationKey.objects.values().get(pk=caller.key.pk)
    entry = AuditEntry.objects.get(operation="core.accounts.keys.create_key")

    assert row["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    assert entry.subject == f"accounts.integrationkey:{caller.key.pk}"
    assert entry.facts["secret"] == "(private)"
    assert len(secret) == 43  # 256 bits in base64
    assert repr(KeySecret("abc", secret)) == "KeySecret(prefix='abc')"


def test_a_key_takes_down_the_day_of_its_use_once_a_day(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 15, 59, tzinfo=UTC))  # 23:59 in Hong Kong
    caller.get("/branches")
    with django_assert_num_queries(3):  # the key, the rate, the branches
        caller.get("/branches")
    used_on = IntegrationKey.objects.get(pk=caller.key.pk).last_used_on
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 16, 1, tzinfo=UTC))
    caller.get("/branches")

    assert str(used_on) == "2026-03-02"
    assert str(IntegrationKey.objects.get(pk=caller.key.pk).last_used_on) == "2026-03-03"
    assert AuditEntry.objects.filter(operation="core.accounts.keys.note_key_use").count() == 2


def test_a_key_may_make_its_number_of_requests_a_minute(
    make_caller: CallerMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 3, 2, 1, 0, 50, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)
    caller = make_caller("branches.view", rate_per_minute=2)
    other = make_caller("branches.view", rate_per_minute=2)

    answers = [caller.get("/branches") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"minute";r=1;t=10',
        '"minute";r=0;t=10',
        '"minute";r=0;t=10',
    ]
    assert answers[2].headers["RateLimit-Policy"] == '"minute";q=2;w=60'
    assert answers[2].headers["Retry-After"] == "10"
    assert answers[2].json()["code"] == "too_many_requests"
    assert other.get("/branches").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(seconds=10))
    assert caller.get("/branches").status_code == 200


def test_an_address_may_try_so_often_without_a_key_and_valid_keys_do_not_suffer(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    statuses = [Client().get("/api/v1/branches").status_code for _ in range(FAILED_ATTEMPTS_PER_MINUTE + 1)]

    assert statuses == [401] * FAILED_ATTEMPTS_PER_MINUTE + [429]
    assert Client(REMOTE_ADDR="10.0.0.9").get("/api/v1/branches").status_code == 401
    assert caller.get("/branches").status_code == 200
    assert RateWindow.objects.filter(owner="address:127.0.0.1").get().count == FAILED_ATTEMPTS_PER_MINUTE + 1


def test_a_key_bound_to_a_branch_sees_that_branch_alone(make_caller: CallerMaker) -> None:
    kowloon, _central = make_branch("KLN"), make_branch("CTL", "中環店 Central")
    everywhere, bound = make_caller("branches.view"), make_caller("branches.view", branch=kowloon)

    assert [branch["code"] for branch in everywhere.get("/branches").json()["items"]] == ["CTL", "KLN"]
    assert [branch["code"] for branch in bound.get("/branches").json()["items"]] == ["KLN"]
    assert bound.get("/branches/KLN").status_code == 200
    assert bound.get("/branches/CTL").status_code == 404


@pytest.mark.parametrize(("header", "language"), [("en", "en"), ("zh-HK", "zh-hant"), ("zh-CN,en;q=0.5", "zh-hans")])
def test_refusals_are_in_the_language_asked_for(header: str, language: str) -> None:
    answer = Client().get("/api/v1/branches", headers={"Accept-Language": header})

    with override(language):
        expected = gettext("Send a valid key: Authorization: Bearer pk_…")
    assert answer.headers["Content-Language"] == language
    assert answer.json()["detail"] == expected
    assert answer.json()["code"] == "unauthorised"
