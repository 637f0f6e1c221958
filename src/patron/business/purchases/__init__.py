"""Sales and returns as the tills recorded them."""
