"""Who is worth how much: groups of customers compared, how the money is spread, and what serving each costs."""
