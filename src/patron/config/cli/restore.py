"""`patron restore`: an installation as it was when the backup was made."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from patron.config.cli import programs
from patron.config.cli.archive import extract, read_manifest, verify
from patron.config.cli.backup import NOT_INCLUDED
from patron.config.cli.root import CommandError
from patron.config.cli.session import database, setup_django
from patron.config.cli.supervisor import only_one
from patron.config.home import home_directory

app = typer.Typer(add_completion=False)
console = Console(highlight=False)


@app.command(help="Bring an installation back from a file of “patron backup”.")
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace an installation that is in use.")] = False,
) -> None:
    """Restore into a new database and directory, then swap: until then, and on any error, nothing is changed."""
    manifest = read_manifest(file)
    verify(file)
    home = home_directory()
    with only_one(home, 0), database(home) as url:
        if programs.holds_data(url) and not replace:
            raise CommandError(f"The installation in {home} is in use. Add --replace to put the backup in its place.")
        _refuse_newer(manifest.migrations)
        restore_backup(url=url, home=home, file=file)
        from patron.config.cli.prepare import migrate_if_needed

        migrate_if_needed()
    console.print(f"Restored as of {manifest.made_at[:16].replace('T', ' ')} UTC. Next: patron refresh, patron up")


def restore_backup(*, url: str, home: Path, file: Path) -> None:
    """Put a verified backup in the place of the database and the home's files.

    Only one process does this at a time (`only_one`). What a killed attempt left is cleared away; killed between the
    two swaps it leaves the backup's database beside the former files, and running it again sets that right.
    """
    name = programs.database_name(url)
    fresh, aside = f"{name}_restored", f"{name}_before"
    programs.drop_database(url, aside)
    working = home / "run" / "restore"
    shutil.rmtree(working, ignore_errors=True)
    _made(working)
    try:
        extract(file, working)
        programs.create_database(url, fresh)
        try:
            programs.load(url, working / "database", dbname=fresh, server_version=programs.server_version(url))
            programs.forget_transaction_ids(url, dbname=fresh)
            programs.swap_databases(url, fresh=fresh, aside=aside)
        except BaseException:
            programs.drop_database(url, fresh)
            raise
        _swap_files(home, restored=_made(working / "home"), aside=_made(working / "before"))
        programs.drop_database(url, aside)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _swap_files(home: Path, *, restored: Path, aside: Path) -> None:
    """Move the home's present entries aside and the restored ones in: renames within one file system."""
    for entry in home.iterdir():
        if entry.name not in NOT_INCLUDED:
            entry.rename(aside / entry.name)
    for entry in restored.iterdir():
        entry.rename(home / entry.name)


def _refuse_newer(migrations: list[str]) -> None:
    """Raise when the backup's tables are of a newer program than this one."""
    setup_django()
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    unknown = sorted(set(migrations) - known)
    if unknown:
        raise CommandError(
            f"The backup was made by a newer Patron (it knows {unknown[-1]}). Install that version, then restore."
        )


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
