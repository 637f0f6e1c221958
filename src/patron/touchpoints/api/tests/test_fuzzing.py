"""Whatever is sent, valid or not, the API answers as its description says and never with a fault of its own.

Schemathesis makes the requests from the OpenAPI document. They go through the whole WSGI application, with a key that
may do everything, against a database with a little of everything in it.
"""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import make_branch
from patron.core.catalog.testing import make_product
from patron.core.customers.testing import CHAN, make_customer
from patron.touchpoints.api.tests.conftest import Caller
from patron.touchpoints.api.views import openapi_document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"max-examples": 10, "deterministic": True, "no-shrink": True, "database": "none"},
        "phases": {"coverage": {"enabled": True}, "stateful": {"enabled": False}},
    }
)


schema = schemathesis.openapi.from_dict(openapi_document(), config=CONFIG)
schema.app = get_wsgi_application()


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The application must not close the connection of the test's transaction between requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def seeded(db: None, one_connection: None) -> None:
    """A little of everything, under names that the generator is likely to hit."""
    branch = make_branch("0")
    make_product("0")
    member = make_member(customer=make_customer(CHAN, branch=branch, number="0"))
    make_purchase(member.customer, branch=branch)


@pytest.mark.slow
@schema.parametrize()
@hypothesis.settings(
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_the_api_keeps_to_its_description(case: Any, caller: Caller, seeded: None) -> None:
    checks = CHECKS
    if "Authorization" not in (case.headers or {}):  # spoiled by leaving out the key, which is put in here
        checks = [check for check in CHECKS if check is not negative_data_rejection]
    case.call_and_validate(headers={"Authorization": f"Bearer {caller.token}"}, checks=checks)
