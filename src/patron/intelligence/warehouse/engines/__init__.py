"""The engines that work out attributes and marts: DuckDB in this process, or Apache Spark. One SQL, one Ibis for both."""
