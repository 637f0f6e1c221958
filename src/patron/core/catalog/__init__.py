"""Products and their categories, and what branches charge for them."""
