"""Every write to a customer's file, by topic."""
