"""The run's own directory and DuckDB file: what lets a killed run go on."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
from django.conf import settings

from patron.kernel.intake.sql import literal

VERSION = "1"
"""Of what is in the DuckDB file: a change of the engine that alters it makes older files unusable."""
MEMORY = "1GB"


def directory_of(run_id: int) -> Path:
    """The run's directory, made if need be, for its owner only."""
    directory = Path(settings.IMPORT_DIRECTORY) / str(run_id)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory


def fingerprint(
    *, sha256: str, importer: str, columns: Mapping[str, str], options: Mapping[str, str], source: str, encoding: str
) -> str:
    """A digest of everything that decides what a run does: equal ones resume each other."""
    facts = [VERSION, sha256, importer, sorted(columns.items()), sorted(options.items()), source, encoding]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


@contextmanager
def database(directory: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The run's DuckDB file: two threads, a gigabyte of memory, spilling into the run's directory."""
    connection = duckdb.connect(str(directory / "run.duckdb"), read_only=read_only)
    try:
        connection.execute(f"SET threads = 2; SET memory_limit = {literal(MEMORY)}")
        connection.execute(f"SET temp_directory = {literal(str(directory / 'spill'))}")
        connection.execute(f"SET TimeZone = {literal(settings.TIME_ZONE)}; SET preserve_insertion_order = true")
        yield connection
    finally:
        connection.close()


def is_ready(directory: Path, mark: str) -> bool:
    """Whether the directory holds rows prepared to the end for the run with fingerprint `mark`."""
    try:
        return (directory / "ready").read_text(encoding="ascii") == mark and (directory / "run.duckdb").exists()
    except FileNotFoundError:
        return False


def mark_ready(directory: Path, mark: str) -> None:
    (directory / "ready").write_text(mark, encoding="ascii")


def clear(directory: Path) -> None:
    """Remove what was prepared (not the uploaded file, not the error file)."""
    (directory / "ready").unlink(missing_ok=True)
    for pattern in ("run.duckdb*", "rows.parquet", "chunk-*.csv", "groups-*.csv", "keys.csv", "rejects-*.json"):
        for file in directory.glob(pattern):
            file.unlink(missing_ok=True)
    for folder in ("spill", "unpacked"):
        shutil.rmtree(directory / folder, ignore_errors=True)
