"""Counting requests by owner and minute, with one statement each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from patron.kernel.models import RateWindow
from patron.kernel.prepared import fetch

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an owner may still do in the present window."""

    limit: int
    used: int
    resets_in_seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-09)."""
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"minute";r={self.remaining};t={self.resets_in_seconds}',
        }


def count_request(owner: str, *, limit: int, now: datetime) -> Allowance:
    """Count one request of `owner` and say what is left. Call outside a transaction, or the count may be lost."""
    second = int(now.timestamp())
    start = second - second % WINDOW_SECONDS
    ((used,),) = fetch(
        """
        INSERT INTO kernel_ratewindow (owner, window_start, count) VALUES (%s::text, to_timestamp(%s::bigint), 1)
        ON CONFLICT (owner, window_start) DO UPDATE SET count = kernel_ratewindow.count + 1
        RETURNING count
        """,
        [owner, start],
    )
    return Allowance(limit=limit, used=used, resets_in_seconds=start + WINDOW_SECONDS - second)


def forget_windows(*, before: datetime) -> int:
    """Delete windows that began before `before`; returns how many."""
    return RateWindow.objects.filter(window_start__lt=before - timedelta(seconds=WINDOW_SECONDS)).delete()[0]
