"""Writes of staff, branches and integration keys."""
