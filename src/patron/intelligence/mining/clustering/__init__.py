"""Groups of customers who are alike: features made comparable, groups found, named and judged."""
