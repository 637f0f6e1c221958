"""`patron backup`: the whole installation in one file."""

import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from patron.config.cli import programs
from patron.config.cli.archive import FORMAT, ArchiveWriter, Manifest
from patron.config.cli.root import CommandError
from patron.config.cli.session import database
from patron.config.home import home_directory

app = typer.Typer(add_completion=False)
console = Console(highlight=False)

# What a restore or a start makes anew, and the database's own files, which the dump stands for.
NOT_INCLUDED = frozenset(
    {
        "postgres",
        "postgres.new",
        "postgres.start.lock",
        "postgres.lease.lock",
        "postgres.users.lock",
        "log",
        "run",
        "static",
    }
)


@app.command(help="Write the whole installation (database, uploads, warehouse, keys) into one file.")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example patron-2026-01-31.backup")],
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Back up while the product runs or not; the file appears under its name only when it is complete."""
    if file.exists() and not replace:
        raise CommandError(f"{file} exists already. Choose another name, or add --replace.")
    if not file.parent.is_dir():
        raise CommandError(f"The directory {file.parent} does not exist.")
    home = home_directory()
    with database(home) as url:
        files = write_backup(url=url, home=home, file=file.absolute(), now=datetime.now(UTC))
    console.print(
        f"{file}: {file.stat().st_size / 1e6:,.1f} MB, the database and {files} files. Keep it safe: it holds the keys."
    )


def write_backup(*, url: str, home: Path, file: Path, now: datetime) -> int:
    """Write the backup and return the number of home files in it.

    The warehouse and uploads are read after the database was dumped: what the database speaks of is there.
    """
    migrations = programs.applied_migrations(url)
    if not migrations:
        raise CommandError("There is nothing to back up yet: the database is empty.")
    manifest = Manifest(
        FORMAT, "patron", version("patron-crm"), now.isoformat(), programs.server_version(url), migrations
    )
    # Beside the file: the place that must have room anyway. A killed attempt may have left it.
    working = file.with_name(f".{file.name}.working")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(mode=0o700)
    try:
        programs.dump(url, working / "database")
        with ArchiveWriter(file, manifest) as archive:
            archive.add_tree("database", working / "database")
            return archive.add_tree("home", home, without=NOT_INCLUDED)
    finally:
        shutil.rmtree(working, ignore_errors=True)
