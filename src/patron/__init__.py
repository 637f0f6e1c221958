"""Patron (貴客): find the customers who matter, keep them, and lift the rest."""
