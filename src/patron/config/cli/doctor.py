"""`patron doctor`: what is in order, what is not, and what to do about it."""

import contextlib
import os
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer
from rich.console import Console
from rich.table import Table

from patron.config.cli.root import explain
from patron.config.cli.session import installation, setup_django
from patron.config.cli.supervisor import is_up
from patron.config.home import home_directory

if TYPE_CHECKING:
    from patron.business.loyalty.queries import LedgerCheck

app = typer.Typer(add_completion=False)
console = Console(highlight=False)

State = Literal["ok", "warning", "failure"]
_SIGNS: dict[State, str] = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failure": "[red]✗[/]"}
_LITTLE_ROOM_BYTES = 2 * 2**30
_OLDEST_SERVER = 150_000
_STALE_AFTER_HOURS = 26
_SILENT_AFTER_SECONDS = 60
_TAMPERED = "Someone changed it behind its back. Compare with a backup: patron restore"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `hint` says what to do where it is not in order."""

    name: str
    state: State
    facts: str
    hint: str = ""


@app.command(help="Check the installation and say what to do about what is not in order.")
def doctor() -> None:
    """Exit code 1 when something fails; warnings alone leave it 0."""
    findings = list(examine(home_directory()))
    table = Table(show_header=False, box=None, padding=(0, 1))
    for finding in findings:
        table.add_row(_SIGNS[finding.state], finding.name, finding.facts)
        if finding.hint and finding.state != "ok":
            table.add_row("", "", f"[dim]→ {finding.hint}[/]")
    console.print(table)
    failures = sum(finding.state == "failure" for finding in findings)
    console.print(f"{failures} of {len(findings)} checks failed." if failures else "Everything needed is in order.")
    if failures:
        raise typer.Exit(1)


def examine(home: Path) -> Iterator[Finding]:
    """Look at everything, from the ground up. A database that cannot be reached ends the checks that need one."""
    yield _python()
    yield from _home(home)
    yield _disk(home)
    yield _port(home)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(installation(migrate=False))
            yield _server()
        except Exception as error:
            words = explain(error)
            if words is None:
                raise
            yield Finding("Database", "failure", words, "Check PATRON_DATABASE_URL and the server's log.")
            return
        for check in (
            _migrations,
            _worker,
            _ledger,
            _stored_value,
            _vouchers,
            _gifts,
            _warehouse,
            _static,
            _system_checks,
        ):
            yield from _guarded(check, home)


def _guarded(check: Callable[[Path], Iterator[Finding]], home: Path) -> Iterator[Finding]:
    from django.db import Error

    try:
        yield from check(home)
    except Error as error:
        yield Finding(check.__name__.strip("_").capitalize(), "failure", str(error).splitlines()[0], "Run: patron up")


def _python() -> Finding:
    version = platform.python_version()
    state: State = "ok" if sys.version_info >= (3, 11) else "failure"
    return Finding("Python", state, f"{version} ({sys.prefix})", "Patron needs Python 3.11 or newer.")


def _home(home: Path) -> Iterator[Finding]:
    if not os.access(home, os.W_OK | os.X_OK):
        yield Finding(
            "Home", "failure", f"{home} cannot be written", f"Give it to the user who runs Patron: chown {home}"
        )
        return
    yield Finding("Home", "ok", str(home))
    secret = home / "secret_key"
    if secret.exists():
        mode = stat.S_IMODE(secret.stat().st_mode)
        state: State = "failure" if mode & 0o077 else "ok"
        yield Finding("Secret key", state, f"mode {mode:o}", f"Others can read it. Run: chmod 600 {secret}")


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    state: State = "warning" if free < _LITTLE_ROOM_BYTES else "ok"
    return Finding("Disk", state, f"{free / 2**30:,.1f} GB free", "Make room: imports and backups need some.")


def _port(home: Path) -> Finding:
    given = os.environ.get("PATRON_PORT", "8000")
    if not given.isdigit() or not 0 < int(given) < 65_536:
        return Finding("Web", "failure", f"PATRON_PORT is “{given}”", "Set it to a number from 1 to 65535.")
    port = int(given)
    if is_up(home):
        return Finding("Web", "ok", f"patron up is running ({(home / 'run' / 'up.lock').read_text(encoding='utf-8')})")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("PATRON_HOST", "127.0.0.1"), port))
        except OSError as error:
            hint = f"Another program listens there. Choose another port: PATRON_PORT={port + 1}"
            return Finding("Web", "warning", f"port {port}: {error.strerror}", hint)
    return Finding("Web", "ok", f"not running; port {port} is free")


def _server() -> Finding:
    from django.db import connection

    connection.ensure_connection()
    number = connection.pg_version  # type: ignore[attr-defined] # of the PostgreSQL backend
    kind = "your server" if connection.settings_dict["HOST"][:1] != "/" else "over a local socket"
    state: State = "ok" if number >= _OLDEST_SERVER else "failure"
    return Finding(
        "Database", state, f"PostgreSQL {number // 10_000}.{number % 10_000}, {kind}", "Patron needs 15 or newer."
    )


def _migrations(home: Path) -> Iterator[Finding]:  # noqa: ARG001 — checks share one shape
    from patron.config.cli.prepare import pending_migrations

    pending = pending_migrations()
    if pending:
        yield Finding(
            "Tables", "failure", f"{len(pending)} steps behind ({pending[0]} …)", "Run: patron manage migrate"
        )
    else:
        yield Finding("Tables", "ok", "in step with the program")


def _worker(home: Path) -> Iterator[Finding]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(extract(epoch FROM now() - last_heartbeat)) FROM procrastinate_workers "
            "        WHERE last_heartbeat > now() - make_interval(secs => %s)), "
            "       (SELECT count(*) FROM procrastinate_jobs "
            "        WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()), "
            "       (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed')",
            [_SILENT_AFTER_SECONDS],
        )
        heartbeat, waiting, failed = cursor.fetchone()
    facts = f"{waiting} jobs waiting, {failed} failed"
    if heartbeat is not None:
        yield Finding("Worker", "ok", f"alive; {facts}")
    elif is_up(home):
        yield Finding("Worker", "failure", f"silent; {facts}", f"See {home / 'log' / 'worker.log'}")
    else:
        yield Finding("Worker", "ok", f"not running; {facts}")


def _ledger(home: Path) -> Iterator[Finding]:  # noqa: ARG001 — checks share one shape
    from patron.business.loyalty.queries import check_ledger

    yield _adds_up("Points ledger", check_ledger())


def _stored_value(home: Path) -> Iterator[Finding]:  # noqa: ARG001
    from patron.business.storedvalue.queries import check_stored_value

    yield _adds_up("Stored value", check_stored_value())


def _vouchers(home: Path) -> Iterator[Finding]:  # noqa: ARG001
    from patron.business.vouchers.queries import check_vouchers

    yield _adds_up("Vouchers", check_vouchers())


def _adds_up(name: str, checks: Sequence["LedgerCheck"]) -> Finding:
    broken = [
        f"not so: {check.statement} ({check.faults}, e.g. {check.example})" for check in checks if not check.holds
    ]
    facts = "; ".join(broken) or f"adds up ({len(checks)} checks)"
    return Finding(name, "failure" if broken else "ok", facts, _TAMPERED)


def _gifts(home: Path) -> Iterator[Finding]:  # noqa: ARG001
    from patron.business.gifts.queries import check_stock

    faults = check_stock()
    if faults:
        first = faults[0]
        facts = (
            f"{len(faults)} shelves do not hold what moved, e.g. shelf {first.stock_id}: {first.on_hand} there and "
            f"{first.reserved} reserved, {first.moved} and {first.ordered} expected"
        )
        yield Finding("Gift stock", "failure", facts, _TAMPERED)
    else:
        yield Finding("Gift stock", "ok", "agrees with movements and orders")


def _warehouse(home: Path) -> Iterator[Finding]:  # noqa: ARG001 — checks share one shape
    from django.conf import settings

    from patron.intelligence.warehouse.store import Store

    store = Store(Path(settings.WAREHOUSE_DIRECTORY))
    if store.current_version() is None:
        yield Finding("Warehouse", "warning", "empty", "Run: patron refresh")
        return
    manifest = store.current_or_none()
    if manifest is None:
        yield Finding("Warehouse", "failure", "files of the current version are missing", "Run: patron refresh --full")
        return
    checked = datetime.fromisoformat(store.checked_at() or manifest.taken_at)
    hours = (datetime.now(UTC) - checked).total_seconds() / 3600
    state: State = "warning" if hours > _STALE_AFTER_HOURS else "ok"
    yield Finding("Warehouse", state, f"version {manifest.version}, {hours:,.1f} hours old", "Run: patron refresh")


def _static(home: Path) -> Iterator[Finding]:  # noqa: ARG001 — checks share one shape
    from django.conf import settings

    if (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        yield Finding("Static files", "ok", "collected")
    else:
        yield Finding("Static files", "warning", "not collected yet", "“patron up” does it")


def _system_checks(home: Path) -> Iterator[Finding]:  # noqa: ARG001 — checks share one shape
    from django.core.checks import ERROR, run_checks

    setup_django()
    messages = run_checks(databases=["default"])
    if not messages:
        yield Finding("Program", "ok", "its own checks pass")
    for message in messages:
        state: State = "failure" if message.level >= ERROR else "warning"
        yield Finding("Program", state, f"{message.msg} ({message.id})", message.hint or "")
