"""From the rooms' exports to Parquet: extraction, reconciliation, atomic publication."""
