"""The engines that work out attributes and marts: DuckDB in this process, or Apache Spark."""
