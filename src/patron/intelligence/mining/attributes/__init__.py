"""Attributes of customers: one file for each, one typed Ibis expression in it; found by walking this package."""
