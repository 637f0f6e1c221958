"""Patterns in what is bought: what goes together in one basket, and what follows what."""
