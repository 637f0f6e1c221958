"""One file per model; each ends in ``MODEL``. The registry walks this package."""
