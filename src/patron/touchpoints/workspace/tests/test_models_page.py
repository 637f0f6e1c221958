"""How customers are judged: visible, adjustable, and refused where it makes no sense."""

import pytest
from django.test import Client

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_staff
from patron.intelligence.insights.models import ModelParameters
from patron.intelligence.insights.queries import get_model_settings
from patron.touchpoints.workspace.model_words import PARAMETERS

pytestmark = pytest.mark.django_db


def _signed_in(role: Role) -> Client:
    client = Client()
    client.force_login(make_staff(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _form(model: str, **changes: str) -> dict[str, str]:
    (settings,) = [each for each in get_model_settings() if each.name == model]
    return {"model": model, **{each.name: str(each.value) for each in settings.parameters}, **changes}


def test_every_parameter_is_explained_in_the_reader_s_language() -> None:
    for model in get_model_settings():
        assert [each.name for each in model.parameters] == list(PARAMETERS[model.name])


def test_an_analyst_changes_a_threshold_and_goes_back() -> None:
    client = _signed_in(Role.ANALYST)

    assert client.post("/settings/models/", _form("lifecycle", lost_min_days="120")).status_code == 302
    assert ModelParameters.objects.latest("id").parameters == {"lost_min_days": 120}
    assert 'value="120"' in client.get("/settings/models/").content.decode()
    client.post("/settings/models/", {"model": "lifecycle", "defaults": "1"})
    assert ModelParameters.objects.latest("id").parameters == {}


@pytest.mark.parametrize("value", ["", "many", "-5"])
def test_a_threshold_that_makes_no_sense_changes_nothing(value: str) -> None:
    response = _signed_in(Role.ANALYST).post("/settings/models/", _form("lifecycle", lost_min_days=value))

    assert response.status_code == 422
    assert not ModelParameters.objects.exists()


def test_a_cashier_may_not_change_how_customers_are_judged() -> None:
    assert _signed_in(Role.CASHIER).post("/settings/models/", _form("value")).status_code == 403
