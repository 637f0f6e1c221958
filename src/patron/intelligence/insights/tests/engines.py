"""What tests of the second engine share: when they run, and how they are marked."""

import pytest

from patron.intelligence.warehouse.engines import spark

SPARK = "local[2]"

needs_spark = pytest.mark.skipif(bool(spark.missing()), reason=spark.missing() or "Spark is there")

#: For modules that may start Spark. Each process of a parallel run starts its own: pytest-xdist 3.8 groups by writing
#: into the name of a test, which pytest from 9.2 on does not read (pytest-xdist #1386).
MARKS = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # py4j leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
