"""What tests of the second engine share: when they run, and how they are marked."""

import pytest

from patron.intelligence.warehouse.engines import spark

SPARK = "local[2]"

needs_spark = pytest.mark.skipif(bool(spark.missing()), reason=spark.missing() or "Spark is there")

#: For modules that may start Spark. One process of a parallel run takes them all, so that one Spark starts.
MARKS = [
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # py4j leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
