"""Purchases by the hundred thousand: the set-based writing of one import chunk, step by step."""
