"""Who and what: staff and branches, customers, catalogue, the activity log."""
