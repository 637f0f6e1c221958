"""What must be done before the product can serve: tables in step, static files collected. `python -m …prepare` does
it.

Run by the supervisor in a process of its own, so that the supervisor stays small. Each step looks first and does
nothing when there is nothing to do: a second start is quick.
"""

import hashlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from patron.config.cli.root import CommandError, errors, explain
from patron.config.cli.session import be_quiet, setup_django
from patron.config.home import home_directory

# Any constant known to Patron alone: two programs that start at once migrate one after the other.
_MIGRATION_LOCK = 7_126_549_103

_console = Console(highlight=False)


def migrate_if_needed() -> bool:
    """Bring the tables in step with the program; says whether there was anything to do.

    Safe to call at the same time.
    """
    from django.core.management import call_command
    from django.db import connection

    if not _pending_migrations():
        return False
    _refuse_newer_tables()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
    return True


def collect_static_if_needed(home: Path) -> bool:
    """Copy, compress and name the static files, when any of them changed; says whether there was anything to do."""
    from django.conf import settings
    from django.core.management import call_command

    stamp = home / "run" / "static.sha256"
    digest = _digest_of_static_files()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest and Path(settings.STATIC_ROOT).is_dir():
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest, encoding="ascii")
    return True


def pending_migrations() -> list[str]:
    """The migrations that the database lacks, as `app.name`."""
    return [f"{app}.{name}" for app, name in _pending_migrations()]


def _pending_migrations() -> list[tuple[str, str]]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return [(step.app_label, step.name) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _refuse_newer_tables() -> None:
    """Raise when the database has steps that this program does not know: an older program would do harm."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("patron.")}
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in ours and (app, name) not in loader.disk_migrations
    )
    if unknown:
        raise CommandError(f"The database is of a newer Patron (it has {unknown[0]}). Install that version.")


def _digest_of_static_files() -> str:
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]["BACKEND"]).encode())
    for finder in get_finders():
        for name, storage in finder.list(None):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _load_demo(home: Path) -> None:
    """Load the demo company unless it is there, and leave a note of who may sign in for the supervisor to show."""
    note = home / "run" / "demo.json"
    if note.exists() and (home / "demo" / "loaded").exists():
        return
    from patron.config import demo

    sign_ins = demo.load(tell=lambda text: _console.print(f"  {text}"))
    _mine_once()
    note.write_text(json.dumps(sign_ins), encoding="utf-8")


def _mine_once() -> None:
    """Make the first warehouse and insights; later ones, and the analyses, are the worker's."""
    from django.conf import settings

    from patron.config.cli.refresh import refresh_with_progress, show_report
    from patron.intelligence.insights.operations import request_analyses
    from patron.intelligence.insights.queries import has_results
    from patron.intelligence.warehouse.store import Store
    from patron.kernel import clock
    from patron.kernel.actor import system

    if Store(Path(settings.WAREHOUSE_DIRECTORY)).current_version() is None:
        show_report(refresh_with_progress())
    if not has_results():
        request_analyses(actor=system("demo"), now=clock.now())
        _console.print("  The analyses are being run; the pages of Insight ▸ Questions fill within a few minutes.")


def _tell_who_is_missing() -> None:
    from patron.core.accounts.queries import has_staff

    if not has_staff():
        _console.print("  Nobody can sign in yet. In another terminal: patron createstaff NAME")


def main(arguments: list[str]) -> None:
    """Prepare the installation; with `--demo`, load the demo company as well."""
    home = home_directory()
    be_quiet()
    setup_django()
    try:
        _prepare(home, demo="--demo" in arguments)
    except Exception as error:
        words = explain(error)
        if words is None:
            raise
        errors.print(f"[bold red]patron:[/] {escape(words)}", soft_wrap=True)
        raise SystemExit(1) from None


def _prepare(home: Path, *, demo: bool) -> None:
    if migrate_if_needed():
        _console.print("  tables are in step")
    if collect_static_if_needed(home):
        _console.print("  static files collected")
    if demo:
        _load_demo(home)
    _tell_who_is_missing()


if __name__ == "__main__":
    main(sys.argv[1:])
