"""PostgreSQL's own client programs, and what backup and restore ask of the database directly. No Django."""

import os
import re
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from patron.config.cli.root import CommandError
from patron.kernel.embedded_host import find_programs

_TRIGGER_MODES = {
    "O": "ENABLE TRIGGER",
    "A": "ENABLE ALWAYS TRIGGER",
    "R": "ENABLE REPLICA TRIGGER",
    "D": "DISABLE TRIGGER",
}


def connect(url: str, *, dbname: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
    """An autocommit connection; `dbname` replaces the URL's database."""
    return psycopg.connect(_conninfo(url, dbname), autocommit=True)


def dump(url: str, directory: Path, *, snapshot_jobs: int = 2) -> None:
    """Write the database into `directory` (made here), compressed, as of one instant."""
    _run(url, "pg_dump", "--format=directory", f"--jobs={snapshot_jobs}", "--compress=gzip:1", "--no-owner",
         "--no-privileges", f"--file={directory}", "--dbname={dsn}")  # fmt: skip


def load(url: str, directory: Path, *, dbname: str, server_version: int) -> None:
    """Fill the empty database `dbname` from what `dump` wrote; stops at the first error."""
    common = ["--no-owner", "--no-privileges", str(directory)]
    if server_version >= 170_000:
        _run(url, "pg_restore", "--exit-on-error", "--jobs=2", "--dbname={dsn}", *common, dbname=dbname)
        return
    # pg_restore of 18 sets a parameter that servers before 17 do not know: the script goes through a file without it.
    script = directory.with_name(f"{directory.name}.sql")
    _run(url, "pg_restore", f"--file={script}", *common)
    cleaned = directory.with_name(f"{directory.name}.cleaned.sql")
    with script.open("rb") as source, cleaned.open("wb") as target:
        target.writelines(line for line in source if not line.startswith(b"SET transaction_timeout"))
    script.unlink()
    _run(url, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null",
         f"--file={cleaned}", "--dbname={dsn}", dbname=dbname)  # fmt: skip
    cleaned.unlink()


def database_name(url: str) -> str:
    """The name of the URL's database."""
    return str(conninfo_to_dict(url).get("dbname") or "patron")


def server_version(url: str) -> int:
    """The server's version as a number, 180004 for 18.4."""
    with connect(url) as connection:
        return connection.info.server_version


def applied_migrations(url: str) -> list[str]:
    """The migrations that the database has, as `app.name`; none for an empty one."""
    with connect(url) as connection:
        if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
            return []
        rows = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1").fetchall()
    return [str(row[0]) for row in rows]


def holds_data(url: str) -> bool:
    """Whether anybody has begun to use the database: it knows staff or customers."""
    with connect(url) as connection:
        for table in ("accounts_staff", "customers_customer"):
            if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
                continue
            found = connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))).fetchone()
            if found is not None:
                return True
    return False


def create_database(url: str, name: str) -> None:
    """Make an empty database beside the URL's. Raises `CommandError` where the user may not."""
    try:
        with connect(url, dbname="postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
    except psycopg.errors.InsufficientPrivilege:
        raise CommandError(
            "The database user may not create databases, which a restore needs: it fills a new one and swaps names. "
            "Grant it for the time being: ALTER ROLE … CREATEDB"
        ) from None


def drop_database(url: str, name: str) -> None:
    """Remove a database beside the URL's, if it is there."""
    with connect(url, dbname="postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def swap_databases(url: str, *, fresh: str, aside: str) -> None:
    """Give the database `fresh` the URL's name, and the present one the name `aside`: both or neither."""
    present = database_name(url)
    with connect(url, dbname="postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = ANY(%s) AND pid <> pg_backend_pid()",
            [[present, fresh]],
        )
        with connection.transaction():
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(present), sql.Identifier(aside)))
            connection.execute(rename.format(sql.Identifier(fresh), sql.Identifier(present)))


def forget_transaction_ids(url: str, *, dbname: str) -> None:
    """Make rows that another server's transactions stamped look old.

    Transaction ids begin anew in a new server: a stamp from the future would hide later changes from the warehouse,
    which asks for what changed since a transaction.
    """
    with connect(url, dbname=dbname) as connection, connection.transaction():
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE a.attname = 'changed_xid' AND a.atttypid = 'xid8'::regtype AND NOT a.attisdropped "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
        ).fetchall()
        for (name,) in tables:
            table = sql.SQL(str(name))  # quoted by the server already
            triggers = connection.execute(
                "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [name]
            ).fetchall()
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
            connection.execute(
                sql.SQL("UPDATE {} SET changed_xid = '0' WHERE changed_xid >= pg_current_xact_id()").format(table)
            )
            for trigger, mode in triggers:
                enable = sql.SQL(f"ALTER TABLE {{}} {_TRIGGER_MODES[str(mode)]} {{}}")
                connection.execute(enable.format(table, sql.Identifier(str(trigger))))
    with connect(url, dbname=dbname) as connection:
        connection.execute("ANALYZE")


def _run(url: str, program: str, *arguments: str, dbname: str | None = None) -> None:
    """Run a client program; `{dsn}` in an argument becomes the connection, with the password kept out of sight."""
    parameters = conninfo_to_dict(_conninfo(url, dbname))
    password = parameters.pop("password", None)
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}
    dsn = make_conninfo("", **parameters)
    command = [str(find_programs(None) / program), *(argument.replace("{dsn}", dsn) for argument in arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if finished.returncode != 0:
        raise CommandError(f"{program} failed: {_essence(finished.stderr)}")


def _essence(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if re.search(r"error|failed|fatal|could not", line, re.IGNORECASE)]
    return "; ".join(lines[:3]) or stderr.strip()


def _conninfo(url: str, dbname: str | None) -> str:
    return make_conninfo(url, **({"dbname": dbname} if dbname is not None else {}))
