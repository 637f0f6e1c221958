"""Answers given once."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from patron.kernel.api import idempotency
from patron.kernel.api.idempotency import InvalidKey, KeyUsedDifferently, StillWorking, answer_once, forget_answers
from patron.kernel.models import IdempotentAnswer, ImportMapping

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def _request(body: object = None, path: str = "/things") -> HttpRequest:
    return RequestFactory().post(path, data=json.dumps(body), content_type="application/json")


def _making(name: str, *, status: int = 201) -> Callable[[], HttpResponse]:
    """Work that leaves a row behind, so that one can count how often it was done."""

    def work() -> HttpResponse:
        mapping = ImportMapping.objects.create(importer=name, name=str(ImportMapping.objects.count()), updated_at=NOW)
        return HttpResponse(
            json.dumps({"z": mapping.name, "a": "貴客"}),
            status=status,
            content_type="application/json",
            headers={"Location": "/things/1"},
        )

    return work


@pytest.mark.django_db
def test_the_second_request_gets_the_first_answer_to_the_byte_and_does_nothing() -> None:
    first = answer_once(_request({"n": 1}), _making("x"), owner="key:1", key="k-1")
    second = answer_once(_request({"n": 1}), _making("x"), owner="key:1", key="k-1")

    assert isinstance(first, HttpResponse)
    assert isinstance(second, HttpResponse)
    assert (second.status_code, second.content, second.headers["Location"]) == (201, first.content, "/things/1")
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ImportMapping.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("other", [_request({"n": 2}), _request({"n": 1}, "/other"), _request({"n": 1}, "/things?x")])
def test_the_same_key_with_another_request_is_refused(other: HttpRequest) -> None:
    answer_once(_request({"n": 1}), _making("x"), owner="key:1", key="k-1")

    with pytest.raises(KeyUsedDifferently):
        answer_once(other, _making("x"), owner="key:1", key="k-1")

    assert ImportMapping.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_different_owners_have_nothing_to_do_with_each_other() -> None:
    answer_once(_request(), _making("x"), owner="key:1", key="k-1")
    answer_once(_request(), _making("x"), owner="key:2", key="k-1")

    assert ImportMapping.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_request_leaves_nothing_and_may_be_sent_again() -> None:
    refused = answer_once(_request(), _making("x", status=409), owner="key:1", key="k-1")

    assert refused.status_code == 409
    assert not ImportMapping.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert answer_once(_request(), _making("x"), owner="key:1", key="k-1").status_code == 201


@pytest.mark.django_db
def test_work_that_breaks_leaves_neither_change_nor_answer() -> None:
    def broken() -> HttpResponse:
        _making("x")()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answer_once(_request(), broken, owner="key:1", key="k-1")

    assert not ImportMapping.objects.exists()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "鍵", "tab\t"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(InvalidKey):
        answer_once(_request(), _making("x"), owner="key:1", key=key)


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_the_same_time_one_works_and_all_get_its_answer() -> None:
    answers: list[HttpResponse] = []
    together = threading.Barrier(4)

    def send() -> None:
        together.wait()
        answers.append(answer_once(_request({"n": 1}), _making("x"), owner="key:1", key="k-1"))  # type: ignore[arg-type]
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True, True, True]
    assert ImportMapping.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_waits_too_long_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    working, may_finish = threading.Event(), threading.Event()

    def slow() -> HttpResponse:
        working.set()
        may_finish.wait(20)
        return _making("x")()

    def send() -> None:
        answer_once(_request(), slow, owner="key:1", key="k-1")
        connections.close_all()

    thread = threading.Thread(target=send)
    thread.start()
    working.wait(20)
    with pytest.raises(StillWorking):
        answer_once(_request(), _making("x"), owner="key:1", key="k-1")
    may_finish.set()
    thread.join(30)

    assert answer_once(_request(), _making("x"), owner="key:1", key="k-1").headers["Idempotency-Replayed"] == "true"
    assert ImportMapping.objects.count() == 1


@pytest.mark.django_db
def test_old_answers_are_forgotten() -> None:
    answer_once(_request(), _making("x"), owner="key:1", key="old")
    IdempotentAnswer.objects.update(created_at=NOW - timedelta(days=8))
    answer_once(_request(), _making("x"), owner="key:1", key="new")

    assert forget_answers(before=NOW - idempotency.KEPT_FOR) == 1
    assert IdempotentAnswer.objects.get().key == "new"


@pytest.mark.django_db
def test_waiting_is_limited_for_the_key_alone() -> None:
    def look() -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return HttpResponse(cursor.fetchone()[0])

    assert answer_once(_request(), look, owner="key:1", key="k-1").content == b"0"  # type: ignore[attr-defined]
