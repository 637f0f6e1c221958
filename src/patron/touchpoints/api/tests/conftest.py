"""Keys and a caller for the tests of the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.keys import integration_scopes
from patron.core.accounts.models import Branch, IntegrationKey
from patron.core.accounts.operations.keys import create_key
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM


class Caller:
    """A machine with a key that speaks to the API."""

    def __init__(self, token: str, key: IntegrationKey) -> None:
        self.token, self.key = token, key
        self._client = Client(raise_request_exception=False)

    def get(self, address: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._client.get(f"/api/v1{address}", data=query or {}, headers=self._headers(headers))

    def send(self, method: str, address: str, body: object, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.generic(
            method, f"/api/v1{address}", data, content_type="application/json", headers=self._headers(headers)
        )

    def post(self, address: str, body: object, **headers: str) -> Any:
        return self.send("POST", address, body, **headers)

    def patch(self, address: str, body: object, **headers: str) -> Any:
        return self.send("PATCH", address, body, **headers)

    def put(self, address: str, body: object, **headers: str) -> Any:
        return self.send("PUT", address, body, **headers)

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in given.items()}
        return {"Authorization": f"Bearer {self.token}", **named}


CallerMaker = Callable[..., Caller]


@pytest.fixture
def make_caller() -> CallerMaker:
    """A caller with the scopes named (all of them unless told), bound to `branch` if one is given."""

    def make(*scopes: str, branch: Branch | None = None, rate_per_minute: int = 60_000) -> Caller:
        secret = KeySecret.new()
        key = create_key(
            name="Till",
            scopes=scopes or [permission.code for permission in integration_scopes()],
            secret=secret,
            branch=branch,
            rate_per_minute=rate_per_minute,
            actor=SYSTEM,
            now=NOW,
        )
        return Caller(secret.token, key)

    return make


@pytest.fixture
def caller(make_caller: CallerMaker, db: None) -> Caller:
    """A caller who may do everything that a key can be given."""
    return make_caller()
