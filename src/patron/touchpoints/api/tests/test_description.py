"""The API's description: the document, the snapshot of it, and the page."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

import patron
from patron.touchpoints.api.management.commands.openapi import written
from patron.touchpoints.api.views import openapi_document

SNAPSHOT = Path(patron.__file__).parents[2] / "docs" / "openapi.json"


def test_the_document_is_the_one_agreed() -> None:
    """A change of this file is a change for everybody's programs: read it as one. `make openapi` renews it."""
    assert SNAPSHOT.read_text(encoding="utf-8") == written(openapi_document()), (
        "read the difference, then: make openapi"
    )


def test_the_command_writes_the_document(tmp_path: Path) -> None:
    call_command("openapi", str(tmp_path / "openapi.json"))

    assert (tmp_path / "openapi.json").read_text(encoding="utf-8") == written(openapi_document())


def test_the_document_is_served_without_a_key_and_without_a_query(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == json.loads(written(openapi_document()))
    assert answer.json()["openapi"] == "3.1.0"


def test_every_operation_says_what_it_needs_and_how_it_may_be_refused() -> None:
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["x-scope"], where
            assert operation["security"] == [{"Key": []}], where
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), where
            assert ("409" in operation["responses"]) == (method != "get"), where


@pytest.mark.django_db
def test_the_page_shows_every_endpoint_without_scripts_of_its_own(client: Client) -> None:
    page = client.get("/api/v1/docs")

    text = page.content.decode()
    assert page.status_code == 200
    for operations in openapi_document()["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in text
    assert "<script>" not in text
    assert "unpkg" not in text
    assert "jsdelivr" not in text
    assert "lines[].quantity" in text
    assert "curl -X POST http://testserver/api/v1/purchases" in text
