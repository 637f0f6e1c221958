"""Deciding with what is known: whom to contact how and when, and how to divide a budget."""
