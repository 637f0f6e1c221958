"""The warehouse: every room's exports as immutable Parquet files, published version by version."""
