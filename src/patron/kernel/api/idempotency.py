"""Answers given once: a request sent again under its key gets the first answer, and is not done again.

The answer is written in the transaction of the change: neither exists without the other. Only answers of success are
kept; a refused request changed nothing and may be sent again under the same key.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from patron.kernel.errors import Conflict, DomainError, InvalidInput
from patron.kernel.models import IdempotentAnswer

KEPT_FOR = timedelta(days=7)
WAIT_SECONDS = 5
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEPT_HEADERS = ("Content-Type", "Location")


class InvalidKey(InvalidInput):
    """A key of another form than 1 to 200 printable ASCII characters without spaces."""

    code = "invalid_idempotency_key"
    message = _("Idempotency-Key must be 1 to 200 printable ASCII characters without spaces, for example a UUID.")


class KeyUsedDifferently(InvalidInput):
    """The key came before with another request."""

    code = "idempotency_key_reused"
    message = _("This Idempotency-Key was used for another request. Use a new key for each new request.")


class StillWorking(Conflict):
    """The first request under the key has not finished."""

    code = "request_in_progress"
    message = _("The first request with this Idempotency-Key is still being worked on. Try again in a moment.")


def answer_once(
    request: HttpRequest, work: Callable[[], HttpResponseBase], *, owner: str, key: str
) -> HttpResponseBase:
    """Do `work` in a transaction and keep its answer under `owner` and `key`; or give the answer kept before.

    An answer of 400 and above undoes everything and is not kept. Of several requests at the same time one does the
    work and the others wait for it, up to WAIT_SECONDS.
    Raises InvalidKey, KeyUsedDifferently, StillWorking.
    """
    if not _KEY.fullmatch(key):
        raise InvalidKey
    digest = _digest(request)
    with transaction.atomic():
        taken = _take(owner, key, digest)
        if taken is None:
            return _kept_answer(owner, key, digest)
        response = work()
        if response.status_code >= 400 or not isinstance(response, HttpResponse):
            transaction.set_rollback(True)
            return response
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        # The body is kept as text: PostgreSQL would sort the members of a JSON object.
        body = {"text": response.content.decode(), "headers": headers}
        IdempotentAnswer.objects.filter(pk=taken).update(status=response.status_code, body=body)
        return response


def forget_answers(*, before: datetime) -> int:
    """Delete answers given before `before`; returns how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=before).delete()[0]


def _digest(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(request.body)
    return digest.hexdigest()


def _take(owner: str, key: str, digest: str) -> int | None:
    """Claim the key; None when somebody has it already. Waits for one who is claiming it at this moment."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(WAIT_SECONDS * 1000)}ms"])
            cursor.execute(
                """
                INSERT INTO kernel_idempotentanswer (owner, key, request_digest) VALUES (%s, %s, %s)
                ON CONFLICT (owner, key) DO NOTHING RETURNING id
                """,
                [owner, key, digest],
            )
            row = cursor.fetchone()
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise StillWorking(details={"retry_after": 1}) from error
        raise
    return None if row is None else int(row[0])


def _kept_answer(owner: str, key: str, digest: str) -> HttpResponse:
    kept = IdempotentAnswer.objects.get(owner=owner, key=key)
    if kept.request_digest != digest:
        raise KeyUsedDifferently
    if kept.status is None or kept.body is None:
        raise DomainError
    response = HttpResponse(kept.body["text"], status=kept.status, headers=kept.body["headers"])
    response.headers["Idempotency-Replayed"] = "true"
    return response
