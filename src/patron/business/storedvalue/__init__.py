"""Stored value: money that members deposit and pay with."""
