"""What terminals told before: the first answer is the answer."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from patron.business.tills.errors import ClientIdReused, ClockAhead, TooOld
from patron.business.tills.models import Terminal, TillEntry
from patron.business.tills.rules import Clock, set_right
from patron.kernel.errors import InvalidInput
from patron.kernel.prepared import fetch

LONGEST_ID = 80

_EARLIER = "SELECT digest, answer FROM tills_tillentry WHERE terminal_id = %s::bigint AND client_id = %s::text"

_WRITE = """
INSERT INTO tills_tillentry (terminal_id, client_id, kind, digest, purchase_id, membership_id, occurred_at,
    points_spent, voucher_amount, answer, actor)
VALUES (%s::bigint, %s::text, %s::text, %s::text, %s::bigint, %s::bigint, %s::timestamptz, %s::numeric, %s::numeric,
    %s::jsonb, %s::text)
"""

_TODAY = """
SELECT coalesce(sum(points_spent), 0), coalesce(sum(voucher_amount), 0) FROM tills_tillentry
WHERE terminal_id = %s::bigint AND recorded_at >= %s::timestamptz AND kind = 'sale'
"""


def digest_of(kind: str, request: Mapping[str, Any]) -> str:
    """A digest of everything that a request says: the same request has the same."""
    text = json.dumps({"kind": kind, **request}, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def earlier_answer(terminal: Terminal, client_id: str, digest: str) -> dict[str, Any] | None:
    """The answer that this request got, None if it is new. Raises ClientIdReused for another one under its id."""
    if not 0 < len(client_id) <= LONGEST_ID or not client_id.isprintable():
        raise InvalidInput(f"A client id has 1 to {LONGEST_ID} characters.", details={"field": "client_id"})
    rows = fetch(_EARLIER, [terminal.pk, client_id])
    if not rows:
        return None
    ((known, answer),) = rows
    if known != digest:
        raise ClientIdReused(details={"client_id": client_id})
    found: dict[str, Any] = json.loads(answer) if isinstance(answer, str) else answer
    return found


def write_entry(
    terminal: Terminal,
    client_id: str,
    *,
    kind: str,
    digest: str,
    purchase_id: int,
    membership_id: int | None,
    occurred_at: datetime,
    answer: Mapping[str, Any],
    actor: str,
    points_spent: Decimal = Decimal(0),
    voucher_amount: Decimal = Decimal(0),
) -> None:
    """Keep what was answered."""
    fetch(
        _WRITE,
        [
            terminal.pk, client_id, kind, digest, purchase_id, membership_id, occurred_at, points_spent, voucher_amount,
            json.dumps(answer, cls=DjangoJSONEncoder), actor,
        ],
    )  # fmt: skip


def redeemed_since(terminal: Terminal, since: datetime) -> tuple[Decimal, Decimal]:
    """Points and voucher money that a terminal has taken since an instant."""
    ((points, vouchers),) = fetch(_TODAY, [terminal.pk, since])
    return points, vouchers


def entry_of_sale(terminal: Terminal, client_id: str) -> TillEntry | None:
    """The sale that a terminal told under this id."""
    return (
        TillEntry.objects.select_related("purchase", "membership__customer", "membership__programme")
        .filter(terminal__branch=terminal.branch_id, client_id=client_id, kind=TillEntry.Kind.SALE)
        .order_by("-terminal_id")
        .first()
    )


def checked_clock(terminal: Terminal, occurred_at: datetime, *, now: datetime, sent_at: datetime | None) -> Clock:
    """When this happened by our clock. Raises ClockAhead, TooOld."""
    clock = set_right(occurred_at, now=now, sent_at=sent_at)
    if clock is None:
        raise ClockAhead(details={"field": "occurred_at", "now": now.isoformat()})
    if now - clock.at > timedelta(days=terminal.offline_days) + timedelta(hours=1):
        raise TooOld(details={"field": "occurred_at", "days": terminal.offline_days})
    return clock
