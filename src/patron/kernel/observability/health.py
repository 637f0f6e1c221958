"""Is the process alive, is the installation ready, what has it counted: /healthz, /readyz, /metrics.

Rooms add what must hold before requests can be served with `readiness.register(...)` in their `health.py`.
"""

import hmac
import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from patron.kernel.observability import metrics
from patron.kernel.registries import Registry
from patron.kernel.ui.pages import PageRequest, page

log = structlog.get_logger("patron.health")


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """`fault` returns an empty string when all is well, else a sentence for the person on duty (nothing secret)."""

    name: str
    fault: Callable[[], str]


readiness: Registry[ReadinessCheck] = Registry("readiness check", name=lambda check: check.name)


@page(public=True)
def healthz(request: PageRequest) -> HttpResponse:  # noqa: ARG001
    """200 while the process can answer at all. Asks nothing of the database."""
    return _fresh(JsonResponse({"status": "alive"}))


@page(public=True)
def readyz(request: PageRequest) -> HttpResponse:  # noqa: ARG001
    """200 when every check holds, else 503; the body names each check and what is wrong with it."""
    faults = {check.name: _fault_of(check) for check in readiness}
    ready = not any(faults.values())
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {name: {"ok": not fault, "fault": fault} for name, fault in faults.items()},
    }
    return _fresh(JsonResponse(body, status=200 if ready else 503))


@page(public=True)
def show_metrics(request: PageRequest) -> HttpResponse:
    """The counters, for callers from this machine or a private network, or with the token PATRON_METRICS_TOKEN."""
    if not _may_read_metrics(request):
        return _fresh(HttpResponse("Ask from a private network, or with the metrics token.\n", status=403))
    return _fresh(HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST))


def _may_read_metrics(request: HttpRequest) -> bool:
    token = os.environ.get("PATRON_METRICS_TOKEN", "")
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    # Behind a proxy everybody seems to come from the machine itself; then only the token will do.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_loopback or address.is_private


def _fresh(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def _fault_of(check: ReadinessCheck) -> str:
    try:
        return check.fault()
    except Exception:
        log.warning("readiness check broke", check=check.name, exc_info=True)
        return "the check itself failed; the log says why"


def _database_fault() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        # A connection that broke stays broken until it is closed.
        connection.close()
        return "the database does not answer"
    return ""


_migrations_in_step = False


def _migrations_fault() -> str:
    """Looked at until it holds once: this process's code does not change, and tables are never migrated backwards."""
    global _migrations_in_step  # noqa: PLW0603
    if _migrations_in_step:
        return ""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        connection.close()
        return "the database does not answer"
    if missing:
        return f"{len(missing)} migrations are missing: run patron up, or patron manage migrate"
    _migrations_in_step = True
    return ""


readiness.register(ReadinessCheck("database", _database_fault))
readiness.register(ReadinessCheck("migrations", _migrations_fault))


def _jobs_by_status() -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status::text, count(*) FROM procrastinate_jobs "
            "WHERE status IN ('todo', 'doing', 'failed') GROUP BY status"
        )
        found = dict(cursor.fetchall())
    return {status: float(found.get(status, 0)) for status in ("todo", "doing", "failed")}


metrics.gauges.register(
    metrics.Gauge("patron_jobs", "Jobs waiting (todo), running (doing) and failed.", _jobs_by_status, label="status")
)
