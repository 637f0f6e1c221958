"""What can go wrong with a file, in words that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import psycopg
from django.db import Error as DatabaseError
from django.utils.translation import gettext_lazy as _

from patron.kernel.errors import Conflict, DomainError, InvalidInput, Unavailable


class FileUnreadable(InvalidInput):
    code = "file_unreadable"
    message = _("This file cannot be read as a table. Save it as CSV, XLSX or Parquet and try again.")


class FileTooLarge(DomainError):
    """Larger than allowed, or a compressed file that would unpack to something unreasonable."""

    code = "file_too_large"
    status = 413
    message = _("This file is too large.")


class ColumnsMissing(InvalidInput):
    code = "columns_missing"
    message = _("The file lacks columns that are needed. Name them in the column mapping.")


class RunBusy(Conflict):
    code = "import_running"
    message = _("This file is being imported right now. Wait until that run has ended, or cancel it.")


class RunEnded(Conflict):
    code = "import_ended"
    message = _("This import has ended already.")


class ImportCancelled(DomainError):
    code = "import_cancelled"
    status = 409
    message = _("The import was cancelled. What went in before stays; importing the file again goes on from there.")


class DiskFull(DomainError):
    code = "disk_full"
    status = 507
    message = _("The disk is full. Nothing is half-done: free some space and import the same file again to go on.")


class DatabaseStopped(Unavailable):
    code = "database_stopped"
    message = _(
        "The database stopped answering. Nothing is half-done: once it is back, import the same file again to go on."
    )


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn a full disk and a lost database, wherever they show, into DiskFull and DatabaseStopped."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from error
        raise
    except duckdb.Error as error:
        if _speaks_of_space(str(error)):
            raise DiskFull from error
        raise
    except (DatabaseError, psycopg.Error) as error:
        refusal = _refusal_for(error)
        if refusal is None:
            raise
        raise refusal from error


def _speaks_of_space(message: str) -> bool:
    lowered = message.lower()
    return "no space left" in lowered or "disk quota" in lowered or "max_temp_directory_size" in lowered


def _refusal_for(error: BaseException) -> DomainError | None:
    """53100 is PostgreSQL's disk_full; class 08 and 57P are lost connections and shutdowns."""
    found = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(found, psycopg.Error):
        return None
    state = found.sqlstate or ""
    if state == "53100" or _speaks_of_space(str(found)):
        return DiskFull()
    lost = state.startswith(("08", "57P")) or (not state and isinstance(found, psycopg.OperationalError))
    return DatabaseStopped() if lost or isinstance(found, psycopg.InterfaceError) else None
