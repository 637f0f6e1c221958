"""The service that phones ask about the cards they carry: Apple's "Adding a Web Service to Update Passes", version 1.

No key opens it: a phone knows its own long name, and for each pass the secret that the pass carries
(`Authorization: ApplePass …`). Who guesses is slowed down by address. Every answer is computed from what is true now,
so a phone that asks is never told of points gone by.
"""

import functools
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.http import http_date, parse_http_date_safe

from patron.business.cards.errors import PassRefused
from patron.business.cards.operations import refresh_faces, register_device, unregister_device
from patron.business.cards.queries import CurrentCard, KeptFace, card_of_pass, cards_on_device
from patron.business.cards.wallets.apple import MEDIA_TYPE, pkpass
from patron.business.cards.wallets.signing import is_pass_token, pass_identity
from patron.kernel import clock
from patron.kernel.actor import system
from patron.kernel.api.problems import MethodNotAllowed, TooManyRequests, Unauthorised, problem_of
from patron.kernel.api.rates import count_request
from patron.kernel.api.reading import is_printable
from patron.kernel.errors import DomainError, InvalidInput

PHONES = system("wallet")
FAILED_ATTEMPTS_PER_MINUTE = 30
"""Requests with a wrong secret that one address may make in a minute."""

MOST_LOG_LINES, LONGEST_LOG_LINE = 20, 300
_TOKEN = re.compile(r"[A-Za-z0-9+/=_:-]{1,200}\Z")
_DEVICE = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponseBase]


def for_phones(*methods: str) -> Callable[[View], View]:
    """A view for phones: only these methods, refusals as problems, nothing kept on the way."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response: HttpResponseBase
            try:
                if request.method not in methods:
                    raise MethodNotAllowed(details={"allowed": ", ".join(methods)})
                if not is_printable(request.path):
                    raise PassRefused
                response = view(request, *args, **kwargs)
            except DomainError as error:
                response = problem_of(request, error)
                if isinstance(error, MethodNotAllowed):
                    response.headers["Allow"] = ", ".join(methods)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        run.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens this door
        return run

    return decorate


@for_phones("POST", "DELETE")
def registration(request: HttpRequest, device: str, pass_type: str, serial: str) -> HttpResponseBase:
    """A phone that wants to be told of a pass (201 the first time, then 200), or no longer (200)."""
    now = clock.now()
    card = _authorised(request, pass_type, serial, now=now)
    if request.method == "DELETE":
        unregister_device(card, device=device, pass_type=pass_type, actor=PHONES, now=now)
        return HttpResponse(status=200)
    token = _body(request).get("pushToken")
    if not _DEVICE.match(device) or not isinstance(token, str) or not _TOKEN.match(token):
        raise InvalidInput(details={"field": "pushToken"})
    created = register_device(card, device=device, pass_type=pass_type, push_token=token, actor=PHONES, now=now)
    return HttpResponse(status=201 if created else 200)


@for_phones("GET")
def changed_passes(request: HttpRequest, device: str, pass_type: str) -> HttpResponseBase:
    """The passes of a phone that changed since the tag it was given last time; 204 where none did.

    The tag names the version that the phone was told of, of each of its passes.
    """
    now = clock.now()
    if not _DEVICE.match(device):
        return HttpResponse(status=204)
    faces = _up_to_date(cards_on_device(device, pass_type, now=now), now=now)
    known = set(request.GET.get("passesUpdatedSince", "").split(","))
    changed = [str(face.serial) for face in faces if _tag(face) not in known]
    if not changed:
        return HttpResponse(status=204)
    return JsonResponse({"serialNumbers": changed, "lastUpdated": ",".join(_tag(face) for face in faces)})


@for_phones("GET")
def latest_pass(request: HttpRequest, pass_type: str, serial: str) -> HttpResponseBase:
    """The pass as it is now; 304 where it is as it was at `If-Modified-Since`. A blocked card's is void."""
    now = clock.now()
    card = _authorised(request, pass_type, serial, now=now)
    if not card.is_kept:
        refresh_faces([card.card_id], actor=PHONES, now=now)
        card = card_of_pass(serial, now=now)
    assert card.kept is not None  # noqa: S101 (it was found by its serial number)
    changed_at = _whole_seconds(card.kept.changed_at)
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    if since is not None and changed_at <= since:
        return HttpResponse(status=304)
    response = HttpResponse(pkpass(card, pass_identity()), content_type=MEDIA_TYPE)
    # A pass that changes again within this second must not look as if it had not.
    response.headers["Last-Modified"] = http_date(changed_at if changed_at < _whole_seconds(now) else changed_at - 1)
    return response


@for_phones("POST")
def phone_log(request: HttpRequest) -> HttpResponseBase:
    """What phones have to say about this service, into the installation's log: a few lines, cut short."""
    attempts = count_request(f"phone log:{_address(request)}", limit=FAILED_ATTEMPTS_PER_MINUTE, now=clock.now())
    lines = _body(request).get("logs")
    if not attempts.exceeded and isinstance(lines, list):
        for line in lines[:MOST_LOG_LINES]:
            log.warning("phone_says", line=str(line)[:LONGEST_LOG_LINE])
    return HttpResponse(status=200)


def _authorised(request: HttpRequest, pass_type: str, serial: str, *, now: datetime) -> CurrentCard:
    """The card of a pass whose secret the phone sent. Raises Unauthorised, also for a pass that there is not."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "ApplePass" and is_pass_token(serial, token.strip()) and pass_type == pass_identity().pass_type:
        return card_of_pass(serial, now=now)
    attempts = count_request(f"passes:{_address(request)}", limit=FAILED_ATTEMPTS_PER_MINUTE, now=now)
    if attempts.exceeded:
        raise TooManyRequests(retry_after=attempts.resets_in_seconds)
    raise Unauthorised


def _up_to_date(cards: Sequence[CurrentCard], *, now: datetime) -> list[KeptFace]:
    """What is kept of these cards, once it says what is true now."""
    behind = [card.card_id for card in cards if not card.is_kept]
    kept = [card.kept for card in cards if card.kept is not None]
    if not behind:
        return kept
    refresh_faces(behind, actor=PHONES, now=now)
    found = (card_of_pass(str(face.serial), now=now) for face in kept)
    return [card.kept for card in found if card.kept is not None]


def _tag(face: KeptFace) -> str:
    return f"{face.serial.hex}.{face.version}"


def _body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the body; phones send nothing else."""
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(details={"field": "body"}) from error
    return given if isinstance(given, dict) else {}


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _whole_seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


urlpatterns: list[URLPattern] = [
    path("v1/devices/<str:device>/registrations/<str:pass_type>/<str:serial>", registration),
    path("v1/devices/<str:device>/registrations/<str:pass_type>", changed_passes),
    path("v1/passes/<str:pass_type>/<str:serial>", latest_pass),
    path("v1/log", phone_log),
]
