"""The gift catalogue: what members redeem, where it lies, and how it reaches them."""
